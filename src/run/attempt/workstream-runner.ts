/** Takes a workstream through its attempts, and does what follows from the last of them. */
import type { AgentResult, LimitWait } from '../../domain/agent-result.ts';
import type { AttemptRecord } from '../../domain/attempt.ts';
import type { BatchOptions } from '../../domain/engine.ts';
import type { Failure } from '../../domain/failure.ts';
import { describeFailure } from '../../domain/failure-message.ts';
import type { Inheritance } from '../../domain/history/earlier-run.ts';
import type { ResultCache } from '../../domain/history/result-cache.ts';
import type { Outcome, StepResult } from '../../domain/outcome.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import type { ToolSettings } from '../../domain/tool.ts';
import { sumKnown } from '../../domain/tool-report.ts';
import { copyOf, type Workstream } from '../../domain/workstream.ts';
import { isBatchable } from '../dispatcher.ts';
import { ToolLimits, type ToolLimitsParts } from '../tool-limits.ts';
import {
  type AgentContext,
  type Attempt,
  type AttemptFields,
  AttemptRunner,
  type AttemptRunnerParts,
} from './attempt-runner.ts';
import { CandidateRunner } from './candidate-runner.ts';
import {
  AttemptHistory,
  attemptRecord,
  Budget,
  costOf,
  type RunLedgers,
  ToolCircuit,
  usesTool,
} from './ledgers.ts';
import { reportsOf, withWarnings } from './outcome.ts';
import { executedResult, takenOverResult } from './result.ts';
import { decideRetry, goesOn, type RetryDecision } from './retry.ts';
import { Reviewer } from './reviewer.ts';
import { isLeftForLater, UnfinishedWork, type WorkBefore } from './unfinished-work.ts';

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
  /** Results of earlier runs; null where nothing is kept. */
  cache: ResultCache | null;
  /** How usage limits of tools are met. */
  toolLimits: Omit<ToolLimitsParts, 'circuit' | 'runId' | 'publish'>;
  /** Attempts, candidates, sessions of tools and costs of earlier sessions. */
  inheritance: Pick<Inheritance, 'attempts' | 'candidates' | 'reopened' | 'sessions' | 'spentUsd'>;
  publish: (event: RunEvent) => void;
}

/** How an attempt ended: with the final result, or with another attempt after a pause. */
export type AttemptEnd =
  | { type: 'final'; result: AgentResult; outcome: Outcome }
  | { type: 'retry'; attempt: number; failure: Failure; afterSeconds: number }
  /** It met a usage limit, and is executed again once that has passed. */
  | { type: 'parked' };

export class WorkstreamRunner {
  readonly #parts: WorkstreamRunnerParts;
  readonly #ledgers: RunLedgers;
  readonly #attempts: AttemptRunner;
  readonly #unfinished: UnfinishedWork;
  /** The tools that workstreams were given, which are to be started. */
  readonly #chosen = new Map<string, Record<string, ToolSettings>>();
  readonly #reviewer: Reviewer;
  /** Work whose reviewer waits for its usage limit, by workstream; without fields where it is that of candidates. */
  readonly #unreviewed = new Map<string, { attempt: Attempt; fields: AttemptFields | null }>();
  readonly #candidates: CandidateRunner;

  constructor(parts: WorkstreamRunnerParts) {
    this.#parts = parts;
    const circuit = new ToolCircuit(parts.toolCircuit);
    this.#ledgers = {
      history: new AttemptHistory(),
      budget: new Budget(parts.maxCostUsd),
      circuit,
      limits: new ToolLimits({
        ...parts.toolLimits,
        runId: parts.runId,
        publish: parts.publish,
        circuit: (tool) => circuit.refusal(tool),
      }),
    };
    this.#attempts = new AttemptRunner(parts, this.#ledgers);
    this.#unfinished = new UnfinishedWork({ ...parts, sessions: parts.inheritance.sessions }, this.#attempts);
    this.#reviewer = new Reviewer(parts, this.#attempts, this.#ledgers);
    this.#candidates = new CandidateRunner(
      { ...parts, logFile: (name) => this.#logFile(name), earlier: parts.inheritance.candidates },
      this.#attempts,
      this.#ledgers,
      this.#reviewer,
    );
    this.#inherit(parts);
  }

  /** Of a competition what its candidates did is known, and attempts before them where an earlier one was withdrawn. */
  #inherit({ inheritance, bestOf }: WorkstreamRunnerParts): void {
    const { attempts, candidates, reopened, spentUsd } = inheritance;
    this.#ledgers.budget.spend(spentUsd);
    for (const [id, records] of attempts) {
      if (bestOf.length > 0 && !reopened.has(id)) continue;
      const kept = new Set(candidates.get(id)?.map(({ candidate }) => candidate.facts.attempt));
      this.restore(
        id,
        records.filter(({ attempt }) => !kept.has(attempt)),
      );
    }
  }

  /** Number of the next attempt, from 1. */
  nextAttempt(workstreamId: string): number {
    return this.#ledgers.history.next(workstreamId);
  }

  /** The failed attempts of a workstream that has no result yet. */
  earlierAttempts(workstreamId: string): readonly AttemptRecord[] {
    return this.#ledgers.history.of(workstreamId);
  }

  /** Takes the attempts of a workstream whose result was withdrawn: they count as made before. */
  restore(workstreamId: string, records: readonly AttemptRecord[]): void {
    this.#ledgers.history.restore(workstreamId, records);
    if (this.#parts.bestOf.length > 0) this.#candidates.continueAfter(workstreamId, records);
  }

  /** Removes and returns the attempts of a workstream that has its result now, without another attempt. */
  takeAttempts(workstreamId: string): AttemptRecord[] {
    return this.#ledgers.history.take(workstreamId);
  }

  /** Why this agent may not start a workstream; null when it may. A competition needs one candidate that it may start. */
  refusal(agent: number, workstream: Workstream): Failure | null {
    // Its work is done: a reviewer that is not started any more gives no verdict, which is told by its result.
    if (!usesTool(workstream) || this.#unreviewed.has(workstream.id)) return null;
    const { limits, budget } = this.#ledgers;
    const { bestOf, toolsOf } = this.#parts;
    const names = bestOf.length === 0 ? [undefined] : bestOf;
    const refusals = names.map((name) => {
      const tools = Object.values(toolsOf(agent, workstream, name));
      return tools.map((settings) => limits.refusal(settings)).find((refusal) => refusal !== null) ?? null;
    });
    return refusals.includes(null) ? budget.refusal() : (refusals[0] ?? null);
  }

  /** The usage limits of tools in this run. */
  get limits(): ToolLimits {
    return this.#ledgers.limits;
  }

  /**
   * Whether usage limits let some agent start a workstream now. One that none will ever start may be taken.
   * @param agents how many there are.
   */
  mayStart(workstream: Workstream, agents: number): boolean {
    if (!this.#needsTool(workstream)) return true;
    for (let agent = 0; agent < agents; agent += 1) {
      if (this.refusal(agent, workstream) !== null || this.#choice(agent, workstream) !== null) return true;
    }
    return false;
  }

  /** Chooses the tools of a workstream that this agent is about to start; false where they wait for a usage limit. */
  chooseTools(agent: number, workstream: Workstream): boolean {
    if (!this.#needsTool(workstream)) return true;
    const tools = this.#choice(agent, workstream);
    if (tools === null) return false;
    this.#chosen.set(workstream.id, tools);
    if (this.#unreviewed.has(workstream.id)) this.#reviewer.grant(workstream.id, tools);
    this.limits.started(workstream.id, tools);
    return true;
  }

  /** The agent does not execute it any more, or did not begin to. */
  release({ id }: Pick<Workstream, 'id'>): void {
    if (!this.#chosen.delete(id)) return;
    this.limits.ended(id);
  }

  /** In a competition those that wait are left out, as long as one does not. */
  #choice(agent: number, workstream: Workstream): Record<string, ToolSettings> | null {
    const { bestOf, toolsOf } = this.#parts;
    const { id, review } = workstream;
    const names = bestOf.length === 0 ? [undefined] : bestOf;
    const given =
      review !== null && this.#unreviewed.has(id)
        ? [this.#reviewer.toolsFor(agent, workstream, review)]
        : names.map((name) => toolsOf(agent, workstream, name));
    for (const tools of given) {
      const choice = this.limits.choose(tools);
      if ('tools' in choice) return choice.tools;
    }
    return null;
  }

  #needsTool(workstream: Workstream): boolean {
    return usesTool(workstream) || this.#unreviewed.has(workstream.id);
  }

  /** Executions of a workstream without a result that met a usage limit. */
  limitWaits(workstreamId: string): readonly LimitWait[] {
    const waiting = this.#unreviewed.get(workstreamId);
    return waiting?.attempt.limitWaits ?? this.#unfinished.limitWaits(workstreamId);
  }

  /** Keeps what workstreams have done that are not executed any more in this process, whether or not the run is resumed. */
  async keepUnfinished(isResumed: boolean): Promise<void> {
    for (const { attempt, fields } of this.#unreviewed.values())
      if (fields !== null) this.#unfinished.goOn(attempt, fields, { why: UNREVIEWED, sameAttempt: true });
    await this.#candidates.closeAll();
    await this.#unfinished.keepAll(isResumed);
  }

  /** Why no agent will ever start a workstream in this run; null where one may. */
  certainRefusal(workstream: Workstream): Failure | null {
    return this.#ledgers.budget.refusalOf(workstream);
  }

  /** Whether a workstream may be in what `executeBatch` executes. */
  mayBatch(workstream: Workstream): boolean {
    const { engine, limits } = this.#parts;
    // Whether a result of it is taken over is decided one by one.
    if (workstream.cache !== null) return false;
    // On another machine those of a batch share a folder, and one may replace what another has made.
    if (engine.isRemote === true && workstream.outputs.length > 0) return false;
    return engine.executeBatch !== undefined && isBatchable(workstream, limits.timeoutSeconds);
  }

  /** The result of an earlier run, where nothing has changed since; null where the workstream has to be executed. */
  async takeOver(workstream: Workstream, { agent }: AgentContext): Promise<AgentResult | null> {
    const { cache, runId, toolsOf, outputsOf } = this.#parts;
    if (cache === null || workstream.cache === null || workstream.workspace === 'worktree') return null;
    const ids = workstream.dependsOn.map(({ id }) => id);
    const kept = await cache.takeOver({
      workstream,
      dependencies: ids.length === 0 ? {} : outputsOf(ids),
      tools: toolsOf(agent, workstream),
    });
    return kept === null ? null : takenOverResult(runId, workstream, kept);
  }

  /** Never rejects because of what a workstream, a tool or a repository did. */
  async attempt(workstream: Workstream, context: AgentContext): Promise<AttemptEnd> {
    const { id } = workstream;
    const waiting = this.#unreviewed.get(id);
    this.#unreviewed.delete(id);
    if (waiting === undefined) return this.#execute(workstream, context);
    if (waiting.fields === null) return this.#compete(workstream, context, waiting.attempt.limitWaits);
    return this.#judge({ ...waiting.attempt, context }, waiting.fields);
  }

  async #execute(workstream: Workstream, context: AgentContext): Promise<AttemptEnd> {
    if (this.#parts.bestOf.length > 0 && usesTool(workstream)) return this.#compete(workstream, context, []);
    const { id } = workstream;
    const tools = this.#chosen.get(id) ?? this.#parts.toolsOf(context.agent, workstream);
    const before = await this.#unfinished.take(workstream, context, this.nextAttempt(id));
    const fields = this.#fields(workstream, tools, before);
    const attempt = await this.#attempts.run(workstream, context, fields);
    attempt.limitWaits = before.limitWaits;
    attempt.outcome = withWarnings(attempt.outcome, before.notes);
    if (attempt.parked !== null) {
      await this.#unfinished.park(attempt, fields);
      return { type: 'parked' };
    }
    return this.#judge(attempt, fields);
  }

  /** Has the work of an attempt reviewed, and concludes it. */
  async #judge(attempt: Attempt, fields: AttemptFields): Promise<AttemptEnd> {
    const reviewed = await this.#reviewer.review(attempt);
    if (reviewed.parked !== null) return this.#awaitReview(reviewed, reviewed.parked, fields);
    return this.#keep(attempt.workstream, await this.#conclude(this.#accept(reviewed), fields));
  }

  /** Has a workstream wait for the usage limit of its reviewer, with its work as it is. */
  #awaitReview(attempt: Attempt, parked: LimitWait, fields: AttemptFields | null): AttemptEnd {
    // One that only found its reviewer waiting has met no limit itself.
    const limitWaits = parked.durationSeconds > 0 ? [...attempt.limitWaits, parked] : attempt.limitWaits;
    this.#unreviewed.set(attempt.workstream.id, {
      attempt: { ...attempt, limitWaits, parked: null },
      fields,
    });
    return { type: 'parked' };
  }

  /** Keeps the result for later runs before anything that depends on it may change its files. */
  async #keep(workstream: Workstream, end: AttemptEnd): Promise<AttemptEnd> {
    const { cache } = this.#parts;
    if (cache === null || workstream.cache === null || end.type !== 'final') return end;
    const use = await cache.keep(end.result);
    return { ...end, result: { ...end.result, metadata: { ...end.result.metadata, cache: use } } };
  }

  /** Executes a batch as the engine does; each outcome goes on with `concludeMember`. */
  executeBatch(
    workstreams: readonly Workstream[],
    context: AgentContext,
    listeners: Pick<BatchOptions, 'onOutcomes' | 'onReturned' | 'onBegun' | 'stops'>,
  ): Promise<readonly number[]> {
    const fieldsOf = (workstream: Workstream): AttemptFields => this.#fields(workstream, NO_TOOLS);
    return this.#attempts.executeBatch(workstreams, context, { fieldsOf, ...listeners });
  }

  /** What `attempt` resolves with, for a member of a batch. */
  concludeMember(workstream: Workstream, context: AgentContext, outcome: Outcome): AttemptEnd {
    const number = this.nextAttempt(workstream.id);
    const attempt = this.#attempts.attemptOf(workstream, context, number, outcome);
    if (attempt.outcome.failure === null) this.#parts.workspaces.acceptShared(workstream);
    return this.#end(attempt, this.#decide(attempt));
  }

  #fields(
    workstream: Workstream,
    tools: Record<string, ToolSettings>,
    before: WorkBefore | null = null,
  ): AttemptFields {
    const { id } = workstream;
    const attempt = this.nextAttempt(id);
    const name = attempt === 1 ? id : `${id}.${attempt}`;
    const reviewsUsd = this.#reviewer.spentUsd(id);
    if (before === null) return { attempt, tools, logFile: this.#logFile(name), spentUsd: reviewsUsd };
    const { limitWaits, goesOnWith } = before;
    // Each execution has a log of its own.
    const logFile = this.#logFile(limitWaits.length === 0 ? name : `${name}.again-${limitWaits.length}`);
    const spentUsd = reviewsUsd + (sumKnown(limitWaits.map(({ costUsd }) => costUsd)) ?? 0);
    const onSession = this.#unfinished.recorder(workstream, attempt);
    return { attempt, tools, logFile, spentUsd, goesOnWith, onSession };
  }

  #logFile(name: string): string {
    return `${this.#parts.logFolder}/${name}.log`;
  }

  async #conclude(attempt: Attempt, fields: AttemptFields): Promise<AttemptEnd> {
    const decision = this.#decide(attempt);
    const { workstream, workspace, outcome } = attempt;
    const { failure } = outcome;
    if (decision.again && failure !== null) {
      if (workspace !== null && goesOn(workstream.onRetry, this.earlierAttempts(workstream.id))) {
        this.#unfinished.goOn(attempt, fields, { why: failure, sameAttempt: false });
        return this.#end(attempt, decision);
      }
      this.#unfinished.beginAfresh(attempt);
    }
    if (isLeftForLater(attempt, fields)) return this.#end(attempt, decision);
    const undone = decision.again ? attempt : await this.#compensate(attempt);
    return this.#end(await this.#close(undone), decision);
  }

  /** Has several tools do the workstream. The work of all is kept; that of the best counts. */
  async #compete(
    workstream: Workstream,
    context: AgentContext,
    limitWaits: LimitWait[],
  ): Promise<AttemptEnd> {
    const winner = { ...(await this.#candidates.run(workstream, context)), limitWaits };
    if (winner.parked !== null) return this.#awaitReview(winner, winner.parked, null);
    const end = this.#end(await this.#close(await this.#compensate(this.#accept(winner))), LAST);
    return this.#keep(workstream, end);
  }

  #decide({ workstream, context, number, outcome, changes }: Attempt): RetryDecision {
    const { failure } = outcome;
    if (failure === null) return LAST;
    const { id, circuitBreaker, maxCostUsd } = workstream;
    const record = attemptRecord(number, context.agentId, outcome, failure, changes);
    const decision = decideRetry(circuitBreaker, [...this.earlierAttempts(id), record], maxCostUsd);
    if (decision.again) this.#ledgers.history.add(id, record, failure);
    return decision;
  }

  /** Accepts the work of an attempt that succeeded. */
  #accept(attempt: Attempt): Attempt {
    const { workstream, workspace, outcome } = attempt;
    if (outcome.failure !== null || workspace === null) return attempt;
    return { ...attempt, merge: this.#parts.workspaces.accept(workstream, workspace, attempt) };
  }

  /** Undoes what an attempt that failed for good has done, where the workstream says how. */
  async #compensate(attempt: Attempt): Promise<Attempt> {
    const { number, workspace, outcome } = attempt;
    if (outcome.failure === null) return attempt;
    // What was stopped by itself is undone too, and then in its own time.
    const context = { ...attempt.context, signal: attempt.context.runSignal };
    const workstream = compensationOf(attempt.workstream, this.#parts.limits.timeoutSeconds);
    if (workstream === null || workspace === null || context.signal.aborted) return attempt;
    const { steps } = await this.#attempts.execute(
      workstream,
      context,
      { ...workspace, setup: null },
      {
        attempt: number,
        tools: NO_TOOLS,
        logFile: this.#logFile(`${workstream.id}.compensation`),
      },
    );
    const warnings = compensationWarnings(workstream, steps);
    return { ...attempt, outcome: withWarnings(outcome, warnings), compensation: steps };
  }

  async #close(attempt: Attempt): Promise<Attempt> {
    const { workspace, outcome } = attempt;
    if (workspace === null) return attempt;
    const notes = await this.#parts.workspaces.close(workspace);
    return notes.length === 0 ? attempt : { ...attempt, outcome: withWarnings(outcome, notes) };
  }

  #end(attempt: Attempt, decision: RetryDecision): AttemptEnd {
    const { workstream, number } = attempt;
    const { failure } = attempt.outcome;
    this.#parts.cache?.forget();
    if (decision.again && failure !== null)
      return { type: 'retry', attempt: number, failure, afterSeconds: decision.afterSeconds };
    if (!decision.again) attempt.gaveUp = decision.gaveUp;
    attempt.outcome = withWarnings(attempt.outcome, this.#unknownCosts(workstream, attempt.outcome));
    const earlierAttempts = this.#ledgers.history.take(workstream.id);
    attempt.reviews = this.#reviewer.take(workstream.id);
    const result = executedResult(this.#parts.runId, attempt, earlierAttempts);
    return { type: 'final', result, outcome: attempt.outcome };
  }

  /** Warns where a limit can't be enforced. */
  #unknownCosts({ maxCostUsd }: Workstream, outcome: Outcome): string[] {
    if (maxCostUsd === null && this.#parts.maxCostUsd === null) return [];
    const { unknown } = costOf(reportsOf(outcome));
    return unknown.length === 0
      ? []
      : [`What ${unknown.join(' and ')} cost is not known and does not count.`];
  }
}

const UNREVIEWED: Failure = { reason: 'interrupted', detail: 'its reviewer waited for a usage limit' };
const NO_TOOLS: Record<string, ToolSettings> = {};
/** After an attempt that completed, and where no other was left. */
const LAST: RetryDecision = { again: false, gaveUp: null };

/**
 * A workstream whose steps undo what this one did, the last action first; null where it names none. Each action has a
 * limit of its own, so that one that hangs does not keep the others from being run.
 * @param limitSeconds for an action, where the workstream names none.
 */
function compensationOf(workstream: Workstream, limitSeconds: number): Workstream | null {
  if (workstream.compensation.length === 0) return null;
  const limit = workstream.timeoutSeconds ?? limitSeconds;
  const steps = workstream.compensation
    .toReversed()
    .map((step) => ({ ...step, timeoutSeconds: step.timeoutSeconds ?? limit }));
  // Time for each to be ended, which takes the grace.
  const timeoutSeconds = steps.reduce((sum, step) => sum + 2 * step.timeoutSeconds, 60);
  return copyOf(workstream, { steps, timeoutSeconds, acceptanceTests: [], testGates: [], dependsOn: [] });
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
