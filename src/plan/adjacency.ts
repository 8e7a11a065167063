import { at } from './at.ts';

/** For each of `count` nodes the nodes it points to, in two flat arrays: 4 bytes an edge, no object a node. */
export class Adjacency {
  readonly count: number;
  readonly #starts: Int32Array;
  readonly #targets: Int32Array;

  /** `targets` holds the neighbours of node n from `starts[n]` up to `starts[n + 1]`. */
  constructor(starts: Int32Array, targets: Int32Array) {
    this.count = starts.length - 1;
    this.#starts = starts;
    this.#targets = targets;
  }

  get edges(): number {
    return this.#targets.length;
  }

  /** The neighbours of a node, in the order they were given. */
  of(node: number): Int32Array {
    return this.#targets.subarray(at(this.#starts, node), at(this.#starts, node + 1));
  }

  degree(node: number): number {
    return at(this.#starts, node + 1) - at(this.#starts, node);
  }

  /** The same edges the other way round; the neighbours of each node ascend. */
  reversed(): Adjacency {
    const next = new Int32Array(this.count + 1);
    for (const target of this.#targets) next[target + 1] = at(next, target + 1) + 1;
    for (let node = 0; node < this.count; node++) next[node + 1] = at(next, node + 1) + at(next, node);
    const starts = next.slice();
    const sources = new Int32Array(this.edges);
    for (let node = 0; node < this.count; node++) {
      for (const target of this.of(node)) {
        const place = at(next, target);
        sources[place] = node;
        next[target] = place + 1;
      }
    }
    return new Adjacency(starts, sources);
  }
}
