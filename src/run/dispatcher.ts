import type { Workload } from '../domain/scaling.ts';
import type { ReadyQueue } from '../plan/ready-queue.ts';
import { BatchSizer } from './batch-sizer.ts';

export interface DispatcherParts {
  ready: ReadyQueue;
  /** Number of agents at first. */
  agents: number;
  /** What the agent does with the workstream of this index, which is next in order for it. */
  passing: (index: number, agent: number) => Eligibility;
  /** Whether the workstream with this index may be lined up behind another; null where none may. */
  mayWait: ((index: number) => boolean) | null;
}

/** Starts a workstream on an agent; `linedUp` where that has something else in hand. */
export type Start = (agent: number, index: number, linedUp: boolean) => void;

/** Which agent gets which workstream and when. Agents and workstreams are numbers from 0. */
export class Dispatcher {
  readonly #ready: ReadyQueue;
  readonly #hands: AgentSlots;
  readonly #passing: DispatcherParts['passing'];
  readonly #mayWait: DispatcherParts['mayWait'];
  readonly #pace = new BatchSizer();
  /** Workstreams that an agent had taken and others may take. */
  readonly #passedOn = new Set<number>();

  constructor({ ready, agents, passing, mayWait }: DispatcherParts) {
    this.#passing = passing;
    this.#ready = ready;
    this.#hands = new AgentSlots(agents);
    this.#mayWait = mayWait;
  }

  /** Number of agents that take work. */
  get agents(): number {
    return this.#hands.agents;
  }

  /** What there is to do now, apart from what an engine knows. */
  get workload(): Omit<Workload, 'inChildren'> {
    const { agents, occupied, free } = this.#hands;
    return {
      agents,
      busy: occupied,
      waiting: free.length === 0 ? this.#ready.size : 0,
      workstreamSeconds: this.#pace.seconds,
    };
  }

  /** From now on the first `agents` agents take work; the others finish what they have in hand. */
  resize(agents: number): void {
    this.#hands.resize(agents);
  }

  /** Gives agents what is ready and theirs. */
  dispatch(start: Start): void {
    for (const agent of this.#hands.free) {
      const index = takeEligible(this.#ready, agent, (each) => this.#passing(each, agent));
      if (index !== undefined) start(agent, index, this.#hands.assign(agent));
    }
    if (this.#mayWait !== null) this.#lineUp(this.#mayWait, start);
  }

  /** Where work is tiny, agents get more than one, so that they need not wait for the next. */
  #lineUp(mayWait: (index: number) => boolean, start: Start): void {
    const { batchSize } = this.#pace;
    if (batchSize === 1) return;
    const share = Math.ceil(this.#ready.size / this.#hands.agents);
    for (const [agent, had] of this.#hands.busy) {
      for (let more = Math.min(batchSize - had, share); more > 0; more -= 1) {
        const index = this.#ready.take(agent, false, mayWait);
        if (index === undefined) break;
        start(agent, index, this.#hands.assign(agent));
      }
    }
  }

  /** Takes how long a workstream took, in seconds. */
  addDuration(seconds: number): void {
    this.#pace.add(seconds);
  }

  /** Says that an agent has a workstream in hand no more. */
  release(agent: number, index: number): void {
    this.#ready.release(index);
    if (this.#passedOn.delete(index)) this.#ready.add(index);
    this.#hands.release(agent);
  }

  /** Leaves to whoever is free, once it is released, what an agent has taken and not begun. */
  requeueOnRelease(index: number): void {
    this.#passedOn.add(index);
  }
}

/** How much each agent has in hand, and who is free. Agents are numbers from 0. */
export class AgentSlots {
  /** Agents that take work and have nothing in hand, longest idle first. */
  #free: number[];
  /** By agent: the workstream that it executes and those lined up behind it. */
  readonly #inHand: number[];
  /** Those from this number on take nothing; what such an agent has in hand it finishes. */
  #agents: number;

  constructor(agents: number) {
    this.#agents = agents;
    this.#free = Array.from({ length: agents }, (_, agent) => agent);
    this.#inHand = this.#free.map(() => 0);
  }

  /** Number of agents that take work. */
  get agents(): number {
    return this.#agents;
  }

  /** Those that take work and have nothing in hand, longest idle first, as they are now. */
  get free(): number[] {
    return [...this.#free];
  }

  /** Those that take work and have something in hand, and how much, as it is now. */
  get busy(): [agent: number, count: number][] {
    return [...this.#inHand.entries()].filter(([agent, count]) => count > 0 && this.#takes(agent));
  }

  /** Number of agents with something in hand, those that take no more included. */
  get occupied(): number {
    return this.#inHand.filter((count) => count > 0).length;
  }

  /** Gives an agent one more. Says whether it is lined up behind something. */
  assign(agent: number): boolean {
    const count = this.#inHand[agent] ?? 0;
    this.#inHand[agent] = count + 1;
    if (count === 0) this.#free.splice(this.#free.indexOf(agent), 1);
    return count > 0;
  }

  /** Says that one of what an agent had in hand has ended. */
  release(agent: number): void {
    const left = (this.#inHand[agent] ?? 1) - 1;
    this.#inHand[agent] = left;
    if (left === 0 && this.#takes(agent)) this.#free.push(agent);
  }

  /** From now on the first `agents` agents take work. */
  resize(agents: number): void {
    const before = this.#agents;
    this.#agents = agents;
    this.#free = this.#free.filter((agent) => agent < agents);
    for (let agent = before; agent < agents; agent += 1) {
      this.#inHand[agent] ??= 0;
      if (this.#inHand[agent] === 0 && this.#takes(agent)) this.#free.push(agent);
    }
  }

  #takes(agent: number): boolean {
    return agent < this.#agents;
  }
}

/**
 * How many workstreams an agent looks past for one that it may have. Each costs a microsecond or two whenever the
 * agent is free.
 */
const MOST_PASSED = 1_000;

/** Whether an agent takes what is next in order, leaves it to others and goes on, or waits until others have run it. */
export type Eligibility = 'take' | 'pass' | 'wait';

/**
 * Takes for an agent what is first in order among what it may have, past what is left to others. Undefined when there
 * is nothing, and when more than a thousand others come before it.
 */
function takeEligible(
  ready: ReadyQueue,
  agent: number,
  judge: (index: number) => Eligibility,
): number | undefined {
  const passed: number[] = [];
  let own: number | undefined;
  while (own === undefined && passed.length < MOST_PASSED) {
    const index = ready.take(agent, passed.length > 0);
    if (index === undefined) break;
    const passing = judge(index);
    if (passing === 'take') own = index;
    else {
      ready.release(index);
      passed.push(index);
      if (passing === 'wait') break;
    }
  }
  for (const index of passed) ready.add(index);
  return own;
}
