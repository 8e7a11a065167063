/**
 * The main loop of a run, on the main thread: assigns ready workstreams to free agents, takes their results as they
 * arrive, and goes on until every workstream has its final status.
 */
import { setMaxListeners } from 'node:events';
import type { BatchOutcome, EngineMessage } from '../domain/engine.ts';
import type { Failure } from '../domain/failure.ts';
import { describeFailure } from '../domain/failure-message.ts';
import type { Inheritance } from '../domain/history/earlier-run.ts';
import type { Plan } from '../domain/plan.ts';
import type { EventOf, RunEvent } from '../domain/run-event.ts';
import type { Workload } from '../domain/scaling.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { ReadyQueue } from '../plan/ready-queue.ts';
import type { Reserving } from '../plan/reservations.ts';
import { isoTimestamp, plural } from '../text/format.ts';
import type { AgentContext } from './attempt/attempt-runner.ts';
import type { Interruption } from './attempt/outcome.ts';
import { markedDoneResult } from './attempt/result.ts';
import type { AttemptEnd, WorkstreamRunner } from './attempt/workstream-runner.ts';
import { type BatchStart, Dispatcher, type Eligibility, type SingleStart } from './dispatcher.ts';
import { type FinalResult, FinalResults } from './final-results.ts';
import type { Journal } from './journal.ts';
import { SpeedMeter } from './speed-meter.ts';

/** The answer of a person at the terminal about a workstream. */
export type Decision = 'run' | 'skip' | 'done' | 'quit';

/** After how many failures nothing more is started. */
export interface FailFast {
  failures: number;
  /** As it was given: a number or a percentage. */
  given: string;
}

export interface CoordinatorParts {
  runId: string;
  plan: Plan;
  /** Names of the agents to start with, in order; those that come later are called agent-N. */
  agents: readonly string[];
  runner: WorkstreamRunner;
  ready: ReadyQueue;
  journal: Journal;
  /** Admits workstreams beside those of other runs; `ready` asks it. */
  gate: { idle(): void; onFree(listener: () => void): void; readonly isWaiting: boolean };
  /** How long the run may wait for usage limits with nothing else to do, in seconds; null for as long as it takes. */
  maxWaitSeconds: number | null;
  /** Aborted, by any part of the run, with the error that ends the run because results can't be recorded. */
  failure: AbortController;
  /** Dependencies that are not part of this run, and whether they count as met. */
  outside: ReadonlyMap<string, boolean>;
  /** Results, attempts and costs of earlier sessions. */
  inheritance: Inheritance;
  /**
   * Whether each start is committed before the workstream is executed, and not only within 20 ms, so that the database
   * says what was running if this process dies.
   */
  commitStarts: boolean;
  /** Whether agents are on other machines: a workstream is queued there, and begins when its engine reports that. */
  areRemote: boolean;
  /** What workstreams reserve, as `ready` has it; null where none does. */
  reserving: Reserving | null;
  /** When nothing more is started because of failures; null for never. */
  failFast: FailFast | null;
  /** Asked before each workstream; null to run them all. */
  ask: ((workstream: Workstream, signal: AbortSignal) => Promise<Decision>) | null;
}

export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #results: FinalResults;
  readonly #meter: SpeedMeter;
  readonly #cancel = new AbortController();
  readonly #dispatcher: Dispatcher;
  /** Index of each workstream, by its id; made when it is first needed. */
  #indices: Map<string, number> | null = null;
  /** By agent; made when it gets its first workstream. */
  readonly #contexts: AgentContext[] = [];
  /** Of workstreams that wait for their next attempt. */
  readonly #retries = new RetryTimers();
  #interruption: Interruption | null = null;
  /** What the run would have had to wait for longer than it may; null where that is not so. */
  #unawaited: { tool: string; until: number; why: string } | null = null;
  /** Whether so many have failed that nothing more is started. */
  #isFailingFast = false;
  /** Whether the loop is over: nothing is running, and nothing will be started. */
  #hasEnded = false;
  /** Whether something has happened that the loop has not seen. */
  #hasNews = false;
  #resume: () => void = () => undefined;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    const { runId, plan, journal, outside, inheritance, runner, ready } = parts;
    this.#meter = new SpeedMeter(plan.workstreams, parts.reserving);
    for (const result of inheritance.kept) this.#meter.addEarlier(result);
    this.#results = new FinalResults({
      runId,
      plan,
      journal,
      outside,
      inheritance,
      earlierAttempts: (id) => runner.earlierAttempts(id),
      limitWaits: (id) => runner.limitWaits(id),
      refusal: (workstream) => runner.certainRefusal(workstream),
      onReady: (indices) => this.#makeReady(indices),
    });
    // A workstream of a batch may be returned unstarted, which a person can't be asked about twice.
    const mayBatch = parts.ask === null && !parts.commitStarts;
    this.#dispatcher = new Dispatcher({
      ready,
      agents: parts.agents.length,
      eligibility: (index, agent) => this.#eligibility(index, agent),
      // All of a batch would reserve at once what only one of them uses at a time.
      mayBatch: mayBatch
        ? (index) => runner.mayBatch(this.#workstream(index)) && !ready.reserves(index)
        : null,
    });
    // Each running workstream listens, and that is no leak.
    setMaxListeners(0, this.#cancel.signal);
    parts.gate.onFree(() => this.#retry());
    runner.limits.onFree(() => this.#retry());
    parts.failure.signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  get interruption(): Interruption | null {
    return this.#interruption;
  }

  /** Whether workstreams were left for another session although the run was not interrupted. */
  get haveLeft(): boolean {
    return this.#results.haveLeft;
  }

  /** The usage limit that the run was not to wait for, with all that was left; null where that is not so. */
  get unawaited(): { tool: string; until: string } | null {
    const limit = this.#unawaited;
    return limit === null ? null : { tool: limit.tool, until: isoTimestamp(limit.until) };
  }

  get meter(): SpeedMeter {
    return this.#meter;
  }

  /** All of the workload but what only the engine knows. */
  get workload(): Omit<Workload, 'inChildren'> {
    const { workload } = this.#dispatcher;
    return this.#cancel.signal.aborted ? { ...workload, waiting: 0 } : workload;
  }

  /** From now on the first `agents` agents take workstreams; the others finish those that they have. */
  resize(agents: number): void {
    this.#dispatcher.resize(agents);
    this.#wake();
  }

  /**
   * Starts nothing more, stops what is running, and lets `run` end with the rest skipped as interrupted.
   * Idempotent: the first interruption counts, and none does after the last result.
   */
  interrupt(interruption: Interruption): void {
    if (this.#interruption !== null || this.#hasEnded) return;
    this.#interruption = interruption;
    this.#parts.journal.publish({
      type: 'interrupting',
      signal: interruption.by,
      running: this.#dispatcher.assigned,
    });
    this.#stop();
  }

  /** Resolves when every workstream has its final row. Rejects only when results can't be recorded. */
  async run(): Promise<void> {
    for (const index of this.#results.settleKnown()) this.#parts.ready.add(index);
    for (;;) {
      this.#failFast();
      if (!this.#isEnding) this.#startAll();
      if (this.#dispatcher.assigned === 0) {
        this.#parts.gate.idle();
        const isWaiting = !this.#isEnding && this.#parts.ready.isWaiting;
        if (this.#retries.size === 0 && (!isWaiting || this.#waitsTooLong())) break;
      }
      await this.#news();
    }
    this.#hasEnded = true;
    this.#parts.runner.limits.close();
    this.#parts.failure.signal.throwIfAborted();
    this.#results.skipTheRest(this.#whyTheRestIsSkipped());
    await this.#parts.runner.keepUnfinished();
    await this.#parts.journal.flush();
  }

  /** Whether all that is left waits for usage limits, the first of which passes later than the run may wait. */
  #waitsTooLong(): boolean {
    const { maxWaitSeconds, gate, runner } = this.#parts;
    if (maxWaitSeconds === null || gate.isWaiting) return false;
    const first = runner.limits.firstToReset();
    if (first === null || runner.limits.millisecondsUntil(first.until) <= maxWaitSeconds * 1000) return false;
    this.#unawaited = first;
    return true;
  }

  /** Where enough have failed, what waits for its next attempt is not tried again. What is running goes on to its end. */
  #failFast(): void {
    const { failFast, journal } = this.#parts;
    if (failFast === null || this.#isFailingFast || this.#results.failed < failFast.failures) return;
    this.#isFailingFast = true;
    this.#retries.clear();
    const text = `${plural(this.#results.failed, 'workstream')} failed, so nothing more is started (--fail-fast=${failFast.given}). What is running goes on to its end.`;
    journal.publish({ type: 'notice', level: 'warn', text, workstreamId: null });
  }

  #whyTheRestIsSkipped(): Failure | null {
    const { failFast } = this.#parts;
    if (this.#interruption !== null) return { reason: 'interrupted', detail: this.#interruption.detail };
    if (this.#unawaited !== null) {
      const { tool, why, until } = this.#unawaited;
      return { reason: 'usage-limit', tool, detail: why, tail: '', log: null, resetsAt: isoTimestamp(until) };
    }
    if (failFast === null || !this.#isFailingFast) return null;
    return { reason: 'fail-fast', failed: this.#results.failed, limit: failFast.given };
  }

  /** Lets the loop go round once more. */
  #wake(): void {
    this.#hasNews = true;
    this.#resume();
  }

  /** Resolves when `wake` was called, perhaps before. */
  async #news(): Promise<void> {
    if (!this.#hasNews)
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    this.#hasNews = false;
  }

  /** Other runs may have released what this one waits for. */
  #retry(): void {
    this.#parts.ready.retry();
    this.#wake();
  }

  get #isEnding(): boolean {
    return this.#interruption !== null || this.#isFailingFast || this.#parts.failure.signal.aborted;
  }

  #stop(): void {
    this.#cancel.abort('interrupted');
    this.#retries.clear();
    this.#wake();
  }

  /** Leaves what the agent's tool can't do any more to an agent whose tool can. */
  #eligibility(index: number, agent: number): Eligibility {
    const { ready, runner } = this.#parts;
    const workstream = this.#workstream(index);
    const refusal = runner.refusal(agent, workstream);
    if (refusal === null && runner.chooseTools(agent, workstream)) return MAY_START;
    if (refusal === null) return { verdict: workstream.parallelOk ? 'pass' : 'wait' };
    const all = Array.from({ length: this.#dispatcher.agents }, (_, other) => other);
    const others = all.some(
      (other) => other !== agent && ready.isFor(index, other) && runner.refusal(other, workstream) === null,
    );
    if (!others) return { verdict: 'take', refusal };
    return { verdict: workstream.parallelOk ? 'pass' : 'wait' };
  }

  #startAll(): void {
    for (const start of this.#dispatcher.dispatch()) {
      if (start.type === 'batch') void this.#startBatch(start);
      else void this.#startSingle(start);
    }
  }

  async #startSingle(start: SingleStart): Promise<void> {
    try {
      await this.#decideAndExecute(start);
    } catch (error) {
      this.#parts.failure.abort(error);
    }
    this.#parts.runner.release(this.#workstream(start.index));
    this.#dispatcher.release(start.agent, start.index);
    this.#wake();
  }

  async #decideAndExecute(start: SingleStart): Promise<void> {
    const { ask, runId } = this.#parts;
    const { index, refusal } = start;
    const workstream = this.#workstream(index);
    const decision = ask === null ? 'run' : await ask(workstream, this.#cancel.signal);
    if (this.#cancel.signal.aborted) return;
    switch (decision) {
      case 'run':
        return refusal === null ? this.#execute(start, workstream) : this.#skip(index, workstream, refusal);
      case 'skip':
        return this.#skip(index, workstream, { reason: 'skipped-by-user' });
      case 'done':
        return this.#results.record(index, markedDoneResult(runId, workstream));
      case 'quit':
        return this.interrupt({ by: 'quit', detail: 'the person at the terminal quit' });
    }
  }

  #skip(index: number, workstream: Workstream, failure: Failure): void {
    this.#results.record(index, this.#results.skipped(workstream, failure));
  }

  async #execute({ agent, index }: SingleStart, workstream: Workstream): Promise<void> {
    const { runner, commitStarts, journal } = this.#parts;
    const context = this.#context(agent);
    const earlier = await runner.takeOver(workstream, context);
    if (earlier !== null) return this.#results.record(index, earlier);
    if (this.#cancel.signal.aborted) return;
    journal.publish(this.#startEvent(index, context, this.#parts.areRemote, isoTimestamp(Date.now())));
    if (commitStarts) journal.commit();
    const finals: FinalResult[] = [];
    this.#follow(index, context, await runner.attempt(workstream, context), finals);
    this.#results.recordAll(finals);
  }

  /** Never rejects. What its agent did not start soon may be taken by any agent. */
  async #startBatch({ agent, indices, queued }: BatchStart): Promise<void> {
    const { runner, journal, failure } = this.#parts;
    const context = this.#context(agent);
    const batch: OpenBatch = { context, indices, isOpen: new Uint8Array(indices.length).fill(1) };
    const isQueued = (position: number): boolean => queued || position > 0;
    try {
      const now = isoTimestamp(Date.now());
      journal.publishAll(indices.map((index, at) => this.#startEvent(index, context, isQueued(at), now)));
      const workstreams = indices.map((index) => this.#workstream(index));
      await runner.executeBatch(workstreams, context, {
        onOutcomes: (outcomes) => this.#take(batch, outcomes),
        onReturned: (positions) => this.#giveBack(batch, positions),
        onBegun: (position, at) => {
          if (isQueued(position)) this.#publishBegun(indices[position] ?? -1, context, at);
        },
      });
    } catch (error) {
      failure.abort(error);
    }
    this.#giveBack(batch, [...batch.isOpen.keys()]);
  }

  /** Never throws: the engine calls it. */
  #publishBegun(index: number, context: AgentContext, at: number): void {
    const { journal, failure } = this.#parts;
    try {
      const { queued: _, ...start } = this.#startEvent(index, context, true, isoTimestamp(at));
      journal.publish({ ...start, type: 'workstream-begun' });
    } catch (error) {
      failure.abort(error);
    }
  }

  /** Never throws: the engine calls it. */
  #take({ context, indices, isOpen }: OpenBatch, outcomes: readonly BatchOutcome[]): void {
    const { runner, failure } = this.#parts;
    const finals: FinalResult[] = [];
    try {
      for (const { index: position, outcome } of outcomes) {
        const index = indices[position] ?? -1;
        const end = runner.concludeMember(this.#workstream(index), context, outcome);
        this.#follow(index, context, end, finals);
      }
      this.#results.recordAll(finals);
    } catch (error) {
      failure.abort(error);
    }
    for (const { index: position } of outcomes) {
      isOpen[position] = 0;
      this.#dispatcher.release(context.agent, indices[position] ?? -1);
    }
    this.#wake();
  }

  /** Gives back those at these positions that have no outcome. Never throws: the engine calls it. */
  #giveBack({ context, indices, isOpen }: OpenBatch, positions: readonly number[]): void {
    const left = positions.filter((position) => isOpen[position] === 1);
    for (const position of left) isOpen[position] = 0;
    const returned = left.map((position) => indices[position] ?? -1);
    try {
      this.#publishReady(returned);
    } catch (error) {
      this.#parts.failure.abort(error);
    }
    for (const index of returned) this.#dispatcher.giveBack(context.agent, index);
    this.#wake();
  }

  /** Adds the final result to `finals`, or has another attempt follow. */
  #follow(index: number, context: AgentContext, end: AttemptEnd, finals: FinalResult[]): void {
    if (end.type === 'retry') return this.#retryLater(index, context, end);
    if (end.type === 'parked') return this.#park(index);
    const { outcome, result } = end;
    this.#dispatcher.addDuration(outcome.durationSeconds);
    this.#meter.add(index, outcome, result.metadata.earlierAttempts);
    finals.push({ index, result });
  }

  #context(agent: number): AgentContext {
    const { journal } = this.#parts;
    const agentId = this.#agentId(agent);
    return (this.#contexts[agent] ??= {
      agent,
      agentId,
      signal: this.#cancel.signal,
      interruption: () => this.#interruption,
      onMessage: (workstreamId, message) => {
        if (message.type === 'progress') this.#parts.runner.limits.answered(workstreamId);
        if (message.type === 'began') this.#begunElsewhere(workstreamId, agent, message);
        else forwardEngineMessage(journal, message, agentId, workstreamId);
      },
    });
  }

  #begunElsewhere(
    workstreamId: string,
    agent: number,
    { agentId, at }: Extract<EngineMessage, { type: 'began' }>,
  ): void {
    this.#indices ??= new Map(this.#parts.plan.workstreams.map(({ id }, index) => [id, index]));
    const index = this.#indices.get(workstreamId) ?? -1;
    this.#publishBegun(index, { ...this.#context(agent), agentId }, at);
  }

  #startEvent(
    index: number,
    { agentId }: AgentContext,
    queued: boolean,
    at: string,
  ): EventOf<'workstream-started'> {
    const { plan, runner } = this.#parts;
    const { id, title } = this.#workstream(index);
    return {
      type: 'workstream-started',
      workstreamId: id,
      title,
      agentId,
      attempt: runner.nextAttempt(id),
      queued,
      at,
      expectedSeconds: plan.known > 0 ? (plan.expectedSeconds[index] ?? null) : null,
    };
  }

  /** During the pause the agent is free, and so is what the workstream had locked. */
  #retryLater(
    index: number,
    { agentId }: AgentContext,
    { attempt, failure, afterSeconds }: Extract<AttemptEnd, { type: 'retry' }>,
  ): void {
    this.#parts.journal.publish({
      type: 'workstream-retrying',
      workstreamId: this.#workstream(index).id,
      agentId,
      attempt,
      reason: failure.reason,
      explanation: describeFailure(failure),
      afterSeconds,
    });
    if (this.#cancel.signal.aborted || this.#isFailingFast) return;
    this.#retries.add(afterSeconds, () => {
      this.#makeReady([index]);
      this.#wake();
    });
  }

  /** It is ready again once its agent has released it; what decides when it is started is the limit of its tool. */
  #park(index: number): void {
    if (this.#cancel.signal.aborted || this.#isFailingFast) return;
    this.#retries.add(0, () => {
      this.#makeReady([index]);
      this.#wake();
    });
  }

  #makeReady(indices: readonly number[]): void {
    for (const index of indices) this.#parts.ready.add(index);
    this.#publishReady(indices);
  }

  #publishReady(indices: readonly number[]): void {
    const eventOf = (index: number): RunEvent => ({
      type: 'workstream-ready',
      workstreamId: this.#workstream(index).id,
    });
    this.#parts.journal.publishAll(indices.map(eventOf));
  }

  #workstream(index: number): Workstream {
    const workstream = this.#parts.plan.workstreams[index];
    if (workstream === undefined) throw new RangeError(`there is no workstream ${index} in the plan`);
    return workstream;
  }

  #agentId(agent: number): string {
    return this.#parts.agents[agent] ?? `agent-${agent + 1}`;
  }
}

/** What an agent was given at once. */
interface OpenBatch {
  context: AgentContext;
  /** Of the workstreams, by position. */
  indices: readonly number[];
  /** By position: 1 for a workstream that has no outcome and was not given back. */
  isOpen: Uint8Array;
}

const MAY_START: Eligibility = { verdict: 'take', refusal: null };

/** Publishes what an engine reports of a running workstream. */
function forwardEngineMessage(
  journal: Journal,
  message: Exclude<EngineMessage, { type: 'began' }>,
  agentId: string,
  workstreamId: string,
): void {
  switch (message.type) {
    case 'progress':
      return journal.publish({
        type: 'workstream-progress',
        workstreamId,
        agentId,
        fraction: message.fraction,
        text: message.text,
      });
    case 'log':
      return journal.publish({ type: 'workstream-log', workstreamId, agentId, line: message.line });
    case 'replaced':
      return journal.publish({ type: 'agent-replaced', agentId, why: message.why });
  }
}

/** Timers that are all stopped together. */
class RetryTimers {
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Number of timers that have not fired. */
  get size(): number {
    return this.#timers.size;
  }

  /** Calls `then` after so many seconds, unless `clear` comes first; never at once. */
  add(seconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, seconds * 1000);
    this.#timers.add(timer);
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
