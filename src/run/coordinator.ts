/**
 * The main loop of a run, on the main thread: hands ready workstreams to free agents, takes their results as they
 * arrive, and goes on until every workstream has its final status.
 */
import { setMaxListeners } from 'node:events';
import type { EngineMessage } from '../domain/engine.ts';
import type { Inheritance } from '../domain/earlier-run.ts';
import { describeFailure } from '../domain/failure-message.ts';
import type { Plan } from '../domain/plan.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { ReadyQueue } from '../plan/ready.ts';
import { FinalResults } from './final-results.ts';
import { Hands } from './hands.ts';
import type { Interruption } from './interruption.ts';
import type { Journal } from './journal.ts';
import { Pace } from './pace.ts';
import { Pauses } from './pauses.ts';
import { relay } from './relay.ts';
import { markedDoneResult } from './result.ts';
import { SpeedMeter } from './speed-meter.ts';
import { type Passing, takeOwn } from './take-own.ts';
import type { AttemptEnd, WorkstreamRunner } from './workstream-runner.ts';

/** What a person at the terminal wants done with a workstream. */
export type Decision = 'run' | 'skip' | 'done' | 'quit';

export interface CoordinatorParts {
  runId: string;
  plan: Plan;
  /** Names of the agents, in order. */
  agents: readonly string[];
  runner: WorkstreamRunner;
  ready: ReadyQueue;
  journal: Journal;
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
interface Hand {
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
  readonly #pace = new Pace();
  readonly #cancel = new AbortController();
  readonly #hands: Hands;
  readonly #running = new Set<Promise<void>>();
  /** Workstreams that an agent had taken and others may take. */
  readonly #passedOn = new Set<number>();
  /** Workstreams that wait for their next attempt. */
  readonly #pauses = new Pauses();
  #interruption: Interruption | null = null;
  #fault: unknown = null;
  #wake: () => void = () => undefined;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    const { runId, plan, journal, outside, inheritance, runner } = parts;
    this.#meter = new SpeedMeter(plan.workstreams);
    for (const result of inheritance.kept) this.#meter.addEarlier(result);
    this.#results = new FinalResults({
      runId,
      plan,
      journal,
      outside,
      inheritance,
      earlierAttempts: (id) => runner.earlierAttempts(id),
      onReady: (index) => this.#makeReady(index),
    });
    this.#hands = new Hands(parts.agents.length);
    // Everything in hand listens, and that is no leak.
    setMaxListeners(0, this.#cancel.signal);
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

  /**
   * Starts nothing new, tells what runs to stop, and lets `run` end with the rest skipped as interrupted.
   * Idempotent: the first interruption counts.
   */
  interrupt(interruption: Interruption): void {
    if (this.#interruption !== null) return;
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
    this.#results.begin();
    for (;;) {
      if (this.#interruption === null && this.#fault === null) this.#handOut();
      if (this.#running.size === 0 && this.#pauses.size === 0) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#fault !== null) throw this.#fault;
    this.#results.skipTheRest(this.#interruption);
    await this.#parts.journal.flush();
  }

  /** Ends the run because results can't be kept any more. */
  fail(error: unknown): void {
    this.#fault ??= error;
    this.#stop();
  }

  #stop(): void {
    this.#cancel.abort('interrupted');
    this.#pauses.clear();
    this.#wake();
  }

  #handOut(): void {
    const { ready } = this.#parts;
    for (const agent of this.#hands.free) {
      const index = takeOwn(ready, agent, (each) => this.#passing(each, agent));
      if (index !== undefined) this.#start(agent, index);
    }
    this.#lineUp();
  }

  /** What this agent's tool can't do any more is left to an agent whose tool can. */
  #passing(index: number, agent: number): Passing {
    const { agents, ready, runner } = this.#parts;
    const workstream = this.#workstream(index);
    if (runner.refusal(agent, workstream) === null) return 'take';
    const others = agents.some(
      (_, other) => ready.isFor(index, other) && runner.refusal(other, workstream) === null,
    );
    if (!others) return 'take';
    return workstream.parallelOk ? 'pass' : 'wait';
  }

  /** Where work is tiny, agents get more than one, so that they need not wait for the next. */
  #lineUp(): void {
    const { ready, runner, ask, commitStarts } = this.#parts;
    const { depth } = this.#pace;
    if (depth === 1 || ask !== null || commitStarts) return;
    const share = Math.ceil(ready.size / this.#hands.agents);
    for (const [agent, had] of this.#hands.busy) {
      for (let more = Math.min(depth - had, share); more > 0; more -= 1) {
        const index = ready.take(agent);
        if (index === undefined) break;
        if (!runner.mayWait(this.#workstream(index))) {
          ready.release(index);
          ready.add(index);
          break;
        }
        this.#start(agent, index);
      }
    }
  }

  #start(agent: number, index: number): void {
    const workstream = this.#workstream(index);
    const linedUp = this.#hands.give(agent);
    const work = this.#decideAndExecute({ agent, index, workstream, linedUp })
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#running.delete(work);
        this.#parts.ready.release(index);
        if (this.#passedOn.delete(index)) this.#parts.ready.add(index);
        this.#hands.release(agent);
        this.#wake();
      });
    this.#running.add(work);
  }

  async #decideAndExecute(hand: Hand): Promise<void> {
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

  async #execute({ agent, index, workstream, linedUp }: Hand): Promise<void> {
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
      at: new Date().toISOString(),
      expectedSeconds: plan.known > 0 ? (plan.expectedSeconds[index] ?? null) : null,
    });
    if (commitStarts) journal.commit();
    const task = {
      workstream,
      agent,
      agentId,
      signal: this.#cancel.signal,
      interruption: () => this.#interruption,
      onMessage: (message: EngineMessage) => relay(journal, message, agentId, workstream.id),
    };
    const end = linedUp ? await runner.lineUp(task) : await runner.attempt(task);
    if (end === null) return this.#takeBack(index);
    if (end.result === null) return this.#tryAgain(index, agentId, end);
    this.#pace.add(end.outcome.durationSeconds);
    this.#meter.add(index, end.outcome, end.result.metadata.earlierAttempts);
    this.#results.keep(index, end.result);
  }

  /** It was lined up behind one that took long: whoever is free may have it. */
  #takeBack(index: number): void {
    const { journal } = this.#parts;
    journal.publish({ type: 'workstream-ready', workstreamId: this.#workstream(index).id });
    this.#passedOn.add(index);
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
