/** What ready and running workstreams need of processors and memory, and which of the ready ones fit. */
import type { Capacity } from '../domain/plan.ts';
import type { Reservation } from '../domain/workstream.ts';
import { type FirstOfKinds, KindHeap } from './kind-heap.ts';
import { requireAt } from './require-at.ts';

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

/** Kinds that need the same number of processors, by rising memory. */
interface Level {
  cpus: number;
  /** The number of its first kind; the others follow. */
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
  /** By workstream: its kind. Workstreams of one kind need the same, and fit at the same times. */
  readonly #kinds: Int32Array;
  /** By kind. */
  readonly #amounts: Amount[] = [];
  readonly #levels: Level[] = [];

  constructor({ needs, capacity }: Reserving) {
    this.#total = amountOf(capacity);
    this.#startedAt = new Int32Array(needs.length);
    const amounts = needs.map((need) => (need === null ? NOTHING : least(amountOf(need), this.#total)));
    this.#kinds = this.#classify(amounts);
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
      const number = this.#amounts.push(amount) - 1;
      numbers.set(name(amount), number);
      const level = this.#levels.at(-1);
      if (level?.cpus === cpus) level.memory.push(memory);
      else this.#levels.push({ cpus, first: number, memory: [memory] });
    }
    return Int32Array.from(amounts, (amount) => numbers.get(name(amount)) ?? 0);
  }

  kindOf(index: number): number {
    return requireAt(this.#kinds, index);
  }

  /** A heap for ready workstreams that finds the smallest, or the smallest that fits now. */
  makeHeap(): KindHeap {
    return new KindHeap({
      kinds: this.#amounts.length,
      kindOf: (index) => this.kindOf(index),
      choose: (firsts, mustFit) => (mustFit ? this.#smallestFitting(firsts) : firsts.smallest),
    });
  }

  /** O(log V) for each distinct number of processors. */
  #smallestFitting(firsts: FirstOfKinds): number {
    const room = this.#room;
    let smallest = Number.POSITIVE_INFINITY;
    for (const { cpus, first, memory } of this.#levels) {
      if (cpus > room.cpus) break;
      smallest = Math.min(smallest, firsts.between(first, first + countUpTo(memory, room.memory)));
    }
    return smallest;
  }

  /** The most that a workstream may need to be started now. */
  get #room(): Amount {
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
    const need = this.#amounts[this.kindOf(index)];
    if (need === undefined) throw new RangeError(`there is no workstream ${index}`);
    return need;
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
