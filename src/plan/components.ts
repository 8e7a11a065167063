/** Which nodes can reach each other: Tarjan's algorithm without recursion, so that no chain is too long. */
import type { Adjacency } from './adjacency.ts';
import { at } from './at.ts';

/** The components that hold a cycle, each ascending, in the order of their first nodes. O(V + E). */
export function cyclicComponents(edges: Adjacency): number[][] {
  const walk = new Walk(edges);
  for (let node = 0; node < edges.count; node++) walk.from(node);
  return walk.cyclic
    .map((members) => members.toSorted((a, b) => a - b))
    .toSorted((a, b) => at(a, 0) - at(b, 0));
}

class Walk {
  readonly cyclic: number[][] = [];
  readonly #edges: Adjacency;
  /** When a node was first seen, counted from 1; 0 for not yet. */
  readonly #seen: Int32Array;
  /** The earliest node on the stack that can be reached from it. */
  readonly #low: Int32Array;
  /** How many of a node's edges have been followed. */
  readonly #followed: Int32Array;
  readonly #onStack: Uint8Array;
  readonly #stack: number[] = [];
  #clock = 0;

  constructor(edges: Adjacency) {
    this.#edges = edges;
    this.#seen = new Int32Array(edges.count);
    this.#low = new Int32Array(edges.count);
    this.#followed = new Int32Array(edges.count);
    this.#onStack = new Uint8Array(edges.count);
  }

  from(root: number): void {
    if (this.#seen[root] !== 0) return;
    const path = [root];
    this.#enter(root);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const next = this.#next(node);
      if (next === undefined) {
        path.pop();
        this.#leave(node, path.at(-1));
      } else if (this.#seen[next] === 0) {
        this.#enter(next);
        path.push(next);
      } else if (this.#onStack[next] === 1) {
        this.#lower(node, at(this.#seen, next));
      }
    }
  }

  #next(node: number): number | undefined {
    const edge = at(this.#followed, node);
    this.#followed[node] = edge + 1;
    return this.#edges.of(node)[edge];
  }

  #enter(node: number): void {
    this.#clock += 1;
    this.#seen[node] = this.#clock;
    this.#low[node] = this.#clock;
    this.#stack.push(node);
    this.#onStack[node] = 1;
  }

  #lower(node: number, low: number): void {
    if (low < at(this.#low, node)) this.#low[node] = low;
  }

  #leave(node: number, parent: number | undefined): void {
    if (parent !== undefined) this.#lower(parent, at(this.#low, node));
    if (this.#low[node] !== this.#seen[node]) return;
    const members: number[] = [];
    let member: number | undefined;
    do {
      member = this.#stack.pop();
      if (member === undefined) throw new Error('the stack ended before its component');
      this.#onStack[member] = 0;
      members.push(member);
    } while (member !== node);
    if (members.length > 1 || this.#edges.of(node).includes(node)) this.cyclic.push(members);
  }
}
