/** Decides which agent gets which workstreams, and when. Agents and workstreams are numbers from 0. */
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
  /** Whether a workstream may be in a batch: any agent may have such a one. Null where none may. */
  mayBatch: ((index: number) => boolean) | null;
}

/** A workstream that is assigned to an agent by itself. */
export interface SingleStart {
  type: 'single';
  agent: number;
  index: number;
  /** Why it is not to be executed; null where it is. */
  refusal: Failure | null;
}

/** Workstreams that are assigned to an agent at once, in the order in which it is to execute them. */
export interface BatchStart {
  type: 'batch';
  agent: number;
  indices: number[];
  /** Whether the agent still has others to execute before. */
  queued: boolean;
}

export type Start = SingleStart | BatchStart;

export class Dispatcher {
  readonly #ready: ReadyQueue;
  readonly #slots: AgentSlots;
  readonly #eligibility: DispatcherParts['eligibility'];
  readonly #mayBatch: DispatcherParts['mayBatch'];
  readonly #size = new BatchSize();
  /** Agents that have given something back since one of theirs last ended: what they execute takes long. */
  readonly #late = new Set<number>();

  constructor({ ready, agents, eligibility, mayBatch }: DispatcherParts) {
    this.#ready = ready;
    this.#slots = new AgentSlots(agents);
    this.#eligibility = eligibility;
    this.#mayBatch = mayBatch;
  }

  /** Number of agents that take workstreams. */
  get agents(): number {
    return this.#slots.agents;
  }

  /** Number of workstreams that are assigned to agents. */
  get assigned(): number {
    return this.#slots.assigned;
  }

  get workload(): Omit<Workload, 'inChildren'> {
    const { agents, occupied, free } = this.#slots;
    return {
      agents,
      busy: occupied,
      waiting: free.length === 0 ? this.#ready.size : 0,
      workstreamSeconds: this.#size.seconds,
    };
  }

  /** From now on the first `agents` agents take workstreams; the others finish those that they have. */
  resize(agents: number): void {
    this.#slots.resize(agents);
  }

  /** Assigns what is ready: one to each free agent, and more where workstreams are tiny. */
  dispatch(): Start[] {
    const singles: SingleStart[] = [];
    const batches = new Map<number, BatchStart>();
    for (const agent of this.#slots.free) {
      const taken = this.#takeEligible(agent);
      if (taken === null) continue;
      const { index, refusal } = taken;
      this.#slots.assign(agent);
      if (refusal === null && this.#mayBatch?.(index) === true)
        batches.set(agent, { type: 'batch', agent, indices: [index], queued: false });
      else singles.push({ type: 'single', agent, index, refusal });
    }
    if (this.#mayBatch !== null) this.#fill(batches, this.#mayBatch);
    return [...singles, ...batches.values()];
  }

  /** Takes a free agent for something that is no workstream of its own; undefined where none that may is free. */
  reserve(may: (agent: number) => boolean = () => true): number | undefined {
    const agent = this.#slots.free.find(may);
    if (agent !== undefined) this.#slots.assign(agent);
    return agent;
  }

  /** Ends what `reserve` began. */
  free(agent: number): void {
    this.#slots.release(agent);
  }

  /** Takes the duration of a workstream in seconds. */
  addDuration(seconds: number): void {
    this.#size.add(seconds);
  }

  /** Ends the assignment of a workstream to an agent. */
  release(agent: number, index: number): void {
    this.#late.delete(agent);
    this.#ready.release(index);
    this.#slots.release(agent);
  }

  /** Ends the assignment of a workstream that was not started: any agent may take it then. */
  giveBack(agent: number, index: number): void {
    this.release(agent, index);
    this.#late.add(agent);
    this.#ready.add(index);
  }

  /** Takes the first workstream in order that the agent may have, past those that it leaves to others. */
  #takeEligible(agent: number): Pick<SingleStart, 'index' | 'refusal'> | null {
    const passed: number[] = [];
    let taken: Pick<SingleStart, 'index' | 'refusal'> | null = null;
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

  /**
   * Adds more where workstreams are tiny. An agent gets its next batch when half of what it may have is left, so that
   * it never waits for the main thread, unless it has just given some back; and at most its share of what is ready, so
   * that none is idle while others have several.
   */
  #fill(batches: Map<number, BatchStart>, mayBatch: (index: number) => boolean): void {
    const { size } = this.#size;
    if (size === 1) return;
    const shareOf = this.#ready.shares(this.#slots.agents);
    for (const [agent, count] of this.#slots.busy) {
      const isWaitedFor = this.#late.has(agent) && !batches.has(agent);
      if (count > size / 2 || isWaitedFor) continue;
      const batch = batches.get(agent) ?? { type: 'batch', agent, indices: [], queued: true };
      for (let more = 0; more < size - count; more += 1) {
        const index = this.#ready.take(agent, false, (each) => mayBatch(each) && more < shareOf(each));
        if (index === undefined) break;
        this.#slots.assign(agent);
        batch.indices.push(index);
      }
      if (batch.indices.length > 0) batches.set(agent, batch);
    }
  }
}

/** How many workstreams an agent passes over for one that it may have. Each costs a microsecond or two. */
const MAX_PASSED = 1_000;

/** How many workstreams are assigned to each agent, and which agents are free. */
export class AgentSlots {
  /** Agents that take workstreams and have none, longest idle first. */
  #free: number[];
  /** By agent: how many it has. */
  readonly #counts: number[];
  /** Of all agents together. */
  #assigned = 0;
  /** Agents from this number on take nothing more. */
  #agents: number;

  constructor(agents: number) {
    this.#agents = agents;
    this.#free = Array.from({ length: agents }, (_, agent) => agent);
    this.#counts = this.#free.map(() => 0);
  }

  /** Number of agents that take workstreams. */
  get agents(): number {
    return this.#agents;
  }

  /** Number of workstreams that all agents have. */
  get assigned(): number {
    return this.#assigned;
  }

  /** A copy: agents that take workstreams and have none, longest idle first. */
  get free(): number[] {
    return [...this.#free];
  }

  /** A copy: agents that take workstreams and have some, and how many. */
  get busy(): [agent: number, count: number][] {
    return [...this.#counts.entries()].filter(([agent, count]) => count > 0 && this.#isUsed(agent));
  }

  /** Number of agents that have a workstream, those that take no more included. */
  get occupied(): number {
    return this.#counts.filter((count) => count > 0).length;
  }

  /** Assigns one more to an agent. */
  assign(agent: number): void {
    const count = this.#counts[agent] ?? 0;
    this.#counts[agent] = count + 1;
    this.#assigned += 1;
    if (count === 0) this.#free.splice(this.#free.indexOf(agent), 1);
  }

  release(agent: number): void {
    const left = (this.#counts[agent] ?? 1) - 1;
    this.#counts[agent] = left;
    this.#assigned -= 1;
    if (left === 0 && this.#isUsed(agent)) this.#free.push(agent);
  }

  /** From now on the first `agents` agents take workstreams. */
  resize(agents: number): void {
    const before = this.#agents;
    this.#agents = agents;
    this.#free = this.#free.filter((agent) => agent < agents);
    for (let agent = before; agent < agents; agent += 1) {
      this.#counts[agent] ??= 0;
      if (this.#counts[agent] === 0) this.#free.push(agent);
    }
  }

  #isUsed(agent: number): boolean {
    return agent < this.#agents;
  }
}

/** An agent is assigned workstreams of this length together, in seconds, where the mean is below `TINY_SECONDS`. */
const BATCH_SECONDS = 0.008;
const TINY_SECONDS = 0.0005;
const MAX_SIZE = 256;
/** The weight of the newest duration in the mean. */
const WEIGHT = 0.1;
/** The mean in seconds before anything was measured: far from tiny. */
const INITIAL_MEAN = 0.01;

/**
 * How many workstreams an agent may have at once: one, and more where they are tiny. Waking a thread takes tens of
 * microseconds, so that an agent which gets shorter workstreams one by one mostly waits.
 */
export class BatchSize {
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

  get size(): number {
    return this.#mean >= TINY_SECONDS ? 1 : Math.min(MAX_SIZE, Math.floor(BATCH_SECONDS / this.#mean));
  }
}

/** A workstream with a shorter limit than this, in seconds, is in no batch: its time counts while it waits. */
const MIN_TIMEOUT_SECONDS = 1;

/**
 * Whether a workstream may be in a batch: its steps are modules in a thread, in the shared workspace, and nothing has to
 * be done before or after them.
 * @param defaultTimeout of a workstream without a limit of its own, in seconds.
 */
export function isBatchable(workstream: Workstream, defaultTimeout: number): boolean {
  const { timeoutSeconds, workspace, filesScope, filesCreate, compensation } = workstream;
  return (
    runsInThread(workstream) &&
    workspace !== 'worktree' &&
    filesScope.length + filesCreate.length + compensation.length === 0 &&
    (timeoutSeconds ?? defaultTimeout) >= MIN_TIMEOUT_SECONDS
  );
}
