/**
 * Disjoint sets with union by size and path halving: Tarjan & van Leeuwen, "Worst-case analysis of set union
 * algorithms", 1984. A sequence of operations costs nearly constant time for each.
 */
export class UnionFind {
  /** Parent of an element, or for a root the negated size of its set. */
  readonly #links: Int32Array;

  constructor(size: number) {
    this.#links = new Int32Array(size).fill(-1);
  }

  /** Makes every element a set of its own again. */
  reset(): void {
    this.#links.fill(-1);
  }

  /** The element that stands for the whole set. */
  find(element: number): number {
    const links = this.#links;
    let current = element;
    for (;;) {
      const parent = links[current] ?? -1;
      if (parent < 0) return current;
      const grandparent = links[parent] ?? -1;
      if (grandparent < 0) return parent;
      links[current] = grandparent;
      current = grandparent;
    }
  }

  /** Makes one set of the sets of two elements. */
  union(a: number, b: number): void {
    const links = this.#links;
    let large = this.find(a);
    let small = this.find(b);
    if (large === small) return;
    if ((links[large] ?? 0) > (links[small] ?? 0)) [large, small] = [small, large];
    links[large] = (links[large] ?? 0) + (links[small] ?? 0);
    links[small] = large;
  }

  connected(a: number, b: number): boolean {
    return this.find(a) === this.find(b);
  }
}
