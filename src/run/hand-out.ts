import type { Workload } from '../domain/scaling.ts';
import type { ReadyQueue } from '../plan/ready.ts';
import { Hands } from './hands.ts';
import { Pace } from './pace.ts';
import { type Passing, takeOwn } from './take-own.ts';

export interface HandOutParts {
  ready: ReadyQueue;
  /** Number of agents at first. */
  agents: number;
  /** What the agent does with the workstream of this index, which is next in order for it. */
  passing: (index: number, agent: number) => Passing;
  /** Whether the workstream with this index may be lined up behind another; null where none may. */
  mayWait: ((index: number) => boolean) | null;
}

/** Starts a workstream on an agent; `linedUp` where that has something else in hand. */
export type Start = (agent: number, index: number, linedUp: boolean) => void;

/** Which agent gets which workstream and when. Agents and workstreams are numbers from 0. */
export class HandOut {
  readonly #ready: ReadyQueue;
  readonly #hands: Hands;
  readonly #passing: HandOutParts['passing'];
  readonly #mayWait: HandOutParts['mayWait'];
  readonly #pace = new Pace();
  /** Workstreams that an agent had taken and others may take. */
  readonly #passedOn = new Set<number>();

  constructor({ ready, agents, passing, mayWait }: HandOutParts) {
    this.#passing = passing;
    this.#ready = ready;
    this.#hands = new Hands(agents);
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
  give(start: Start): void {
    for (const agent of this.#hands.free) {
      const index = takeOwn(this.#ready, agent, (each) => this.#passing(each, agent));
      if (index !== undefined) start(agent, index, this.#hands.give(agent));
    }
    if (this.#mayWait !== null) this.#lineUp(this.#mayWait, start);
  }

  /** Where work is tiny, agents get more than one, so that they need not wait for the next. */
  #lineUp(mayWait: (index: number) => boolean, start: Start): void {
    const { depth } = this.#pace;
    if (depth === 1) return;
    const share = Math.ceil(this.#ready.size / this.#hands.agents);
    for (const [agent, had] of this.#hands.busy) {
      for (let more = Math.min(depth - had, share); more > 0; more -= 1) {
        const index = this.#ready.take(agent, false, mayWait);
        if (index === undefined) break;
        start(agent, index, this.#hands.give(agent));
      }
    }
  }

  /** Takes how long a workstream took, in seconds. */
  took(seconds: number): void {
    this.#pace.add(seconds);
  }

  /** Says that an agent has a workstream in hand no more. */
  release(agent: number, index: number): void {
    this.#ready.release(index);
    if (this.#passedOn.delete(index)) this.#ready.add(index);
    this.#hands.release(agent);
  }

  /** Leaves to whoever is free, once it is released, what an agent has taken and not begun. */
  passOn(index: number): void {
    this.#passedOn.add(index);
  }
}
