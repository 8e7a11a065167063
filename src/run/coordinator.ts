/**
 * The main loop of a run, on the main thread: hands ready workstreams to free agents, takes their results as they
 * arrive, and goes on until every workstream has its final status.
 */
import type { Inheritance } from '../domain/earlier-run.ts';
import type { EngineMessage } from '../domain/engine.ts';
import { describeFailure } from '../domain/failure-message.ts';
import type { Plan } from '../domain/plan.ts';
import type { Workload } from '../domain/scaling.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { ReadyQueue } from '../plan/ready-queue.ts';
import { isoTimestamp } from '../text/format.ts';
import { markedDoneResult } from './attempt/result.ts';
import type { AttemptEnd, WorkstreamRunner } from './attempt/workstream-runner.ts';
import { Dispatcher, type Start, type Eligibility } from './dispatcher.ts';
import { FinalResults } from './final-results.ts';
import type { Interruption } from './interruption.ts';
import type { Journal } from './journal.ts';
import { SpeedMeter } from './speed-meter.ts';
import { setMaxListeners } from 'node:events';

/** What a person at the terminal wants done with a workstream. */
export type Decision = 'run' | 'skip' | 'done' | 'quit';

export interface CoordinatorParts {
  runId: string;
  plan: Plan;
  /** Names of the agents to start with, in order; those that come later are called agent-N. */
  agents: readonly string[];
  runner: WorkstreamRunner;
  ready: ReadyQueue;
  journal: Journal;
  /** Admits workstreams beside those of other runs; `ready` asks it. */
  gate: { idle(): void; onFree(listener: () => void): void };
  /** Aborted, by any part of the run, with the error that ends the run because results can't be kept. */
  failure: AbortController;
  /** Dependencies that are not part of this run, and whether they count as met. */
  outside: ReadonlyMap<string, boolean>;
  /** What the run has from before. */
  inheritance: Inheritance;
  /**
   * Whether each start is kept before the workstream is executed, and not only within 20 ms: so that it is known what
   * was in hand if this process dies. Costs a commit each.
   */
  commitStarts: boolean;
  /** Asked before each workstream; null to run them all. */
  ask: ((workstream: Workstream, signal: AbortSignal) => Promise<Decision>) | null;
}

/** A workstream that an agent has taken. */
interface Assigned {
  agent: number;
  index: number;
  workstream: Workstream;
  /** Whether the agent has something else in hand. */
  linedUp: boolean;
}

export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #results: FinalResults;
  readonly #meter: SpeedMeter;
  readonly #cancel = new AbortController();
  readonly #handOut: Dispatcher;
  readonly #running = new Set<Promise<void>>();
  /** Workstreams that wait for their next attempt. */
  readonly #pauses = new RetryTimers();
  #interruption: Interruption | null = null;
  /** Whether nothing is handed out any more, and nothing is in hand. */
  #hasEnded = false;
  #wake: () => void = () => undefined;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    const { runId, plan, journal, outside, inheritance, runner, ready } = parts;
    this.#meter = new SpeedMeter(plan.workstreams);
    for (const result of inheritance.kept) this.#meter.addEarlier(result);
    this.#results = new FinalResults({
      runId,
      plan,
      journal,
      outside,
      inheritance,
      earlierAttempts: (id) => runner.earlierAttempts(id),
      refusal: (workstream) => runner.certainRefusal(workstream),
      onReady: (index) => this.#makeReady(index),
    });
    const mayLineUp = parts.ask === null && !parts.commitStarts;
    const mayWait = (index: number): boolean => runner.mayWait(this.#workstream(index));
    this.#handOut = new Dispatcher({
      ready,
      agents: parts.agents.length,
      passing: (index, agent) => this.#passing(index, agent),
      mayWait: mayLineUp ? mayWait : null,
    });
    // Everything in hand listens, and that is no leak.
    setMaxListeners(0, this.#cancel.signal);
    parts.gate.onFree(() => this.#retry());
    parts.failure.signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  get interruption(): Interruption | null {
    return this.#interruption;
  }

  /** Whether workstreams were left for another time although the run was not interrupted. */
  get haveLeft(): boolean {
    return this.#results.haveLeft;
  }

  get meter(): SpeedMeter {
    return this.#meter;
  }

  /** What there is to do now, apart from what an engine knows. */
  get workload(): Omit<Workload, 'inChildren'> {
    const { workload } = this.#handOut;
    return this.#cancel.signal.aborted ? { ...workload, waiting: 0 } : workload;
  }

  /** From now on the first `agents` agents take work; the others finish what they have in hand. */
  resize(agents: number): void {
    this.#handOut.resize(agents);
    this.#wake();
  }

  /**
   * Starts nothing new, tells what runs to stop, and lets `run` end with the rest skipped as interrupted.
   * Idempotent: the first interruption counts, and none does after the last result.
   */
  interrupt(interruption: Interruption): void {
    if (this.#interruption !== null || this.#hasEnded) return;
    this.#interruption = interruption;
    this.#parts.journal.publish({
      type: 'interrupting',
      signal: interruption.by,
      running: this.#running.size,
    });
    this.#stop();
  }

  /** Resolves when every workstream has its final row. Rejects only when results can't be recorded. */
  async run(): Promise<void> {
    const start: Start = (agent, index, linedUp) => this.#start(agent, index, linedUp);
    for (const index of this.#results.begin()) this.#parts.ready.add(index);
    for (;;) {
      if (!this.#isEnding) this.#handOut.dispatch(start);
      if (this.#running.size === 0) {
        this.#parts.gate.idle();
        const isWaiting = !this.#isEnding && this.#parts.ready.isWaiting;
        if (this.#pauses.size === 0 && !isWaiting) break;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#hasEnded = true;
    this.#parts.failure.signal.throwIfAborted();
    this.#results.skipTheRest(this.#interruption);
    await this.#parts.journal.flush();
  }

  /** Other runs may have released what this one waits for. */
  #retry(): void {
    this.#parts.ready.retry();
    this.#wake();
  }

  get #isEnding(): boolean {
    return this.#interruption !== null || this.#parts.failure.signal.aborted;
  }

  #stop(): void {
    this.#cancel.abort('interrupted');
    this.#pauses.clear();
    this.#wake();
  }

  /** What this agent's tool can't do any more is left to an agent whose tool can. */
  #passing(index: number, agent: number): Eligibility {
    const { ready, runner } = this.#parts;
    const workstream = this.#workstream(index);
    if (runner.refusal(agent, workstream) === null) return 'take';
    const all = Array.from({ length: this.#handOut.agents }, (_, other) => other);
    const others = all.some(
      (other) => ready.isFor(index, other) && runner.refusal(other, workstream) === null,
    );
    if (!others) return 'take';
    return workstream.parallelOk ? 'pass' : 'wait';
  }

  #start(agent: number, index: number, linedUp: boolean): void {
    const workstream = this.#workstream(index);
    const work = this.#decideAndExecute({ agent, index, workstream, linedUp })
      .catch((error: unknown) => this.#parts.failure.abort(error))
      .finally(() => {
        this.#running.delete(work);
        this.#handOut.release(agent, index);
        this.#wake();
      });
    this.#running.add(work);
  }

  async #decideAndExecute(hand: Assigned): Promise<void> {
    const { index, workstream } = hand;
    const { ask, runId } = this.#parts;
    const decision = ask === null ? 'run' : await ask(workstream, this.#cancel.signal);
    if (this.#cancel.signal.aborted) return;
    switch (decision) {
      case 'run':
        return this.#execute(hand);
      case 'skip':
        return this.#results.keep(index, this.#results.skipped(workstream, { reason: 'skipped-by-user' }));
      case 'done':
        return this.#results.keep(index, markedDoneResult(runId, workstream));
      case 'quit':
        return this.interrupt({ by: 'quit', detail: 'the person at the terminal quit' });
    }
  }

  async #execute({ agent, index, workstream, linedUp }: Assigned): Promise<void> {
    const { journal, plan, runner, commitStarts } = this.#parts;
    const refusal = runner.refusal(agent, workstream);
    // No agent's tool can do it.
    if (refusal !== null) return this.#results.keep(index, this.#results.skipped(workstream, refusal));
    const agentId = this.#agentId(agent);
    journal.publish({
      type: 'workstream-started',
      workstreamId: workstream.id,
      title: workstream.title,
      agentId,
      attempt: runner.nextAttempt(workstream.id),
      linedUp,
      at: isoTimestamp(Date.now()),
      expectedSeconds: plan.known > 0 ? (plan.expectedSeconds[index] ?? null) : null,
    });
    if (commitStarts) journal.commit();
    const task = {
      workstream,
      agent,
      agentId,
      signal: this.#cancel.signal,
      interruption: () => this.#interruption,
      onMessage: (message: EngineMessage) => forwardEngineMessage(journal, message, agentId, workstream.id),
    };
    const end = linedUp ? await runner.lineUp(task) : await runner.attempt(task);
    if (end === null) return this.#takeBack(index);
    if (end.result === null) return this.#tryAgain(index, agentId, end);
    this.#handOut.addDuration(end.outcome.durationSeconds);
    this.#meter.add(index, end.outcome, end.result.metadata.earlierAttempts);
    this.#results.keep(index, end.result);
  }

  /** It was lined up behind one that took long: whoever is free may have it. */
  #takeBack(index: number): void {
    const { journal } = this.#parts;
    journal.publish({ type: 'workstream-ready', workstreamId: this.#workstream(index).id });
    this.#handOut.requeueOnRelease(index);
  }

  /** The agent is free meanwhile, and so is what the workstream had locked. */
  #tryAgain(index: number, agentId: string, end: Extract<AttemptEnd, { result: null }>): void {
    const { attempt, failure, afterSeconds } = end;
    this.#parts.journal.publish({
      type: 'workstream-retrying',
      workstreamId: this.#workstream(index).id,
      agentId,
      attempt,
      reason: failure.reason,
      explanation: describeFailure(failure),
      afterSeconds,
    });
    if (this.#cancel.signal.aborted) return;
    this.#pauses.add(afterSeconds, () => {
      this.#makeReady(index);
      this.#wake();
    });
  }

  #makeReady(index: number): void {
    this.#parts.ready.add(index);
    this.#parts.journal.publish({ type: 'workstream-ready', workstreamId: this.#workstream(index).id });
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

/** Publishes what an engine tells of a workstream that is under way. */
function forwardEngineMessage(
  journal: Journal,
  message: EngineMessage,
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

  /** How many are under way. */
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
