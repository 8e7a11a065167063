/** What the attempts of a run have in common, and each of them adds to: earlier attempts, money spent, failing tools. */
import { shapeOfError } from '../../analysis/patterns/error-shape.ts';
import type { CostLimit } from '../../domain/assignment.ts';
import type { AttemptRecord } from '../../domain/attempt.ts';
import type { Changes } from '../../domain/changes.ts';
import type { Failure, Reason } from '../../domain/failure.ts';
import { describeFailure, failureContext } from '../../domain/failure-message.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { ToolReport } from '../../domain/tool.ts';
import { spendingOf, sumKnown } from '../../domain/tool-report.ts';
import type { Workstream } from '../../domain/workstream.ts';
import type { ToolLimits } from '../tool-limits.ts';
import { reportsOf } from './outcome.ts';

export interface RunLedgers {
  history: AttemptHistory;
  budget: Budget;
  circuit: ToolCircuit;
  limits: ToolLimits;
}

const NONE: readonly AttemptRecord[] = [];

/** The failed attempts of workstreams that have no result yet. */
export class AttemptHistory {
  readonly #attempts = new Map<string, { records: readonly AttemptRecord[]; last: Failure | null }>();

  /** Number of the next attempt, from 1. */
  next(workstreamId: string): number {
    return this.of(workstreamId).length + 1;
  }

  of(workstreamId: string): readonly AttemptRecord[] {
    return this.#attempts.get(workstreamId)?.records ?? NONE;
  }

  /** Why the latest attempt failed; null before the first. */
  lastFailure(workstreamId: string): Failure | null {
    return this.#attempts.get(workstreamId)?.last ?? null;
  }

  /** US dollars that they are known to have cost. */
  spentUsd(workstreamId: string): number {
    return sumKnown(this.of(workstreamId).map(({ costUsd }) => costUsd)) ?? 0;
  }

  /** Sets the attempts that were made before: in an earlier session, or until the result was withdrawn. */
  restore(workstreamId: string, records: readonly AttemptRecord[]): void {
    const { reason = null, failure = null } = records.at(-1) ?? {};
    // That an attempt was ended from outside tells the next one nothing.
    const last = reason === 'interrupted' || reason === 'cancelled' ? null : failure;
    this.#attempts.set(workstreamId, { records, last });
  }

  add(workstreamId: string, record: AttemptRecord, failure: Failure | null): void {
    this.#attempts.set(workstreamId, { records: [...this.of(workstreamId), record], last: failure });
  }

  /** Removes and returns the attempts of a workstream that has its result now. */
  take(workstreamId: string): AttemptRecord[] {
    const records = [...this.of(workstreamId)];
    this.#attempts.delete(workstreamId);
    return records;
  }
}

/** What is kept of an attempt that is not the one whose result counts. */
export function attemptRecord(
  attempt: number,
  agentId: string,
  outcome: Outcome,
  failure: Failure | null,
  changes: Changes | null,
): AttemptRecord {
  const reports = reportsOf(outcome);
  const explanation = failure === null ? null : describeFailure(failure);
  return {
    attempt,
    agentId: outcome.executedBy?.agentId ?? agentId,
    tool: reports.at(-1)?.tool ?? null,
    model: reports.at(-1)?.model ?? null,
    reason: failure?.reason ?? null,
    explanation,
    failure,
    pattern: failure === null ? null : patternOf(failure),
    startTime: new Date(outcome.startedAt).toISOString(),
    durationSeconds: outcome.durationSeconds,
    ...spendingOf(reports),
    contentHash: changes?.contentHash ?? null,
    logFile: outcome.logFile,
  };
}

/** Whether an attempt was ended from outside, which has no shape that errors are grouped by. */
export const isStop = (failure: Failure): boolean =>
  failure.reason === 'interrupted' || failure.reason === 'cancelled';

/** The shape of a failure, by which errors are grouped; null where it is no error or has no text. */
export function patternOf(failure: Failure): string | null {
  if (isStop(failure)) return null;
  const error = {
    type: failure.reason,
    message: describeFailure(failure),
    tail: failureContext(failure).tail,
  };
  return shapeOfError(error) || null;
}

/** What a run has spent on tools, as far as they report it. */
export class Budget {
  readonly #limitUsd: number | null;
  #spentUsd = 0;

  /** @param limitUsd US dollars that the run may cost; null for no limit. */
  constructor(limitUsd: number | null) {
    this.#limitUsd = limitUsd;
  }

  get isLimited(): boolean {
    return this.#limitUsd !== null;
  }

  /** Adds what an attempt is known to have cost. */
  spend(usd: number): void {
    this.#spentUsd += usd;
  }

  /** Why no tool is started any more; null while money is left. */
  refusal(): Failure | null {
    if (this.#limitUsd === null || this.#spentUsd < this.#limitUsd) return null;
    return { reason: 'budget-exceeded', of: 'run', limitUsd: this.#limitUsd, spentUsd: this.#spentUsd };
  }

  /** Why a workstream is not started; null while it may be. One without a tool costs nothing. */
  refusalOf(workstream: Workstream): Failure | null {
    const refusal = this.refusal();
    return refusal !== null && usesTool(workstream) ? refusal : null;
  }

  /**
   * What limits one attempt: the run's money and the workstream's, that of which least is left first. Attempts that run
   * at the same time may each use all that is left of the run's.
   */
  forAttempt(workstream: { limitUsd: number | null; spentUsd: number }): CostLimit[] {
    if (workstream.limitUsd === null && this.#limitUsd === null) return [];
    const run = { of: 'run' as const, limitUsd: this.#limitUsd, spentUsd: this.#spentUsd };
    return [{ of: 'workstream' as const, ...workstream }, run]
      .flatMap(({ limitUsd, ...rest }) => (limitUsd === null ? [] : [{ limitUsd, ...rest }]))
      .toSorted((a, b) => leftOf(a) - leftOf(b));
  }
}

/** Whether any of its steps is a tool's. */
export const usesTool = ({ steps }: Pick<Workstream, 'steps'>): boolean =>
  steps.some(({ kind }) => kind === 'tool');

const leftOf = ({ limitUsd, spentUsd }: CostLimit): number => limitUsd - spentUsd;

/** What tools are known to have cost together, and which of them did not report it. */
export function costOf(reports: readonly ToolReport[]): { knownUsd: number | null; unknown: string[] } {
  const known = reports.flatMap(({ costUsd }) => (costUsd === null ? [] : [costUsd]));
  const unknown = reports.filter(({ costUsd }) => costUsd === null).map(({ tool }) => tool);
  return {
    knownUsd: known.length === 0 ? null : known.reduce((sum, usd) => sum + usd, 0),
    unknown: [...new Set(unknown)],
  };
}

/** Failures of the tool itself, whatever its task. */
const OF_THE_TOOL: ReadonlySet<string> = new Set<Reason>([
  'tool-not-found',
  'tool-unsupported',
  'tool-not-logged-in',
  'tool-quota',
  'usage-limit',
  'tool-error',
  'no-model-answer',
]);

interface Streak {
  reason: Reason;
  count: number;
}

/**
 * A circuit breaker for each tool: opens when the tool has failed for the same reason so many times in a row, so that
 * the rest of its workstreams are not started. Any other outcome ends the streak; once open, it stays open for the run.
 */
export class ToolCircuit {
  readonly #threshold: number;
  readonly #streaks = new Map<string, Streak>();

  /** @param threshold failures in a row that open it; 0 for never. */
  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Counts the end of an attempt that used the tool. */
  record(tool: string, failure: Failure | null): void {
    if (this.refusal(tool) !== null) return;
    if (failure === null || !OF_THE_TOOL.has(failure.reason)) {
      this.#streaks.delete(tool);
      return;
    }
    const streak = this.#streaks.get(tool);
    const count = streak?.reason === failure.reason ? streak.count + 1 : 1;
    this.#streaks.set(tool, { reason: failure.reason, count });
  }

  /** Opens it at once: what the tool failed for does not pass. */
  open(tool: string, reason: Reason): void {
    if (this.refusal(tool) === null) this.#streaks.set(tool, { reason, count: Math.max(1, this.#threshold) });
  }

  /** Why the tool is not started any more; null while its circuit is closed. */
  refusal(tool: string): Failure | null {
    const streak = this.#streaks.get(tool);
    if (streak === undefined || this.#threshold === 0 || streak.count < this.#threshold) return null;
    return { reason: 'circuit-open', tool, cause: streak.reason, count: streak.count };
  }
}
