/** Has another tool review the work of an attempt, in a copy of it. */
import type { LimitWait } from '../../domain/agent-result.ts';
import { describeFailure } from '../../domain/failure-message.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { ReviewRecord, ReviewRequest } from '../../domain/policy/review.ts';
import type { ToolSettings } from '../../domain/tool.ts';
import { sumKnown, type ToolReport } from '../../domain/tool-report.ts';
import { isFailure } from '../../domain/workspaces.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { type Attempt, type AttemptRunner, limitWait } from './attempt-runner.ts';
import { costOf, isStop, type RunLedgers } from './ledgers.ts';
import { reportsOf, whenInterrupted, withFailure, withWarnings } from './outcome.ts';
import {
  DIFF_LENGTH,
  type ReviewEnd,
  recordOf,
  refusalAfter,
  reviewWorkstream,
  warningsOf,
} from './review.ts';
import type { WorkspaceManager } from './workspace-manager.ts';

export interface ReviewerParts {
  workspaces: WorkspaceManager;
  toolsOf: (agent: number, workstream: Workstream, tool?: string) => Record<string, ToolSettings>;
  /** Folder for the output of this run's workstreams, as assignments carry it. */
  logFolder: string;
}

/** How a review ended, and what a person should know of it. */
interface Ended {
  end: ReviewEnd;
  notes: string[];
}

/** Its tool is at a usage limit, which is waited for. */
interface Parked {
  parked: LimitWait;
}

export class Reviewer {
  readonly #parts: ReviewerParts;
  readonly #attempts: AttemptRunner;
  readonly #ledgers: RunLedgers;
  /** By workstream, of those without a result. */
  readonly #records = new Map<string, ReviewRecord[]>();

  /** The tools of reviews that are about to begin, by workstream. */
  readonly #granted = new Map<string, Record<string, ToolSettings>>();

  constructor(parts: ReviewerParts, attempts: AttemptRunner, ledgers: RunLedgers) {
    this.#parts = parts;
    this.#attempts = attempts;
    this.#ledgers = ledgers;
  }

  /** US dollars that the reviews of a workstream are known to have cost. */
  spentUsd(workstreamId: string): number {
    return sumKnown((this.#records.get(workstreamId) ?? []).map(({ costUsd }) => costUsd)) ?? 0;
  }

  /** Takes what a reviewer said in an earlier session: it is not asked again about that attempt. */
  restore(workstreamId: string, record: ReviewRecord): void {
    this.#records.set(workstreamId, [...(this.#records.get(workstreamId) ?? []), record]);
  }

  /** What a reviewer decided about an attempt; null where it was not reviewed, or got no verdict. */
  verdictOn(workstreamId: string, attempt: number): ReviewRecord | null {
    const records = this.#records.get(workstreamId) ?? [];
    return records.find((record) => record.attempt === attempt && record.verdict !== 'none') ?? null;
  }

  /** Removes and returns the reviews of a workstream that has its result now. */
  take(workstreamId: string): ReviewRecord[] {
    const records = this.#records.get(workstreamId) ?? [];
    this.#records.delete(workstreamId);
    return records;
  }

  /** How the reviewer of a workstream is called, by the name that its step uses. */
  toolsFor(agent: number, workstream: Workstream, review: ReviewRequest): Record<string, ToolSettings> {
    return this.#parts.toolsOf(agent, reviewWorkstream(workstream, review, null), review.tool);
  }

  /** Has the next review of a workstream use these, which it was started with after it had waited for them. */
  grant(workstreamId: string, tools: Record<string, ToolSettings>): void {
    this.#granted.set(workstreamId, tools);
  }

  /**
   * Has the work of an attempt that succeeded reviewed, where its workstream says by whom. It has failed where the review
   * blocks it. What changed nothing is not reviewed. Where the reviewer waits for its usage limit, the attempt is returned
   * as parked, with its workspace open: it is to be reviewed again once that has passed.
   */
  async review(attempt: Attempt): Promise<Attempt> {
    const { workstream, changes, outcome, number } = attempt;
    const { id, review } = workstream;
    if (review === null || outcome.failure !== null) return attempt;
    if (changes?.source === 'git' && changes.files.length === 0) return attempt;
    const known = this.verdictOn(id, number);
    if (known !== null) return judgedBy(attempt, known);
    const ended = await this.#execute(attempt, review);
    if ('parked' in ended) return { ...attempt, parked: ended.parked };
    const { end, notes } = ended;
    const record = recordOf(review, end);
    this.restore(id, record);
    const noted = { ...attempt, outcome: withWarnings(outcome, notes) };
    // One that was stopped is reviewed when the run is resumed, after its work was done once more.
    const { failure } = end;
    if (failure !== null && isStop(failure) && review.blocks)
      return { ...noted, outcome: withFailure(noted.outcome, failure) };
    return judgedBy(noted, record);
  }

  async #execute(attempt: Attempt, review: ReviewRequest): Promise<Ended | Parked> {
    const { workstream, context, workspace, changes, number } = attempt;
    const { workspaces } = this.#parts;
    const { circuit, budget, limits } = this.#ledgers;
    const granted = this.#granted.get(workstream.id);
    this.#granted.delete(workstream.id);
    const given = granted ?? this.toolsFor(context.agent, workstream, review);
    const limited = Object.values(given).flatMap((settings) => limits.refusal(settings) ?? []);
    const refusal = circuit.refusal(review.tool) ?? budget.refusal() ?? limited[0] ?? null;
    if (refusal !== null) return notBegun(number, describeFailure(refusal));
    if (workspace === null || changes === null) return notBegun(number, NO_WORKTREE);
    const choice = granted === undefined ? limits.choose(given) : { tools: granted };
    if (!('tools' in choice)) return { parked: waitFor(review.tool, choice.until) };
    const copy = await workspaces.copyForReview(workspace, DIFF_LENGTH);
    if (isFailure(copy)) return notBegun(number, describeFailure(copy));
    const reviewing = reviewWorkstream(workstream, review, { ...changes, ...copy });
    const executed = await this.#attempts.execute(reviewing, context, copy.workspace, {
      attempt: number,
      tools: choice.tools,
      logFile: this.#logFile(attempt),
      spentUsd: (costOf(reportsOf(attempt.outcome)).knownUsd ?? 0) + this.spentUsd(workstream.id),
    });
    const notes = await workspaces.discardCopy(copy);
    const outcome = whenInterrupted(executed, context.interruption());
    const { failure, durationSeconds, logFile } = outcome;
    const [report = null] = reportsOf(executed);
    const parked = report === null ? null : this.#account(report, choice.tools, outcome);
    if (parked !== null) return { parked };
    circuit.record(report?.tool ?? review.tool, failure);
    const problem = failure === null ? null : describeFailure(failure);
    return { end: { attempt: number, failure, problem, report, durationSeconds, logFile }, notes };
  }

  /** Each execution has a log of its own. */
  #logFile({ workstream, number, limitWaits }: Attempt): string {
    const attempt = number === 1 ? '' : `.${number}`;
    const again = limitWaits.length === 0 ? '' : `.again-${limitWaits.length}`;
    return `${this.#parts.logFolder}/${workstream.id}${attempt}.review${again}.log`;
  }

  /** Enters what it cost and the limit that it met. Returns that where it is waited for; otherwise null. */
  #account(report: ToolReport, tools: Record<string, ToolSettings>, outcome: Outcome): LimitWait | null {
    const { tool, costUsd, limit, toolCalls } = report;
    const { budget, limits } = this.#ledgers;
    budget.spend(costUsd ?? 0);
    limits.spend(tool, costUsd ?? 0);
    const settings = Object.values(tools).find(({ name }) => name === tool);
    if (settings === undefined) return null;
    if (limit === null) {
      if (outcome.failure === null) limits.worked(settings);
      return null;
    }
    if (limit.class === 'cap' || limit.class === 'auth') return null;
    const met = limits.met(settings, { ...limit, class: limit.class }, (toolCalls ?? 0) > 0);
    const { failure } = outcome;
    if (failure === null || isStop(failure) || met.failure !== null) return null;
    return limitWait(report, outcome, met.until);
  }
}

/** The attempt with what follows from its review. */
function judgedBy(attempt: Attempt, record: ReviewRecord): Attempt {
  const outcome = withWarnings(attempt.outcome, warningsOf(record));
  const refusal = refusalAfter(record);
  return { ...attempt, outcome: refusal === null ? outcome : withFailure(outcome, refusal) };
}

const NO_WORKTREE = 'It worked in the shared folder, of which there is no copy.';

/** That a limit is waited for which was met before. */
const waitFor = (tool: string, until: number): LimitWait => ({
  tool,
  text: `${tool}, which is to review it, waits for its usage limit.`,
  at: new Date().toISOString(),
  until: new Date(until).toISOString(),
  durationSeconds: 0,
  costUsd: null,
  logFile: null,
});

const notBegun = (attempt: number, problem: string, notes: string[] = []): Ended => ({
  end: { attempt, failure: null, problem, report: null, durationSeconds: 0, logFile: null },
  notes,
});
