/**
 * A min-heap of integers: `push` and `pop` in O(log n), `peek` in O(1). Equal numbers are kept as often as pushed. What is
 * pushed in ascending order, as the most of a plan is, stays as it came, and costs O(1).
 */
export class IntHeap {
  /** Ascending from `#first` on; what is before was popped. */
  readonly #run: number[] = [];
  #first = 0;
  /** A binary heap of what was smaller than the end of the run when it was pushed. */
  readonly #heap: number[] = [];

  get size(): number {
    return this.#run.length - this.#first + this.#heap.length;
  }

  /** The smallest number; undefined when empty. */
  peek(): number | undefined {
    const next = this.#run[this.#first];
    const top = this.#heap[0];
    return next === undefined || (top !== undefined && top < next) ? top : next;
  }

  push(value: number): void {
    const last = this.#run.at(-1);
    if (last === undefined || last <= value) this.#run.push(value);
    else this.#rise(value);
  }

  /** Takes the smallest number out; undefined when empty. */
  pop(): number | undefined {
    const next = this.#run[this.#first];
    const top = this.#heap[0];
    if (next === undefined || (top !== undefined && top < next)) return this.#popHeap();
    this.#first += 1;
    if (this.#first === this.#run.length) this.#first = this.#run.length = 0;
    return next;
  }

  #rise(value: number): void {
    const heap = this.#heap;
    let hole = heap.length;
    heap.push(value);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above <= value) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = value;
  }

  #popHeap(): number | undefined {
    const heap = this.#heap;
    const smallest = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return smallest;
  }

  /** Fills the hole at the top with `value`. */
  #sink(value: number): void {
    const heap = this.#heap;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && right < below) {
        child += 1;
        below = right;
      }
      if (below >= value) break;
      heap[hole] = below;
      hole = child;
    }
    heap[hole] = value;
  }
}
