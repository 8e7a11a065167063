import { IntHeap } from './int-heap.ts';
import { requireAt } from './require-at.ts';

/** The smallest workstream of each kind that is open. */
export type FirstOfKinds = Pick<KindHeap, 'first' | 'smallest' | 'between'>;

export interface KindHeapParts {
  /** Number of kinds. */
  kinds: number;
  kindOf: (index: number) => number;
  /** Whether a kind counts in `smallest` and `between`. Default: each does. */
  isOpen?: (kind: number) => boolean;
  /** What `peek` returns, by the first of each kind; `Infinity` for none. */
  choose: (firsts: FirstOfKinds, mustFit: boolean) => number;
}

/**
 * A min-heap of workstreams as `IntHeap`, which passes over kinds of them: a kind is a number from 0, and workstreams of
 * one kind may be taken at the same times. O(log V) for each, and for each range of kinds that is looked at.
 */
export class KindHeap {
  readonly #kindOf: KindHeapParts['kindOf'];
  readonly #isOpen: (kind: number) => boolean;
  readonly #choose: KindHeapParts['choose'];
  /** By kind; made with the first of it. */
  readonly #members: (IntHeap | undefined)[];
  readonly #firsts: Tournament;

  constructor({ kinds, kindOf, isOpen = () => true, choose }: KindHeapParts) {
    this.#kindOf = kindOf;
    this.#isOpen = isOpen;
    this.#choose = choose;
    this.#members = Array.from({ length: kinds }, () => undefined);
    this.#firsts = new Tournament(kinds);
  }

  push(index: number): void {
    const kind = this.#kindOf(index);
    (this.#members[kind] ??= new IntHeap()).push(index);
    this.update(kind);
  }

  /** The smallest that may be taken; undefined where there is none. */
  peek(mustFit: boolean): number | undefined {
    const smallest = this.#choose(this, mustFit);
    return smallest === Number.POSITIVE_INFINITY ? undefined : smallest;
  }

  /** Takes out what `peek` returns. */
  pop(mustFit: boolean): number | undefined {
    const index = this.peek(mustFit);
    if (index === undefined) return undefined;
    const kind = this.#kindOf(index);
    this.#members[kind]?.pop();
    this.update(kind);
    return index;
  }

  /** To be called when a kind has opened or closed. */
  update(kind: number): void {
    this.#firsts.set(kind, this.#isOpen(kind) ? this.first(kind) : Number.POSITIVE_INFINITY);
  }

  /** The smallest of a kind, open or not; `Infinity` where it has none, here and below. */
  first(kind: number): number {
    return this.#members[kind]?.peek() ?? Number.POSITIVE_INFINITY;
  }

  /** The smallest of all open kinds. */
  get smallest(): number {
    return this.#firsts.smallest;
  }

  /** The smallest of the open ones among the kinds from `first` to before `end`. */
  between(first: number, end: number): number {
    return this.#firsts.between(first, end);
  }
}

/** The smallest of a fixed number of entries, each a number that may change: O(log n) for a change and for a range. */
class Tournament {
  /** The first leaf, that of entry 0: a power of two. */
  readonly #leaves: number;
  /** The smaller of a node's children is at the node, the root is at 1. */
  readonly #smallest: Float64Array;

  constructor(entries: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, entries)));
    this.#smallest = new Float64Array(2 * this.#leaves).fill(Number.POSITIVE_INFINITY);
  }

  /** The smallest of all; `Infinity` where no entry is smaller. */
  get smallest(): number {
    return requireAt(this.#smallest, 1);
  }

  /** The smallest of the entries from `first` to before `end`. */
  between(first: number, end: number): number {
    let smallest = Number.POSITIVE_INFINITY;
    for (
      let left = this.#leaves + first, right = this.#leaves + end;
      left < right;
      left = (left + 1) >> 1, right >>= 1
    ) {
      if (left % 2 === 1) smallest = Math.min(smallest, requireAt(this.#smallest, left));
      if (right % 2 === 1) smallest = Math.min(smallest, requireAt(this.#smallest, right - 1));
    }
    return smallest;
  }

  set(entry: number, value: number): void {
    let at = this.#leaves + entry;
    this.#smallest[at] = value;
    for (at >>= 1; at > 0; at >>= 1)
      this.#smallest[at] = Math.min(requireAt(this.#smallest, 2 * at), requireAt(this.#smallest, 2 * at + 1));
  }
}
