import { normalize } from '../../analysis/patterns.ts';
import type { AttemptRecord } from '../../domain/attempt.ts';
import type { Changes } from '../../domain/changes.ts';
import { describeFailure } from '../../domain/failure-message.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { sumKnown, spendingOf } from '../../domain/spending.ts';

const NONE: readonly AttemptRecord[] = [];

/** The failed attempts of workstreams that have no result yet. */
export class AttemptHistory {
  readonly #attempts = new Map<string, { records: readonly AttemptRecord[]; last: Failure | null }>();

  /** Which attempt the next one is, counted from 1. */
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

  /** Takes the attempts of an earlier session, in which the workstream was interrupted. */
  restore(workstreamId: string, records: readonly AttemptRecord[]): void {
    this.#attempts.set(workstreamId, { records, last: null });
  }

  add(workstreamId: string, record: AttemptRecord, failure: Failure | null): void {
    this.#attempts.set(workstreamId, { records: [...this.of(workstreamId), record], last: failure });
  }

  /** Returns what there is of a workstream that has its result now, and forgets it. */
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
  const reports = outcome.steps.flatMap(({ tool }) => (tool === null ? [] : [tool]));
  const explanation = failure === null ? null : describeFailure(failure);
  return {
    attempt,
    agentId,
    tool: reports.at(-1)?.tool ?? null,
    model: reports.at(-1)?.model ?? null,
    reason: failure?.reason ?? null,
    explanation,
    failure,
    pattern: explanation === null ? null : normalize(explanation),
    startTime: new Date(outcome.startedAt).toISOString(),
    durationSeconds: outcome.durationSeconds,
    ...spendingOf(reports),
    contentHash: changes?.contentHash ?? null,
    logFile: outcome.logFile,
  };
}
