/** Has another tool review the work of an attempt, in a copy of it. */
import { describeFailure } from '../../domain/failure-message.ts';
import type { ReviewRecord, ReviewRequest } from '../../domain/policy/review.ts';
import type { ToolSettings } from '../../domain/tool.ts';
import { sumKnown, type ToolReport } from '../../domain/tool-report.ts';
import { isFailure } from '../../domain/workspaces.ts';
import type { Workstream } from '../../domain/workstream.ts';
import type { Attempt, AttemptRunner } from './attempt-runner.ts';
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

export class Reviewer {
  readonly #parts: ReviewerParts;
  readonly #attempts: AttemptRunner;
  readonly #ledgers: RunLedgers;
  /** By workstream, of those without a result. */
  readonly #records = new Map<string, ReviewRecord[]>();

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

  /**
   * Has the work of an attempt that succeeded reviewed, where its workstream says by whom. It has failed where the review
   * blocks it. What changed nothing is not reviewed.
   */
  async review(attempt: Attempt): Promise<Attempt> {
    const { workstream, changes, outcome, number } = attempt;
    const { id, review } = workstream;
    if (review === null || outcome.failure !== null) return attempt;
    if (changes?.source === 'git' && changes.files.length === 0) return attempt;
    const known = this.verdictOn(id, number);
    if (known !== null) return judgedBy(attempt, known);
    const { end, notes } = await this.#execute(attempt, review);
    const record = recordOf(review, end);
    this.restore(id, record);
    const noted = { ...attempt, outcome: withWarnings(outcome, notes) };
    // One that was stopped is reviewed when the run is resumed, after its work was done once more.
    const { failure } = end;
    if (failure !== null && isStop(failure) && review.blocks)
      return { ...noted, outcome: withFailure(noted.outcome, failure) };
    return judgedBy(noted, record);
  }

  async #execute(attempt: Attempt, review: ReviewRequest): Promise<Ended> {
    const { workstream, context, workspace, changes, number, outcome } = attempt;
    const { workspaces, toolsOf, logFolder } = this.#parts;
    const { circuit, budget, limits } = this.#ledgers;
    const refusal = circuit.refusal(review.tool) ?? budget.refusal();
    if (refusal !== null) return notBegun(number, describeFailure(refusal));
    if (workspace === null || changes === null) return notBegun(number, NO_WORKTREE);
    const copy = await workspaces.copyForReview(workspace, DIFF_LENGTH);
    if (isFailure(copy)) return notBegun(number, describeFailure(copy));
    const reviewing = reviewWorkstream(workstream, review, changes, copy);
    const choice = limits.choose(toolsOf(context.agent, reviewing, review.tool));
    if (!('tools' in choice))
      return notBegun(
        number,
        `${review.tool} waits for its usage limit.`,
        await workspaces.discardCopy(copy),
      );
    const executed = await this.#attempts.execute(reviewing, context, copy.workspace, {
      attempt: number,
      tools: choice.tools,
      logFile: `${logFolder}/${workstream.id}${number === 1 ? '' : `.${number}`}.review.log`,
      spentUsd: (costOf(reportsOf(outcome)).knownUsd ?? 0) + this.spentUsd(workstream.id),
    });
    const notes = await workspaces.discardCopy(copy);
    const { failure, durationSeconds, logFile } = whenInterrupted(executed, context.interruption());
    const [report = null] = reportsOf(executed);
    if (report !== null) this.#account(report, choice.tools);
    circuit.record(report?.tool ?? review.tool, failure);
    const problem = failure === null ? null : describeFailure(failure);
    return { end: { attempt: number, failure, problem, report, durationSeconds, logFile }, notes };
  }

  /** A usage limit is waited for by whoever starts the tool next: the review is not made again. */
  #account({ tool, costUsd, limit, toolCalls }: ToolReport, tools: Record<string, ToolSettings>): void {
    const { budget, limits } = this.#ledgers;
    budget.spend(costUsd ?? 0);
    limits.spend(tool, costUsd ?? 0);
    const settings = Object.values(tools).find(({ name }) => name === tool);
    if (settings === undefined || limit === null || limit.class === 'cap' || limit.class === 'auth') return;
    limits.met(settings, { ...limit, class: limit.class }, (toolCalls ?? 0) > 0);
  }
}

/** The attempt with what follows from its review. */
function judgedBy(attempt: Attempt, record: ReviewRecord): Attempt {
  const outcome = withWarnings(attempt.outcome, warningsOf(record));
  const refusal = refusalAfter(record);
  return { ...attempt, outcome: refusal === null ? outcome : withFailure(outcome, refusal) };
}

const NO_WORKTREE = 'It worked in the shared folder, of which there is no copy.';

const notBegun = (attempt: number, problem: string, notes: string[] = []): Ended => ({
  end: { attempt, failure: null, problem, report: null, durationSeconds: 0, logFile: null },
  notes,
});
