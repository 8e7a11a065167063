/** A list of numbers that grows without holding an object for each. */
class Numbers {
  #values = new Float64Array(64);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  sorted(): Float64Array {
    return this.#values.subarray(0, this.#length).toSorted();
  }
}

/** Intervals, and how much of the time at least one of them covers. */
export class Covered {
  readonly #starts = new Numbers();
  readonly #ends = new Numbers();

  /** Ignores what is no interval. */
  add(start: number, end: number): void {
    if (!(start <= end)) return;
    this.#starts.push(start);
    this.#ends.push(end);
  }

  /** Sorts: O(n log n). */
  length(): number {
    const starts = this.#starts.sorted();
    const ends = this.#ends.sorted();
    let length = 0;
    let open = 0;
    let since = 0;
    let next = 0;
    for (const end of ends) {
      for (; next < starts.length && (starts[next] ?? 0) <= end; next += 1) {
        if (open === 0) since = starts[next] ?? 0;
        open += 1;
      }
      open -= 1;
      if (open === 0) length += end - since;
    }
    return length;
  }
}
