/** What becomes of a workstream in the hand of an agent: attempts, and what follows from the last of them. */
import type { AgentResult } from '../../domain/agent-result.ts';
import type { AttemptRecord, Candidate } from '../../domain/attempt.ts';
import type { Merge } from '../../domain/changes.ts';
import type { Inheritance } from '../../domain/earlier-run.ts';
import { describeFailure } from '../../domain/failure-message.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Outcome, StepResult } from '../../domain/outcome.ts';
import type { ToolSettings } from '../../domain/tool.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { canBatch } from '../batch-sizer.ts';
import { AttemptHistory, attemptRecord } from './attempt-history.ts';
import {
  type Attempt,
  AttemptRunner,
  type RunLedgers,
  type AttemptRunnerParts,
  reportsOf,
  type AttemptRequest,
  type AttemptPlan,
} from './attempt-runner.ts';
import { candidateFacts, chooseBest } from './best-of.ts';
import { Budget, costOf, usesTool } from './budget.ts';
import { withFailure, withWarnings } from './outcome.ts';
import { type ExecutedAttempt, executedResult } from './result.ts';
import { decideRetry, type RetryDecision } from './retry.ts';
import { ToolCircuit } from './tool-circuit.ts';

export interface WorkstreamRunnerParts extends AttemptRunnerParts {
  /**
   * How an agent calls the tools of a workstream, by the names that its steps use; `tool` is the one for all of them.
   */
  toolsOf: (agent: number, workstream: Workstream, tool?: string) => Record<string, ToolSettings>;
  /** Tools that are each given every workstream with a tool step; empty for the one it names. */
  bestOf: readonly string[];
  /** US dollars that the run may cost; null for no limit. */
  maxCostUsd: number | null;
  /** Failures of a tool in a row that end its use; 0 for never. */
  toolCircuit: number;
  /** What the run has from before. */
  inheritance: Pick<Inheritance, 'attempts' | 'spentUsd'>;
}

/** The end of an attempt: the final result, or another attempt after a pause. */
export type AttemptEnd =
  | { result: AgentResult; outcome: Outcome }
  | { result: null; attempt: number; failure: Failure; afterSeconds: number };

/** What follows from the attempt that counts. */
type Aftermath = Pick<ExecutedAttempt, 'merge' | 'compensation' | 'gaveUp' | 'candidates'>;

export class WorkstreamRunner {
  readonly #parts: WorkstreamRunnerParts;
  readonly #ledgers: RunLedgers;
  readonly #maker: AttemptRunner;

  constructor(parts: WorkstreamRunnerParts) {
    this.#parts = parts;
    this.#ledgers = {
      history: new AttemptHistory(),
      budget: new Budget(parts.maxCostUsd),
      circuit: new ToolCircuit(parts.toolCircuit),
    };
    this.#maker = new AttemptRunner(parts, this.#ledgers);
    this.#inherit(parts);
  }

  /** Of a competition every candidate is made anew. */
  #inherit({ inheritance, bestOf }: WorkstreamRunnerParts): void {
    this.#ledgers.budget.spend(inheritance.spentUsd);
    if (bestOf.length > 0) return;
    for (const [id, records] of inheritance.attempts) this.#ledgers.history.restore(id, records);
  }

  /** Which attempt the next one is, counted from 1. */
  nextAttempt(workstreamId: string): number {
    return this.#ledgers.history.next(workstreamId);
  }

  /** The failed attempts of a workstream that has no result yet. */
  earlierAttempts(workstreamId: string): readonly AttemptRecord[] {
    return this.#ledgers.history.of(workstreamId);
  }

  /** Why this agent is not to start a workstream at all; null when it may. */
  refusal(agent: number, workstream: Workstream): Failure | null {
    const { circuit, budget } = this.#ledgers;
    const tools = Object.values(this.#parts.toolsOf(agent, workstream));
    if (tools.length === 0) return null;
    const refused = tools.map(({ name }) => circuit.refusal(name)).find((refusal) => refusal !== null);
    return refused ?? budget.refusal();
  }

  /** Why no agent will ever start a workstream in this run; null where one may. */
  certainRefusal(workstream: Workstream): Failure | null {
    return this.#ledgers.budget.refusalOf(workstream);
  }

  /** Never rejects because of what a workstream, a tool or a repository did. */
  async attempt(task: AttemptRequest): Promise<AttemptEnd> {
    if (this.#parts.bestOf.length > 0 && usesTool(task.workstream)) return this.#compete(task);
    return this.#conclude(await this.#maker.run(task, this.#work(task)));
  }

  /** Whether `lineUp` is for it. */
  mayWait(workstream: Workstream): boolean {
    return canBatch(workstream, this.#parts.limits.timeoutSeconds);
  }

  /** As `attempt`, behind what the agent has in hand; null when it was not begun soon: then nothing has happened. */
  async lineUp(task: AttemptRequest): Promise<AttemptEnd | null> {
    const attempt = await this.#maker.lineUp(task, this.#work(task));
    return attempt === null ? null : this.#conclude(attempt);
  }

  #work({ workstream, agent }: AttemptRequest): AttemptPlan {
    const number = this.nextAttempt(workstream.id);
    const tools = this.#parts.toolsOf(agent, workstream);
    return { number, tools, logName: number === 1 ? workstream.id : `${workstream.id}.${number}` };
  }

  async #conclude(made: Attempt): Promise<AttemptEnd> {
    const { attempt, merge } = await this.#accept(made);
    const { failure } = attempt.outcome;
    if (failure === null) return this.#complete(attempt, merge, []);
    const decision = this.#decide(attempt, failure);
    if (!decision.again) return this.#giveUp(attempt, decision.gaveUp, []);
    await this.#close(attempt);
    return { result: null, attempt: attempt.number, failure, afterSeconds: decision.afterSeconds };
  }

  /** Gives the workstream to several tools in turn. The work of all is kept; that of the best counts. */
  async #compete(task: AttemptRequest): Promise<AttemptEnd> {
    const made = await this.#makeAll(task);
    const best = chooseBest(made.map(({ facts }) => facts));
    const chosen = made[best];
    if (chosen === undefined) throw new Error('there was no candidate');
    const candidates = made.map(({ facts }, index) => ({ ...facts, chosen: index === best }));
    const untried = this.#parts.bestOf.slice(made.length);
    chosen.attempt.outcome = withWarnings(
      chosen.attempt.outcome,
      untried.length === 0
        ? []
        : [`It was not given to ${untried.join(' and ')}: the run was interrupted, or no money was left.`],
    );
    for (const { attempt } of made.filter((each) => each !== chosen)) {
      this.#remember(attempt);
      await this.#close(attempt);
    }
    const { attempt, merge } = await this.#accept(await this.#choose(chosen.attempt));
    return attempt.outcome.failure === null
      ? this.#complete(attempt, merge, candidates)
      : this.#giveUp(attempt, null, candidates);
  }

  /** Each in a workspace of its own, as long as the run goes on and there is money. */
  async #makeAll(task: AttemptRequest): Promise<{ attempt: Attempt; facts: Omit<Candidate, 'chosen'> }[]> {
    const { workstream, agent, signal } = task;
    const { bestOf } = this.#parts;
    const limitUsd = workstream.maxCostUsd ?? Number.POSITIVE_INFINITY;
    const made: { attempt: Attempt; facts: Omit<Candidate, 'chosen'> }[] = [];
    for (const [index, tool] of bestOf.entries()) {
      const spentUsd = made.reduce((sum, { facts }) => sum + (facts.costUsd ?? 0), 0);
      const isSpent = spentUsd >= limitUsd || this.#ledgers.budget.refusal() !== null;
      if (index > 0 && (signal.aborted || isSpent)) break;
      const tools = this.#parts.toolsOf(agent, workstream, tool);
      const number = index + 1;
      const logName = `${workstream.id}.${[tool, ...repeated(bestOf, index)].join('.')}`;
      const attempt = await this.#maker.run(task, { number, tools, logName, spentUsd });
      made.push({ attempt, facts: candidateFacts(tool, number, attempt.outcome, attempt.changes) });
    }
    return made;
  }

  /** The workstream's branch is that of the candidate which was looked at last. What was judged is what counts. */
  async #choose(chosen: Attempt): Promise<Attempt> {
    const { workspace, outcome } = chosen;
    if (workspace === null || chosen.changes === null) return chosen;
    const changes = await this.#parts.workplaces.choose(workspace);
    if (changes === null) return chosen;
    if (!('reason' in changes)) return { ...chosen, changes };
    return { ...chosen, outcome: outcome.failure === null ? withFailure(outcome, changes) : outcome };
  }

  #remember({ task, number, outcome, changes }: Attempt): AttemptRecord {
    const { failure } = outcome;
    const record = attemptRecord(number, task.agentId, outcome, failure, changes);
    this.#ledgers.history.add(task.workstream.id, record, failure);
    return record;
  }

  #decide(attempt: Attempt, failure: Failure): RetryDecision {
    const { task, number, outcome, changes } = attempt;
    const { id, circuitBreaker, maxCostUsd } = task.workstream;
    const record = attemptRecord(number, task.agentId, outcome, failure, changes);
    const decision = decideRetry(circuitBreaker, [...this.earlierAttempts(id), record], maxCostUsd);
    if (decision.again) this.#remember(attempt);
    return decision;
  }

  /** Takes the work of an attempt that succeeded; where it could not be taken it has failed. */
  async #accept(attempt: Attempt): Promise<{ attempt: Attempt; merge: Merge | null }> {
    const { task, workspace, changes, outcome } = attempt;
    if (outcome.failure !== null || workspace === null) return { attempt, merge: null };
    const merge = await this.#parts.workplaces.accept(task.workstream, workspace, changes);
    if (merge === null || !('reason' in merge)) return { attempt, merge };
    return { attempt: { ...attempt, outcome: withFailure(outcome, merge) }, merge: null };
  }

  async #complete(attempt: Attempt, merge: Merge | null, candidates: Candidate[]): Promise<AttemptEnd> {
    return this.#end(await this.#close(attempt), { merge, gaveUp: null, compensation: [], candidates });
  }

  async #giveUp(attempt: Attempt, gaveUp: string | null, candidates: Candidate[]): Promise<AttemptEnd> {
    const { steps, warnings } = await this.#compensate(attempt);
    const warned = { ...attempt, outcome: withWarnings(attempt.outcome, warnings) };
    const aftermath = { merge: null, gaveUp, compensation: steps, candidates };
    return this.#end(await this.#close(warned), aftermath);
  }

  async #compensate({ task, number, workspace }: Attempt): Promise<Pick<Outcome, 'steps' | 'warnings'>> {
    const workstream = compensationOf(task.workstream, this.#parts.limits.timeoutSeconds);
    if (workstream === null || workspace === null || task.signal.aborted) return { steps: [], warnings: [] };
    const work = { number, tools: {}, logName: `${workstream.id}.compensation` };
    const { steps } = await this.#maker.execute({ ...task, workstream }, { ...workspace, setup: null }, work);
    return { steps, warnings: compensationWarnings(workstream, steps) };
  }

  async #close(attempt: Attempt): Promise<Attempt> {
    const { workspace, outcome } = attempt;
    if (workspace === null) return attempt;
    const notes = await this.#parts.workplaces.close(workspace);
    return notes.length === 0 ? attempt : { ...attempt, outcome: withWarnings(outcome, notes) };
  }

  #end({ task, outcome, changes }: Attempt, aftermath: Aftermath): AttemptEnd {
    const { workstream, agentId } = task;
    const known = withWarnings(outcome, this.#unknownCosts(workstream, outcome));
    const earlierAttempts = this.#ledgers.history.take(workstream.id);
    const { merge, compensation, gaveUp, candidates } = aftermath;
    const execution: ExecutedAttempt = {
      agentId,
      outcome: known,
      changes,
      earlierAttempts,
      merge,
      compensation,
      gaveUp,
      candidates,
    };
    return { result: executedResult(this.#parts.runId, workstream, execution), outcome: known };
  }

  /** A limit that can't be enforced has to be said. */
  #unknownCosts({ maxCostUsd }: Workstream, outcome: Outcome): string[] {
    if (maxCostUsd === null && this.#parts.maxCostUsd === null) return [];
    const { unknown } = costOf(reportsOf(outcome));
    return unknown.length === 0
      ? []
      : [`What ${unknown.join(' and ')} cost is not known and does not count.`];
  }
}

/** The number of a tool that is named a second time, so that each candidate has a log of its own. */
function repeated(tools: readonly string[], index: number): number[] {
  const before = tools.slice(0, index).filter((tool) => tool === tools[index]).length;
  return before === 0 ? [] : [before + 1];
}

/** Undoing what a workstream did that has failed for good. Pure. */

/**
 * The workstream whose steps undo what this one did, the last action first; null where it names none. Each action has
 * a limit of its own, so that one that hangs does not keep the others from being run.
 * @param limitSeconds for an action, where the workstream names none.
 */
function compensationOf(workstream: Workstream, limitSeconds: number): Workstream | null {
  if (workstream.compensation.length === 0) return null;
  const limit = workstream.timeoutSeconds ?? limitSeconds;
  const steps = workstream.compensation
    .toReversed()
    .map((step) => ({ ...step, timeoutSeconds: step.timeoutSeconds ?? limit }));
  // Room for each to be ended, which takes the grace.
  const timeoutSeconds = steps.reduce((sum, step) => sum + 2 * step.timeoutSeconds, 60);
  return { ...workstream, steps, timeoutSeconds, acceptanceTests: [], testGates: [], dependsOn: [] };
}

/** What was not undone, in a sentence each. */
function compensationWarnings(compensation: Workstream, results: readonly StepResult[]): string[] {
  const done = new Set(results.map(({ id }) => id));
  const left = compensation.steps.filter(({ id }) => !done.has(id)).map(({ id }) => id);
  return [
    ...results.flatMap(({ id, failure }) =>
      failure === null ? [] : [`Its ${id} failed: ${describeFailure(failure)}`],
    ),
    ...(left.length === 0 ? [] : [`Not run after it had failed: ${left.join(', ')}.`]),
  ];
}
