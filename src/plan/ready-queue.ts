import type { Quotas } from '../domain/policy/quota.ts';
import { type Gate, OPEN_GATE, type TestHold } from '../domain/run-lock.ts';
import { QuotaUse } from './quota-use.ts';
import { ReadyPartitions } from './ready-partitions.ts';
import { Reservations, type Reserving } from './reservations.ts';
import { type Constrained, signatures } from './signatures.ts';

export interface ReadyQueueOptions {
  /** Number of agents. */
  agents: number;
  /** `round-robin` pins the workstream at position i of the plan to agent i mod N. */
  distribution: 'dynamic' | 'round-robin';
  /** Which agent takes what; null where each takes anything. Not with `round-robin`. */
  tracks: Tracks | null;
  /** Admits workstreams beside those of other runs. Default: admits all. */
  gate?: Gate;
  /** What workstreams need of processors and memory; null where they reserve nothing. Default: null. */
  reserving?: Reserving | null;
  /** How many agents may have workstreams of one kind; null for all of them. Not with `reserving`. Default: null. */
  quotas?: Quotas | null;
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

const ONE_PARTITION = [0];

/** How many workstreams that need processors or memory are started while an earlier one waits for these. */
const MOST_PASSES = 8;

/**
 * The workstreams whose dependencies are met, taken in the order of the plan, so that none runs beside one that it
 * conflicts with:
 *
 * - members of a conflict group, and workstreams whose scopes overlap, never run together;
 * - one that is not `parallelOk` runs alone. Once it is the first in order of those that are ready and in conflict
 *   with nothing that runs, nothing else is started until what runs has ended;
 * - with `round-robin` only a workstream's own agent gets it, with tracks only one that takes its track;
 * - one is taken only where there are processors and memory for what it reserves. Others that fit go past it, so that
 *   these are used; but once some have, it has a claim, and only what fits beside it is taken. One that runs alone has
 *   the machine for itself, and reserves nothing;
 * - of a kind that has a quota, one is taken only by an agent that has others of it, or while fewer agents than the quota
 *   have some. Others go past it.
 *
 * Otherwise no agent is refused while something that may run is ready. What the gate refuses is set aside until
 * `retry`, and nothing waits for it: the gate is asked about one that runs alone before what runs has to end.
 *
 * A workstream is its position in the plan. It is ready from `add` to `take` and running from `take` to `release`; it
 * may be added again after that. `take` costs O(log V) amortised, for each distinct number of processors that is
 * reserved, and O(length of paths) for scopes; however many wait for their quota, none of them is looked at.
 */
export class ReadyQueue {
  readonly #partitions: ReadyPartitions;
  readonly #agents: number;
  readonly #pinned: boolean;
  readonly #tracks: Tracks | null;
  /** By workstream: 1 for one that other runs beside. */
  readonly #parallelOk: Uint8Array;
  readonly #gate: Gate;
  readonly #reservations: Reservations | null;
  readonly #quotas: QuotaUse | null;
  /** The first in order that waited for processors or memory while an agent was free; null where none did. */
  #heldUp: number | null = null;
  /** How many were started since that need some and could have waited. */
  #passes = 0;
  /** The agent of each that runs. */
  readonly #running = new Map<number, number>();
  /** Ready, and refused by the gate. */
  #aside = new Set<number>();
  /** Taken out, and still in the partitions: each leaves them when it comes up there. */
  readonly #withdrawn = new Set<number>();
  #size = 0;
  /** The workstream that runs alone and for which what runs has to end; null when that has to be determined again. */
  #drainingFor: number | null = null;
  /** Whether tests are held that run alone. */
  #isHeldAlone = false;

  /** @param ranked in dispatch order, as `Plan.workstreams` is. */
  constructor(ranked: readonly Constrained[], options: ReadyQueueOptions) {
    const { agents, distribution, tracks, gate = OPEN_GATE, reserving = null, quotas = null } = options;
    if (!Number.isInteger(agents) || agents < 1) throw new RangeError(`${agents} is no number of agents`);
    if (reserving !== null && quotas !== null) throw new TypeError('what has quotas can reserve nothing');
    this.#agents = agents;
    this.#gate = gate;
    this.#pinned = distribution === 'round-robin';
    this.#tracks = tracks;
    this.#parallelOk = new Uint8Array(ranked.length);
    ranked.forEach(({ parallelOk }, index) => {
      if (parallelOk) this.#parallelOk[index] = 1;
    });
    const partitionOf = (index: number): number =>
      this.#parallelOk[index] === 1 ? this.#partitionOf(index) : this.#alonePartition;
    this.#reservations =
      reserving === null
        ? null
        : new Reservations({
            ...reserving,
            needs: reserving.needs.map((need, index) => (this.#parallelOk[index] === 1 ? need : null)),
          });
    this.#quotas = quotas === null ? null : new QuotaUse(quotas, (index) => this.#parallelOk[index] === 0);
    const kinds = this.#reservations ?? this.#quotas;
    this.#partitions = new ReadyPartitions(
      signatures(ranked, partitionOf, (index) => kinds?.kindOf(index) ?? 0),
      this.#alonePartition + 1,
      kinds === null ? null : () => kinds.makeHeap(),
    );
  }

  /** How many are ready and not yet taken, without those that were set aside. */
  get size(): number {
    return this.#size;
  }

  /** Whether something is ready that other runs keep from running, or of a kind that no agent may have for now. */
  get isWaiting(): boolean {
    if (this.#aside.size > 0 || this.#quotas?.isWaiting === true) return true;
    return this.#size > 0 && this.#gate.isShut;
  }

  /** Reads the quotas again, which may have changed. */
  readQuotas(): void {
    this.#quotas?.refresh();
    this.#drainingFor = null;
  }

  /** Adds again what was set aside: other runs may have released what they held. */
  retry(): void {
    const aside = this.#aside;
    this.#aside = new Set();
    for (const index of aside) this.add(index);
  }

  /**
   * Returns what tells an agent's share of the workstreams that are ready now, where so many agents share them, or as many
   * as the quota of their kind lets have some.
   */
  shares(agents: number): (index: number) => number {
    const share = Math.ceil(this.#size / agents);
    return this.#quotas?.shares(agents) ?? (() => share);
  }

  /** Whether a workstream is ready and not taken. */
  has(index: number): boolean {
    return this.#isIn(index) || this.#claimant === index || this.#aside.has(index);
  }

  #isIn(index: number): boolean {
    return this.#partitions.has(index) && !this.#withdrawn.has(index);
  }

  /** Takes out a workstream that `has` knows; it may be added again. */
  remove(index: number): void {
    if (this.#aside.delete(index)) return;
    if (this.#claimant === index) {
      this.#reservations?.giveUpClaim();
      this.#partitions.release(index);
    } else if (this.#isIn(index)) this.#withdrawn.add(index);
    else throw new Error(`workstream ${index} is not ready`);
    this.#gate.leave(index);
    if (this.#heldUp === index) this.#heldUp = null;
    this.#drainingFor = null;
    this.#addReady(index, -1);
  }

  #addReady(index: number, by: 1 | -1): void {
    this.#size += by;
    this.#quotas?.addReady(index, by);
  }

  /** Makes a workstream ready. */
  add(index: number): void {
    if (this.#parallelOk[index] === undefined) throw new RangeError(`there is no workstream ${index}`);
    if (this.#isIn(index) || this.#running.has(index))
      throw new Error(`workstream ${index} is in the queue already`);
    if (!this.#withdrawn.delete(index)) this.#partitions.add(index);
    this.#drainingFor = null;
    this.#addReady(index, 1);
  }

  /**
   * Returns the workstream that this agent is to run now, which counts as running from then on; undefined when there is
   * none. The other free agents are to be asked too: what is first in order may be pinned to one of them.
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
      if (index !== this.#claimant) {
        if (!this.#letsPass(index) || !this.#isAdmitted(index)) continue;
        this.#partitions.start(index);
      }
      this.#reserve(index);
      this.#running.set(index, agent);
      this.#quotas?.take(index, agent);
      this.#addReady(index, -1);
      return index;
    }
  }

  /** The workstream that is out of the partitions already, and keeps others from what it needs; null for none. */
  get #claimant(): number | null {
    return this.#reservations?.claimant ?? null;
  }

  /** Notes the first that an agent could have and for which there is not enough. */
  #noteHeldUp(agent: number): void {
    if (this.#reservations === null || this.#claimant !== null) return;
    if (this.#heldUp !== null && !this.#partitions.isOpen(this.#heldUp)) this.#heldUp = null;
    const first = this.#firstFor(agent, false);
    if (first === undefined || first === this.#firstFor(agent)) return;
    this.#heldUp = Math.min(first, this.#heldUp ?? first);
  }

  /**
   * Whether one that fits may be started before the one that is held up. Where enough have been, that has a claim from
   * now on: then it is to be chosen again.
   */
  #letsPass(index: number): boolean {
    const reservations = this.#reservations;
    const first = this.#heldUp;
    if (reservations === null || first === null || first >= index || this.#claimant !== null) return true;
    if (this.#passes < MOST_PASSES || !reservations.needsAny(index)) return true;
    this.#heldUp = null;
    if (!this.#partitions.isOpen(first) || !this.#isAdmitted(first)) return false;
    this.#partitions.start(first);
    reservations.claim(first);
    return false;
  }

  #reserve(index: number): void {
    const reservations = this.#reservations;
    if (reservations === null) return;
    const isPass = this.#heldUp !== null && this.#heldUp < index;
    if (index === this.#claimant || index === this.#heldUp) this.#passes = 0;
    else if (isPass && reservations.needsAny(index)) this.#passes += 1;
    if (index === this.#heldUp) this.#heldUp = null;
    reservations.reserve(index);
  }

  /** Whether this agent may take this workstream at all. */
  isFor(index: number, agent: number): boolean {
    return this.#partitionsFor(agent).includes(this.#partitionOf(index));
  }

  /** Whether it reserves processors or memory while it runs. */
  reserves(index: number): boolean {
    return this.#reservations?.needsAny(index) === true;
  }

  /** Ends a workstream that was taken. */
  release(index: number): void {
    const agent = this.#running.get(index);
    if (agent === undefined) throw new Error(`workstream ${index} is not running`);
    this.#running.delete(index);
    this.#partitions.release(index);
    this.#reservations?.release(index);
    this.#quotas?.release(index, agent);
    this.#gate.leave(index);
    this.#drainingFor = null;
  }

  /**
   * Keeps what may not run beside these tests from being taken. Returns what ends that; null, and nothing is kept, while
   * such a workstream runs.
   */
  hold({ alone, conflictGroups }: TestHold): (() => void) | null {
    if (this.#isHeldAlone || this.#isAloneRunning || (alone && this.#running.size > 0)) return null;
    const release = this.#partitions.hold(conflictGroups);
    if (release === null) return null;
    this.#isHeldAlone = alone;
    return () => {
      if (alone) this.#isHeldAlone = false;
      release();
      this.#drainingFor = null;
    };
  }

  /** The partition after those of the agents when pinned, of the tracks where there are any, or of all. */
  get #alonePartition(): number {
    return this.#pinned ? this.#agents : (this.#tracks?.count ?? 1);
  }

  #partitionOf(index: number): number {
    return this.#pinned ? index % this.#agents : (this.#tracks?.of[index] ?? 0);
  }

  /** The partitions that an agent takes from. */
  #partitionsFor(agent: number): readonly number[] {
    if (this.#pinned) return [agent];
    return this.#tracks?.takes[agent] ?? ONE_PARTITION;
  }

  #choose(agent: number, past: boolean): number | undefined {
    if (this.#drainingFor !== null || this.#isAloneRunning || this.#isHeldAlone) return undefined;
    const claimant = this.#claimant;
    if (claimant !== null && this.#reservations?.isClaimMet === true && this.isFor(claimant, agent))
      return claimant;
    if (past) return this.#firstFor(agent);
    this.#noteHeldUp(agent);
    while (!this.#gate.isShut) {
      const alone = this.#firstIn(this.#alonePartition);
      if (alone === undefined || (claimant ?? alone) < alone || !this.#isFirst(alone)) break;
      if (this.#running.size === 0) return this.isFor(alone, agent) ? alone : undefined;
      if (!this.#isAdmitted(alone)) continue;
      this.#drainingFor = alone;
      return undefined;
    }
    return this.#firstFor(agent);
  }

  /** What runs alone is the only one. */
  get #isAloneRunning(): boolean {
    if (this.#running.size !== 1) return false;
    const [running = -1] = this.#running.keys();
    return this.#parallelOk[running] === 0;
  }

  /** Sets it aside where the gate refuses it, and not everything. */
  #isAdmitted(index: number): boolean {
    if (this.#gate.admit(index)) return true;
    if (!this.#gate.isShut) {
      this.#partitions.remove(index);
      this.#addReady(index, -1);
      this.#aside.add(index);
    }
    return false;
  }

  /** @param mustFit whether there must be processors and memory for it. Default: true. */
  #firstFor(agent: number, mustFit = true): number | undefined {
    let first: number | undefined;
    this.#quotas?.askFor(agent);
    for (const partition of this.#partitionsFor(agent)) {
      const index = this.#firstIn(partition, mustFit);
      if (index !== undefined && (first === undefined || index < first)) first = index;
    }
    this.#quotas?.askFor(null);
    return first;
  }

  /** The first of a partition; what was taken out before it leaves as if it had run. */
  #firstIn(partition: number, mustFit = true): number | undefined {
    let first = this.#partitions.first(partition, mustFit);
    while (first !== undefined && this.#withdrawn.delete(first)) {
      this.#partitions.start(first);
      this.#partitions.release(first);
      first = this.#partitions.first(partition, mustFit);
    }
    return first;
  }

  /** Whether nothing that may run now, on whatever agent, comes before it. */
  #isFirst(alone: number): boolean {
    for (let partition = 0; partition < this.#alonePartition; partition++) {
      const other = this.#firstIn(partition);
      if (other !== undefined && other < alone) return false;
    }
    return true;
  }
}
