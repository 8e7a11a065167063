/** Decides which agent gets which workstream, and when. Agents and workstreams are numbers from 0. */
import type { Failure } from '../domain/failure.ts';
import type { Workload } from '../domain/scaling.ts';
import { runsInThread, type Workstream } from '../domain/workstream.ts';
import type { ReadyQueue } from '../plan/ready-queue.ts';

/**
 * Whether an agent takes a workstream, leaves it to others and goes on to the next, or waits until others have executed
 * it. One that no agent can execute is taken with the reason why it is not started.
 */
export type Eligibility = { verdict: 'take'; refusal: Failure | null } | { verdict: 'pass' | 'wait' };

export interface DispatcherParts {
  ready: ReadyQueue;
  /** Number of agents at first. */
  agents: number;
  /** Asked about the workstream that is next in order for an agent. */
  eligibility: (index: number, agent: number) => Eligibility;
  /** Whether a workstream may be queued behind one that its agent executes; null where none may. */
  mayQueue: ((index: number) => boolean) | null;
}

/** A workstream that has been assigned to an agent. */
export interface Start {
  agent: number;
  index: number;
  /** Whether it is queued behind another one of the agent. */
  queued: boolean;
  /** Why it is not to be executed; null where it is. */
  refusal: Failure | null;
}

export class Dispatcher {
  readonly #ready: ReadyQueue;
  readonly #slots: AgentSlots;
  readonly #eligibility: DispatcherParts['eligibility'];
  readonly #mayQueue: DispatcherParts['mayQueue'];
  readonly #depth = new QueueDepth();
  /** Assigned workstreams that become ready again when they are released. */
  readonly #requeued = new Set<number>();

  constructor({ ready, agents, eligibility, mayQueue }: DispatcherParts) {
    this.#ready = ready;
    this.#slots = new AgentSlots(agents);
    this.#eligibility = eligibility;
    this.#mayQueue = mayQueue;
  }

  /** Number of agents that take workstreams. */
  get agents(): number {
    return this.#slots.agents;
  }

  get workload(): Omit<Workload, 'inChildren'> {
    const { agents, occupied, free } = this.#slots;
    return {
      agents,
      busy: occupied,
      waiting: free.length === 0 ? this.#ready.size : 0,
      workstreamSeconds: this.#depth.seconds,
    };
  }

  /** From now on the first `agents` agents take workstreams; the others finish those that they have. */
  resize(agents: number): void {
    this.#slots.resize(agents);
  }

  /** Assigns what is ready: one to each free agent, and more where workstreams are tiny. */
  dispatch(start: (start: Start) => void): void {
    for (const agent of this.#slots.free) {
      const taken = this.#takeEligible(agent);
      if (taken === null) continue;
      const { index, refusal } = taken;
      start({ agent, index, queued: this.#slots.assign(agent), refusal });
    }
    if (this.#mayQueue !== null) this.#fillQueues(this.#mayQueue, start);
  }

  /** Takes the duration of a workstream in seconds. */
  addDuration(seconds: number): void {
    this.#depth.add(seconds);
  }

  /** Ends the assignment of a workstream to an agent. */
  release(agent: number, index: number): void {
    this.#ready.release(index);
    if (this.#requeued.delete(index)) this.#ready.add(index);
    this.#slots.release(agent);
  }

  /** Makes an assigned workstream that was not started ready again once it is released: any agent may take it then. */
  requeueOnRelease(index: number): void {
    this.#requeued.add(index);
  }

  /** Takes the first workstream in order that the agent may have, past those that it leaves to others. */
  #takeEligible(agent: number): Pick<Start, 'index' | 'refusal'> | null {
    const passed: number[] = [];
    let taken: Pick<Start, 'index' | 'refusal'> | null = null;
    while (passed.length < MAX_PASSED) {
      const index = this.#ready.take(agent, passed.length > 0);
      if (index === undefined) break;
      const eligibility = this.#eligibility(index, agent);
      if (eligibility.verdict === 'take') {
        taken = { index, refusal: eligibility.refusal };
        break;
      }
      this.#ready.release(index);
      passed.push(index);
      if (eligibility.verdict === 'wait') break;
    }
    for (const index of passed) this.#ready.add(index);
    return taken;
  }

  /** Each agent gets at most its share of what is ready, so that none is idle while others have a queue. */
  #fillQueues(mayQueue: (index: number) => boolean, start: (start: Start) => void): void {
    const { depth } = this.#depth;
    if (depth === 1) return;
    const share = Math.ceil(this.#ready.size / this.#slots.agents);
    for (const [agent, count] of this.#slots.busy) {
      for (let more = Math.min(depth - count, share); more > 0; more -= 1) {
        const index = this.#ready.take(agent, false, mayQueue);
        if (index === undefined) break;
        start({ agent, index, queued: this.#slots.assign(agent), refusal: null });
      }
    }
  }
}

/** How many workstreams an agent passes over for one that it may have. Each costs a microsecond or two. */
const MAX_PASSED = 1_000;

/** How many workstreams are assigned to each agent, and which agents are free. */
export class AgentSlots {
  /** Agents that take workstreams and have none, longest idle first. */
  #free: number[];
  /** By agent: the workstream that it executes and those queued behind it. */
  readonly #assigned: number[];
  /** Agents from this number on take nothing more. */
  #agents: number;

  constructor(agents: number) {
    this.#agents = agents;
    this.#free = Array.from({ length: agents }, (_, agent) => agent);
    this.#assigned = this.#free.map(() => 0);
  }

  /** Number of agents that take workstreams. */
  get agents(): number {
    return this.#agents;
  }

  /** A copy: agents that take workstreams and have none, longest idle first. */
  get free(): number[] {
    return [...this.#free];
  }

  /** A copy: agents that take workstreams and have some, and how many. */
  get busy(): [agent: number, count: number][] {
    return [...this.#assigned.entries()].filter(([agent, count]) => count > 0 && this.#isUsed(agent));
  }

  /** Number of agents that have a workstream, those that take no more included. */
  get occupied(): number {
    return this.#assigned.filter((count) => count > 0).length;
  }

  /** Assigns one more to an agent. Returns whether it is queued behind another one. */
  assign(agent: number): boolean {
    const count = this.#assigned[agent] ?? 0;
    this.#assigned[agent] = count + 1;
    if (count === 0) this.#free.splice(this.#free.indexOf(agent), 1);
    return count > 0;
  }

  release(agent: number): void {
    const left = (this.#assigned[agent] ?? 1) - 1;
    this.#assigned[agent] = left;
    if (left === 0 && this.#isUsed(agent)) this.#free.push(agent);
  }

  /** From now on the first `agents` agents take workstreams. */
  resize(agents: number): void {
    const before = this.#agents;
    this.#agents = agents;
    this.#free = this.#free.filter((agent) => agent < agents);
    for (let agent = before; agent < agents; agent += 1) {
      this.#assigned[agent] ??= 0;
      if (this.#assigned[agent] === 0) this.#free.push(agent);
    }
  }

  #isUsed(agent: number): boolean {
    return agent < this.#agents;
  }
}

/** An agent is assigned workstreams of this length together, in seconds, where the mean is below `TINY_SECONDS`. */
const QUEUE_SECONDS = 0.004;
const TINY_SECONDS = 0.0005;
const MAX_DEPTH = 64;
/** The weight of the newest duration in the mean. */
const WEIGHT = 0.1;
/** The mean in seconds before anything was measured: far from tiny. */
const INITIAL_MEAN = 0.01;

/**
 * How many workstreams an agent may have at once: one, and more where they are tiny. Waking a thread takes tens of
 * microseconds, so that an agent which gets shorter workstreams one by one mostly waits.
 */
export class QueueDepth {
  #mean = INITIAL_MEAN;
  #measured: number | null = null;

  /** Takes the duration of a workstream in seconds. */
  add(seconds: number): void {
    this.#mean += WEIGHT * (seconds - this.#mean);
    this.#measured = (this.#measured ?? seconds) + WEIGHT * (seconds - (this.#measured ?? seconds));
  }

  /** Moving mean of the durations in seconds; null before the first. */
  get seconds(): number | null {
    return this.#measured;
  }

  /** The workstream that an agent executes and those queued behind it. */
  get depth(): number {
    return this.#mean >= TINY_SECONDS ? 1 : Math.min(MAX_DEPTH, Math.floor(QUEUE_SECONDS / this.#mean));
  }
}

/** A workstream with a shorter limit than this, in seconds, is not queued: its time counts while it waits. */
const MIN_TIMEOUT_SECONDS = 1;

/**
 * Whether a workstream may be queued behind another one: its steps are modules in a thread, in the shared workspace,
 * and nothing has to be done before or after them.
 * @param defaultTimeout of a workstream without a limit of its own, in seconds.
 */
export function isQueueable(workstream: Workstream, defaultTimeout: number): boolean {
  const { timeoutSeconds, workspace, filesScope, filesCreate } = workstream;
  return (
    runsInThread(workstream) &&
    workspace !== 'worktree' &&
    filesScope.length + filesCreate.length === 0 &&
    (timeoutSeconds ?? defaultTimeout) >= MIN_TIMEOUT_SECONDS
  );
}
