/** A binary min-heap of numbers: `push` and `pop` in O(log n), `peek` in O(1). Equal numbers are kept as often as pushed. */
export class IntHeap {
  readonly #items: number[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The smallest number; undefined when empty. */
  peek(): number | undefined {
    return this.#items[0];
  }

  push(value: number): void {
    const items = this.#items;
    let hole = items.length;
    items.push(value);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = items[parent];
      if (above === undefined || above <= value) break;
      items[hole] = above;
      hole = parent;
    }
    items[hole] = value;
  }

  /** Takes the smallest number out; undefined when empty. */
  pop(): number | undefined {
    const items = this.#items;
    const smallest = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) this.#sink(last);
    return smallest;
  }

  /** Fills the hole at the top with `value`. */
  #sink(value: number): void {
    const items = this.#items;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      let below = items[child];
      if (below === undefined) break;
      const right = items[child + 1];
      if (right !== undefined && right < below) {
        child += 1;
        below = right;
      }
      if (below >= value) break;
      items[hole] = below;
      hole = child;
    }
    items[hole] = value;
  }
}
