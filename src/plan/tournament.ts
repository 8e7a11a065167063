import { requireAt } from './require-at.ts';

/** The smallest of a fixed number of entries, each a number that may change: O(log n) for a change and for a range. */
export class Tournament {
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

  /** @param value undefined for an entry that has none. */
  set(entry: number, value: number | undefined): void {
    let at = this.#leaves + entry;
    this.#smallest[at] = value ?? Number.POSITIVE_INFINITY;
    for (at >>= 1; at > 0; at >>= 1)
      this.#smallest[at] = Math.min(requireAt(this.#smallest, 2 * at), requireAt(this.#smallest, 2 * at + 1));
  }
}
