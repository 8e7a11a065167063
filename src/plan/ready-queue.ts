import { type Gate, OPEN_GATE } from '../domain/run-lock.ts';
import { type Constrained, signatures } from './signatures.ts';
import { ReadyLanes } from './ready-lanes.ts';

export interface ReadyQueueOptions {
  /** Number of agents. */
  agents: number;
  /** `round-robin` pins the workstream at position i of the plan to agent i mod N. */
  distribution: 'dynamic' | 'round-robin';
  /** Who takes what; null where anyone takes anything. Not with `round-robin`. */
  tracks: Tracks | null;
  /** What other runs have a say in. Default: nothing. */
  gate?: Gate;
}

/** Which agents may take which workstreams. */
export interface Tracks {
  /** By workstream: its track, from 0. */
  of: Int32Array;
  /** By agent: the tracks it takes. */
  takes: readonly (readonly number[])[];
  /** Number of tracks. */
  count: number;
}

const ONE_LINE = [0];

/**
 * Hands out the workstreams whose dependencies are met, in the order of the plan, so that none runs beside one that
 * it conflicts with:
 *
 * - members of a conflict group, and workstreams whose scopes overlap, never run together;
 * - one that is not `parallelOk` runs alone. Once it is the first in order of those that are ready and in conflict
 *   with nothing that runs, nothing else is started until what runs has ended;
 * - with `round-robin` only a workstream's own agent gets it, with tracks only one that takes its track.
 *
 * Otherwise no agent is refused while something that may run is ready. What the gate refuses is set aside until
 * `retry`, and nothing waits for it: one that runs alone is asked for before what runs has to end.
 *
 * A workstream is its position in the plan. It is ready from `add` to `take` and running from `take` to `release`; it may be added again after that. `take` costs
 * O(log V) amortised, and O(length of paths) for scopes.
 */
export class ReadyQueue {
  readonly #lines: ReadyLanes;
  readonly #agents: number;
  readonly #pinned: boolean;
  readonly #tracks: Tracks | null;
  readonly #parallelOk: readonly boolean[];
  readonly #gate: Gate;
  readonly #running = new Set<number>();
  /** Ready, and refused by the gate. */
  #aside: number[] = [];
  #size = 0;
  /** The one that runs alone and for which what runs has to end; null when that is to be found out anew. */
  #drainingFor: number | null = null;

  /** `ranked` is in handing-out order, as `Plan.workstreams` is. */
  constructor(ranked: readonly Constrained[], options: ReadyQueueOptions) {
    const { agents, distribution, tracks, gate = OPEN_GATE } = options;
    if (!Number.isInteger(agents) || agents < 1) throw new RangeError(`${agents} is no number of agents`);
    this.#agents = agents;
    this.#gate = gate;
    this.#pinned = distribution === 'round-robin';
    this.#tracks = tracks;
    this.#parallelOk = ranked.map(({ parallelOk }) => parallelOk);
    const lineOf = (index: number): number =>
      this.#parallelOk[index] ? this.#lineOf(index) : this.#aloneLine;
    this.#lines = new ReadyLanes(signatures(ranked, lineOf), this.#aloneLine + 1);
  }

  /** How many are ready and not yet taken, without those that were set aside. */
  get size(): number {
    return this.#size;
  }

  /** Whether something is ready that other runs keep from running. */
  get isWaiting(): boolean {
    return this.#aside.length > 0 || (this.#size > 0 && this.#gate.isShut);
  }

  /** Says that other runs may have given up what they held. */
  retry(): void {
    const aside = this.#aside;
    this.#aside = [];
    for (const index of aside) this.add(index);
  }

  /** Says that a workstream's dependencies are met. */
  add(index: number): void {
    if (this.#parallelOk[index] === undefined) throw new RangeError(`there is no workstream ${index}`);
    if (this.#lines.has(index) || this.#running.has(index))
      throw new Error(`workstream ${index} is in the queue already`);
    this.#lines.add(index);
    this.#drainingFor = null;
    this.#size += 1;
  }

  /**
   * The workstream that this agent is to run now, counted as running from here on; undefined when there is none.
   * When an agent is refused, ask the other free ones too: what is first in order may be pinned to one of them.
   * @param past whether the caller took something out before that was not for this agent, and will add it again: what
   * runs alone is not the first then, and nothing waits for it. Default: false.
   * @param accepts whether the caller wants it; nothing is taken where it does not. Default: it does.
   */
  take(agent: number, past = false, accepts: (index: number) => boolean = () => true): number | undefined {
    if (!Number.isInteger(agent) || agent < 0 || agent >= this.#agents)
      throw new RangeError(`there is no agent ${agent}`);
    for (;;) {
      const index = this.#choose(agent, past);
      if (this.#gate.isShut || index === undefined || !accepts(index)) return undefined;
      if (!this.#isAdmitted(index)) continue;
      this.#lines.start(index);
      this.#running.add(index);
      this.#size -= 1;
      return index;
    }
  }

  /** Whether this agent may take it at all. */
  isFor(index: number, agent: number): boolean {
    return this.#linesFor(agent).includes(this.#lineOf(index));
  }

  /** Says that a workstream that was taken has ended. */
  release(index: number): void {
    if (!this.#running.delete(index)) throw new Error(`workstream ${index} is not running`);
    this.#lines.release(index);
    this.#gate.leave(index);
    this.#drainingFor = null;
  }

  /** The line after those of the agents when pinned, of the tracks where there are any, or of all. */
  get #aloneLine(): number {
    return this.#pinned ? this.#agents : (this.#tracks?.count ?? 1);
  }

  #lineOf(index: number): number {
    return this.#pinned ? index % this.#agents : (this.#tracks?.of[index] ?? 0);
  }

  /** The lines that an agent takes from. */
  #linesFor(agent: number): readonly number[] {
    if (this.#pinned) return [agent];
    return this.#tracks?.takes[agent] ?? ONE_LINE;
  }

  #choose(agent: number, past: boolean): number | undefined {
    const [running] = this.#running;
    if (this.#drainingFor !== null || (running !== undefined && this.#parallelOk[running] === false))
      return undefined;
    if (past) return this.#firstFor(agent);
    while (!this.#gate.isShut) {
      const alone = this.#lines.first(this.#aloneLine);
      if (alone === undefined || !this.#isFirst(alone)) break;
      if (running === undefined) return this.isFor(alone, agent) ? alone : undefined;
      if (!this.#isAdmitted(alone)) continue;
      this.#drainingFor = alone;
      return undefined;
    }
    return this.#firstFor(agent);
  }

  /** Sets it aside where the gate refuses it, and not everything. */
  #isAdmitted(index: number): boolean {
    if (this.#gate.admit(index)) return true;
    if (!this.#gate.isShut) {
      this.#lines.remove(index);
      this.#size -= 1;
      this.#aside.push(index);
    }
    return false;
  }

  #firstFor(agent: number): number | undefined {
    let first: number | undefined;
    for (const line of this.#linesFor(agent)) {
      const index = this.#lines.first(line);
      if (index !== undefined && (first === undefined || index < first)) first = index;
    }
    return first;
  }

  /** Whether nothing that may run now, on whatever agent, comes before it. */
  #isFirst(alone: number): boolean {
    for (let line = 0; line < this.#aloneLine; line++) {
      const other = this.#lines.first(line);
      if (other !== undefined && other < alone) return false;
    }
    return true;
  }
}
