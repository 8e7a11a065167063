/** What ready and running workstreams need of processors and memory, and which of the ready ones fit. */
import type { Capacity } from '../domain/plan.ts';
import type { Reservation } from '../domain/workstream.ts';
import { IntHeap } from './int-heap.ts';
import { requireAt } from './require-at.ts';
import { Tournament } from './tournament.ts';

/** What each workstream reserves, null for nothing, and what there is for all of them. */
export interface Reserving {
  needs: readonly (Reservation | null)[];
  capacity: Pick<Capacity, 'cpus' | 'memoryMb'>;
}

/** In whole thousandths, so that sums of fractions are exact. */
interface Amount {
  cpus: number;
  memory: number;
}

const THOUSANDTHS = 1000;

const amountOf = ({ cpus, memoryMb }: Reservation): Amount => ({
  cpus: Math.round((cpus ?? 0) * THOUSANDTHS),
  memory: Math.round((memoryMb ?? 0) * THOUSANDTHS),
});

const isWithin = (amount: Amount, room: Amount): boolean =>
  amount.cpus <= room.cpus && amount.memory <= room.memory;

const plus = (a: Amount, b: Amount): Amount => ({ cpus: a.cpus + b.cpus, memory: a.memory + b.memory });
const minus = (a: Amount, b: Amount): Amount => ({ cpus: a.cpus - b.cpus, memory: a.memory - b.memory });
const least = (a: Amount, b: Amount): Amount => ({
  cpus: Math.min(a.cpus, b.cpus),
  memory: Math.min(a.memory, b.memory),
});

const NOTHING: Amount = { cpus: 0, memory: 0 };

/** Of what was started by its own claim. */
const NEVER = -1;

/** Classes that need the same number of processors, by rising memory. */
interface Level {
  cpus: number;
  /** The number of its first class; the others follow. */
  first: number;
  memory: number[];
}

/**
 * What is reserved and what is free. A workstream is its position in the plan. One that needs more than there is needs all
 * of it, so that everything fits where nothing runs.
 *
 * One workstream at a time may have a claim: what it needs is kept for it. Others are started only where they fit beside
 * it, so that it fits at the latest when all that ran at the time of its claim have ended.
 */
export class Reservations {
  readonly #total: Amount;
  #reserved = NOTHING;
  /** The workstream that has a claim; null for none. */
  #claimant: number | null = null;
  /** Reserved by what was started since the claim. */
  #besideClaim = NOTHING;
  /** By workstream: the number of claims there had been when it was started beside the last of them. */
  readonly #startedAt: Int32Array;
  #claims = 0;
  /** By workstream: its class. Workstreams of one class need the same, and fit at the same times. */
  readonly classOf: Int32Array;
  readonly #classes: Amount[] = [];
  readonly levels: Level[] = [];

  constructor({ needs, capacity }: Reserving) {
    this.#total = amountOf(capacity);
    this.#startedAt = new Int32Array(needs.length);
    const amounts = needs.map((need) => (need === null ? NOTHING : least(amountOf(need), this.#total)));
    this.classOf = this.#classify(amounts);
  }

  /** Numbers the distinct amounts by rising processors, then by rising memory. O(V log V). */
  #classify(amounts: readonly Amount[]): Int32Array {
    const numbers = new Map<string, number>();
    const name = ({ cpus, memory }: Amount): string => `${cpus} ${memory}`;
    const ascending = [...new Map(amounts.map((amount) => [name(amount), amount])).values()].toSorted(
      (a, b) => a.cpus - b.cpus || a.memory - b.memory,
    );
    for (const amount of ascending) {
      const { cpus, memory } = amount;
      const number = this.#classes.push(amount) - 1;
      numbers.set(name(amount), number);
      const level = this.levels.at(-1);
      if (level?.cpus === cpus) level.memory.push(memory);
      else this.levels.push({ cpus, first: number, memory: [memory] });
    }
    return Int32Array.from(amounts, (amount) => numbers.get(name(amount)) ?? 0);
  }

  get classes(): number {
    return this.#classes.length;
  }

  /** The most that a workstream may need to be started now. */
  get room(): Amount {
    const free = minus(this.#total, this.#reserved);
    if (this.#claimant === null) return free;
    const beside = minus(minus(this.#total, this.#need(this.#claimant)), this.#besideClaim);
    return least(free, beside);
  }

  needsAny(index: number): boolean {
    const { cpus, memory } = this.#need(index);
    return cpus > 0 || memory > 0;
  }

  /** The workstream with the claim; null for none. */
  get claimant(): number | null {
    return this.#claimant;
  }

  /** Whether there is enough for the workstream with the claim. */
  get isClaimMet(): boolean {
    if (this.#claimant === null) return false;
    return isWithin(this.#need(this.#claimant), minus(this.#total, this.#reserved));
  }

  /** Keeps what this one needs until `reserve` is called for it. Nothing has a claim yet. */
  claim(index: number): void {
    this.#claimant = index;
    this.#claims += 1;
    this.#besideClaim = NOTHING;
  }

  /** Nothing is kept for the one with the claim any more. */
  giveUpClaim(): void {
    this.#claimant = null;
  }

  reserve(index: number): void {
    const need = this.#need(index);
    this.#reserved = plus(this.#reserved, need);
    const hasClaim = this.#claimant === index;
    this.#startedAt[index] = hasClaim ? NEVER : this.#claims;
    if (hasClaim) this.#claimant = null;
    else this.#besideClaim = plus(this.#besideClaim, need);
  }

  release(index: number): void {
    const need = this.#need(index);
    this.#reserved = minus(this.#reserved, need);
    if (this.#startedAt[index] === this.#claims) this.#besideClaim = minus(this.#besideClaim, need);
  }

  #need(index: number): Amount {
    const need = this.#classes[requireAt(this.classOf, index)];
    if (need === undefined) throw new RangeError(`there is no workstream ${index}`);
    return need;
  }
}

/**
 * A min-heap of workstreams of which each needs something: as `IntHeap`, and also finds the smallest that fits now, in
 * O(log V) for each distinct number of processors.
 */
export class FittingHeap {
  readonly #reservations: Reservations;
  /** By class, those in it; made with the first. */
  readonly #members: (IntHeap | undefined)[];
  /** The smallest of each class. */
  readonly #firsts: Tournament;

  constructor(reservations: Reservations) {
    this.#reservations = reservations;
    this.#members = Array.from({ length: reservations.classes }, () => undefined);
    this.#firsts = new Tournament(reservations.classes);
  }

  push(index: number): void {
    const number = requireAt(this.#reservations.classOf, index);
    const members = (this.#members[number] ??= new IntHeap());
    members.push(index);
    this.#firsts.set(number, members.peek());
  }

  /** The smallest, or the smallest that fits now; undefined where there is none. */
  peek(mustFit: boolean): number | undefined {
    const smallest = mustFit ? this.#smallestFitting() : this.#firsts.smallest;
    return smallest === Number.POSITIVE_INFINITY ? undefined : smallest;
  }

  /** Takes out what `peek` returns. */
  pop(mustFit: boolean): number | undefined {
    const index = this.peek(mustFit);
    if (index === undefined) return undefined;
    const number = requireAt(this.#reservations.classOf, index);
    this.#members[number]?.pop();
    this.#firsts.set(number, this.#members[number]?.peek());
    return index;
  }

  #smallestFitting(): number {
    const { room, levels } = this.#reservations;
    let smallest = Number.POSITIVE_INFINITY;
    for (const { cpus, first, memory } of levels) {
      if (cpus > room.cpus) break;
      smallest = Math.min(smallest, this.#firsts.between(first, first + countUpTo(memory, room.memory)));
    }
    return smallest;
  }
}

/** How many of these ascending numbers are no greater than that one. */
function countUpTo(ascending: readonly number[], most: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
