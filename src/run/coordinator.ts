/**
 * The main loop of a run, on the main thread: assigns ready workstreams to free agents, takes their results as they
 * arrive, and goes on until every workstream has its final status.
 */
import { setMaxListeners } from 'node:events';
import type { Failure } from '../domain/failure.ts';
import type { Inheritance } from '../domain/history/earlier-run.ts';
import type { Plan } from '../domain/plan.ts';
import type { Workload } from '../domain/scaling.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { ReadyQueue } from '../plan/ready-queue.ts';
import type { Reserving } from '../plan/reservations.ts';
import { isoTimestamp, plural } from '../text/format.ts';
import { AgentLending, type MergedTestGate } from './agent-lending.ts';
import type { AgentContext } from './attempt/attempt-runner.ts';
import type { Interruption } from './attempt/outcome.ts';
import { markedDoneResult } from './attempt/result.ts';
import type { AttemptEnd, WorkstreamRunner } from './attempt/workstream-runner.ts';
import { Dispatcher, type Eligibility, type SingleStart } from './dispatcher.ts';
import { type FinalResult, FinalResults } from './final-results.ts';
import type { Journal } from './journal.ts';
import type { MergeQueue } from './merge-queue.ts';
import type { LeaseAgent } from './merged-tests.ts';
import { OpenBatches } from './open-batches.ts';
import { SpeedMeter } from './speed-meter.ts';
import { WorkEvents } from './work-events.ts';
import {
  type ReopenOutcome,
  type StopOutcome,
  WorkstreamControl,
  type WorkstreamControlParts,
} from './workstream-control.ts';

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
  gate: MergedTestGate & { idle(): void; onFree(listener: () => void): void; readonly isWaiting: boolean };
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
  withdraw: WorkstreamControlParts['withdraw'];
  /**
   * Makes what merges accepted work, with the way to get an agent for its tests, and what to call when something has
   * ended; null where no workstream has a worktree.
   */
  merging: ((lease: LeaseAgent, onChange: () => void) => MergeQueue) | null;
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
  /** Null where nothing is merged. */
  readonly #merging: MergeQueue | null;
  readonly #lending: AgentLending;
  /** By agent; made when it gets its first workstream. */
  readonly #contexts: AgentContext[] = [];
  /** Of workstreams that wait for their next attempt. */
  readonly #retries = new RetryTimers();
  /** What stops each workstream that is executed by itself. */
  readonly #singles = new Map<number, AbortController>();
  readonly #batches: OpenBatches;
  readonly #events: WorkEvents;
  readonly #control: WorkstreamControl;
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
    const { plan, journal, runner, reserving, inheritance, gate, failure } = parts;
    this.#meter = new SpeedMeter(plan.workstreams, reserving);
    for (const result of inheritance.kept) this.#meter.addEarlier(result);
    this.#results = this.#makeResults();
    this.#dispatcher = this.#makeDispatcher();
    this.#lending = this.#makeLending();
    this.#events = new WorkEvents({ plan, journal, runner, failure });
    this.#batches = this.#makeBatches();
    this.#control = this.#makeControl();
    this.#merging =
      parts.merging?.(
        (hold) => this.#lending.ask(hold),
        () => this.#wake(),
      ) ?? null;
    // Each running workstream listens, and that is no leak.
    setMaxListeners(0, this.#cancel.signal);
    gate.onFree(() => this.#retry());
    runner.limits.onFree(() => this.#retry());
    failure.signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  #makeResults(): FinalResults {
    const { runId, plan, journal, outside, inheritance, runner, merging } = this.#parts;
    return new FinalResults({
      runId,
      plan,
      journal,
      outside,
      inheritance,
      earlierAttempts: (id) => runner.earlierAttempts(id),
      limitWaits: (id) => runner.limitWaits(id),
      refusal: (workstream) => runner.certainRefusal(workstream),
      onReady: (indices) => this.#makeReady(indices),
      onFinal: merging === null ? null : (result) => this.#merging?.take(result),
    });
  }

  #makeDispatcher(): Dispatcher {
    const { agents, runner, ready, ask, commitStarts } = this.#parts;
    // A workstream of a batch may be returned unstarted, which a person can't be asked about twice.
    const mayBatch = ask === null && !commitStarts;
    return new Dispatcher({
      ready,
      agents: agents.length,
      eligibility: (index, agent) => this.#eligibility(index, agent),
      // All of a batch would reserve at once what only one of them uses at a time.
      mayBatch: mayBatch
        ? (index) => runner.mayBatch(this.#workstream(index)) && !ready.reserves(index)
        : null,
    });
  }

  #makeLending(): AgentLending {
    const { ready, gate, failure } = this.#parts;
    return new AgentLending({
      dispatcher: this.#dispatcher,
      ready,
      gate,
      contextOf: (agent) => this.#context(agent),
      isFor: (index, agent) => ready.isFor(index, agent),
      failure,
      onChange: () => this.#wake(),
    });
  }

  #makeBatches(): OpenBatches {
    const { runner, failure } = this.#parts;
    return new OpenBatches({
      runner,
      dispatcher: this.#dispatcher,
      events: this.#events,
      failure,
      workstream: (index) => this.#workstream(index),
      contextOf: (agent) => this.#context(agent),
      follow: (index, context, end, finals) => this.#follow(index, context, end, finals),
      record: (finals) => this.#results.recordAll(finals),
      isStopped: (index) => this.#control.isStopped(index),
      recordStopped: (index) => void this.#control.endUnstarted(index),
      onChange: () => this.#wake(),
    });
  }

  #makeControl(): WorkstreamControl {
    const { runId, runner, ready, withdraw } = this.#parts;
    return new WorkstreamControl({
      runId,
      workstream: (index) => this.#workstream(index),
      runner,
      ready,
      results: this.#results,
      meter: this.#meter,
      executions: {
        has: (index) => this.#singles.has(index) || this.#batches.has(index),
        stop: (index) => this.#stopExecution(index),
      },
      endPause: (index) => this.#retries.remove(index),
      refusal: (index) => this.#refusalOfAll(index),
      withdraw,
      isOver: () => this.#isOver,
      isEnding: () => this.#isEnding,
      onChange: () => this.#wake(),
    });
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

  /** Quotas may have changed. */
  readQuotas(): void {
    this.#parts.ready.readQuotas();
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

  /**
   * Stops one workstream with the reason `cancelled`, and lets the others go on: one that is executed ends as at an
   * interruption, and its result follows; any other has failed at once.
   * @param by who asks, for the result.
   */
  stop(index: number, by: string): StopOutcome {
    return this.#control.stop(index, by);
  }

  /**
   * Withdraws the result of a workstream that failed, and those of the workstreams that were skipped for it: they are
   * ready or blocked again. What was known of the failure stays as an attempt; the limits of its circuit breaker do not
   * keep it from one attempt more. All of that is committed when this returns.
   * @throws what the store throws; then nothing has changed.
   */
  reopen(index: number, by: string): ReopenOutcome {
    return this.#control.reopen(index, by);
  }

  #stopExecution(index: number): void {
    this.#singles.get(index)?.abort('cancelled');
    this.#batches.stop(index);
  }

  /** Why no agent would start it; null where one would. */
  #refusalOfAll(index: number): Failure | null {
    const workstream = this.#workstream(index);
    let refusal: Failure | null = null;
    for (let agent = 0; agent < this.#dispatcher.agents; agent += 1) {
      if (!this.#parts.ready.isFor(index, agent)) continue;
      refusal = this.#parts.runner.refusal(agent, workstream);
      if (refusal === null) return null;
    }
    return refusal;
  }

  /** Whether what is asked for now has no effect any more. */
  get #isOver(): boolean {
    return this.#hasEnded || this.#interruption !== null || this.#parts.failure.signal.aborted;
  }

  /** Resolves when every workstream has its final row. Rejects only when results can't be recorded. */
  async run(): Promise<void> {
    for (const index of this.#results.settleKnown()) this.#parts.ready.add(index);
    this.#merging?.begin();
    for (;;) {
      this.#failFast();
      // What is merged is tested first, so that it is known early what breaks; one at a time.
      this.#lending.give();
      if (!this.#isEnding && !this.#lending.isDraining) this.#startAll();
      if (this.#dispatcher.assigned === 0) {
        this.#parts.gate.idle();
        const isWaiting = !this.#isEnding && this.#parts.ready.isWaiting;
        const isOver =
          this.#retries.size === 0 && !this.#lending.isDraining && (!isWaiting || this.#waitsTooLong());
        if (isOver && (this.#merging?.finish() ?? true)) break;
      }
      await this.#news();
    }
    this.#hasEnded = true;
    this.#parts.runner.limits.close();
    this.#parts.failure.signal.throwIfAborted();
    this.#results.skipTheRest(this.#whyTheRestIsSkipped());
    await this.#parts.runner.keepUnfinished(this.#interruption !== null || this.#unawaited !== null);
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
    this.#merging?.stop();
    this.#lending.close();
    this.#cancel.abort('interrupted');
    for (const single of this.#singles.values()) single.abort('interrupted');
    this.#retries.clear();
    this.#wake();
  }

  /** Leaves what the agent's tool can't do any more to an agent whose tool can. */
  #eligibility(index: number, agent: number): Eligibility {
    const { ready, runner } = this.#parts;
    const workstream = this.#workstream(index);
    // Its tests may use what it wants for itself.
    if (!workstream.parallelOk && this.#lending.given > 0) return { verdict: 'wait' };
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
      if (start.type === 'batch') void this.#batches.execute(start);
      else void this.#startSingle(start);
    }
    this.#lending.help();
  }

  async #startSingle(start: SingleStart): Promise<void> {
    const stop = new AbortController();
    this.#singles.set(start.index, stop);
    const isAlone = !this.#workstream(start.index).parallelOk;
    if (isAlone) this.#lending.withhold();
    try {
      await this.#decideAndExecute(start, stop.signal);
    } catch (error) {
      this.#parts.failure.abort(error);
    }
    this.#singles.delete(start.index);
    this.#parts.runner.release(this.#workstream(start.index));
    if (isAlone) this.#lending.permit();
    this.#dispatcher.release(start.agent, start.index);
    this.#wake();
  }

  async #decideAndExecute(start: SingleStart, signal: AbortSignal): Promise<void> {
    const { ask, runId } = this.#parts;
    const { index, refusal } = start;
    const workstream = this.#workstream(index);
    const decision = ask === null ? 'run' : await ask(workstream, signal);
    if (this.#isStoppedEarly(index)) return;
    switch (decision) {
      case 'run':
        return refusal === null
          ? this.#execute(start, workstream, signal)
          : this.#skip(index, workstream, refusal);
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

  /** Whether it was stopped before it began, by itself or with the run. */
  #isStoppedEarly(index: number): boolean {
    return this.#control.endUnstarted(index) || this.#cancel.signal.aborted;
  }

  async #execute({ agent, index }: SingleStart, workstream: Workstream, signal: AbortSignal): Promise<void> {
    const { runner, commitStarts, journal } = this.#parts;
    const context = this.#singleContext(agent, index, signal);
    const earlier = await runner.takeOver(workstream, context);
    if (earlier !== null) return this.#results.record(index, earlier);
    if (this.#isStoppedEarly(index)) return;
    this.#events.started([{ index, queued: this.#parts.areRemote }], context);
    if (commitStarts) journal.commit();
    const finals: FinalResult[] = [];
    this.#follow(index, context, await runner.attempt(workstream, context), finals);
    this.#results.recordAll(finals);
  }

  /** What reserves something, or has to be the only one of its kind, is executed once at a time: no other agent helps. */
  #singleContext(agent: number, index: number, signal: AbortSignal): AgentContext {
    const context = { ...this.#context(agent), signal };
    const { parallelOk, conflictGroup } = this.#workstream(index);
    if (!parallelOk || conflictGroup !== null || this.#parts.ready.reserves(index)) return context;
    return { ...context, share: (help) => this.#lending.offer({ index, help, context }) };
  }

  /** Adds the final result to `finals`, or has another attempt follow. */
  #follow(index: number, context: AgentContext, end: AttemptEnd, finals: FinalResult[]): void {
    if (end.type !== 'final') {
      if (!this.#control.mayFollow(index)) return;
      if (end.type === 'retry') this.#events.retrying(index, context, end);
      // When one that waits for a usage limit is started is decided by that.
      return this.#startAgain(index, end.type === 'retry' ? end.afterSeconds : 0);
    }
    this.#control.ended(index);
    const { outcome, result } = end;
    this.#dispatcher.addDuration(outcome.durationSeconds);
    this.#meter.add(index, outcome, result.metadata.earlierAttempts);
    finals.push({ index, result });
  }

  #context(agent: number): AgentContext {
    const agentId = this.#agentId(agent);
    return (this.#contexts[agent] ??= {
      agent,
      agentId,
      signal: this.#cancel.signal,
      runSignal: this.#cancel.signal,
      interruption: () => this.#interruption,
      stoppedBy: (workstreamId) => this.#control.stoppedBy(workstreamId),
      onMessage: (workstreamId, message) => this.#events.reported(workstreamId, { agentId }, message),
    });
  }

  /** Starts it once more after so many seconds, unless the run is ending. Until then its agent and its locks are free. */
  #startAgain(index: number, afterSeconds: number): void {
    if (this.#cancel.signal.aborted || this.#isFailingFast) return;
    this.#retries.add(index, afterSeconds, () => {
      this.#makeReady([index]);
      this.#wake();
    });
  }

  #makeReady(indices: readonly number[]): void {
    for (const index of indices) this.#parts.ready.add(index);
    this.#events.ready(indices);
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

const MAY_START: Eligibility = { verdict: 'take', refusal: null };

/** The timers of workstreams, by index. */
class RetryTimers {
  readonly #timers = new Map<number, NodeJS.Timeout>();

  /** Number of timers that have not fired. */
  get size(): number {
    return this.#timers.size;
  }

  /** Calls `then` after so many seconds, unless `remove` or `clear` comes first; never at once. */
  add(index: number, seconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(index);
      then();
    }, seconds * 1000);
    this.#timers.set(index, timer);
  }

  /** Stops the timer of a workstream. Returns whether it had one. */
  remove(index: number): boolean {
    clearTimeout(this.#timers.get(index));
    return this.#timers.delete(index);
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
