/** Names for cycles: every workstream that is on a cycle gets a concrete path from itself back to itself. */
import type { Adjacency, Graph } from './graph.ts';
import { requireAt } from './require-at.ts';

/** Longest path that is shown whole, in ids. */
const SHOWN = 12;
/** Longest cycle that is computed for one member alone, so that naming n members costs O(n). */
const SEARCHED = 64;

/**
 * For each node on a cycle, ascending within a component, a cycle that it is on as ids: `a, b, a`, where each needs
 * the next. It starts with the member first in node order, and members of the shortest cycle through the first node
 * of a component share that path. A long one says how many ids it leaves out: `… 12 more …`. O(V + E).
 */
export function nameCycles(graph: Graph, idOf: (node: number) => string): Map<number, string[]> {
  const component = new Int32Array(graph.count).fill(-1);
  const names = new Map<number, string[]>();
  for (const [number, members] of cyclicComponents(graph.dependencies).entries()) {
    for (const member of members) component[member] = number;
    const within = (node: number): boolean => component[node] === number;
    const first = requireAt(members, 0);
    const there = shortestPaths(graph.dependencies, first, within);
    const back = shortestPaths(graph.dependents, first, within);
    const shared = throughRoot(graph, there, within);
    const path = shorten(shared.map(idOf));
    for (const node of shared) names.set(node, path);
    for (const member of members) {
      if (!names.has(member)) names.set(member, throughMember(graph, there, back, member, idOf));
    }
  }
  return names;
}

/** The shortest cycle through the tree's root. */
function throughRoot(graph: Graph, there: Tree, within: (node: number) => boolean): number[] {
  let last: number | null = null;
  for (const node of graph.dependents.of(there.root)) {
    if (within(node) && (last === null || there.depth(node) < there.depth(last))) last = node;
  }
  if (last === null) throw new Error(`node ${there.root} is on no cycle`);
  return [...there.fromRoot(last), there.root];
}

/** A cycle through a member; for one that is far from the root a round trip that names the root and the member. */
function throughMember(
  graph: Graph,
  there: Tree,
  back: Tree,
  member: number,
  idOf: (node: number) => string,
): string[] {
  if (graph.dependencies.of(member).includes(member)) return [idOf(member), idOf(member)];
  const out = there.depth(member);
  const home = back.depth(member);
  if (out + home <= SEARCHED) return shorten(startAtFirst(simpleCycle(there, back, member)).map(idOf));
  const root = idOf(there.root);
  return [root, ...leftOut(out - 1), idOf(member), ...leftOut(home - 1), root];
}

/** The path from `member` back to where it meets the path to it, and from there to `member` again. */
function simpleCycle(there: Tree, back: Tree, member: number): number[] {
  const out = there.fromRoot(member);
  const onTheWay = new Set(out);
  const home = back.fromRoot(member).toReversed().slice(1);
  const meeting = home.findIndex((node) => onTheWay.has(node));
  const start = out.indexOf(requireAt(home, meeting));
  return [...out.slice(start), ...home.slice(0, meeting)];
}

/** A ring of nodes as a closed path from its first node in node order. */
function startAtFirst(ring: number[]): number[] {
  const start = ring.indexOf(Math.min(...ring));
  return [...ring.slice(start), ...ring.slice(0, start), requireAt(ring, start)];
}

const leftOut = (count: number): string[] => (count > 0 ? [`… ${count} more …`] : []);

function shorten(path: string[]): string[] {
  if (path.length <= SHOWN) return path;
  const half = SHOWN / 2;
  return [...path.slice(0, half), ...leftOut(path.length - SHOWN), ...path.slice(-half)];
}

// Which nodes can reach each other: Tarjan's algorithm without recursion, so that no chain is too long.

/** The components that hold a cycle, each ascending, in the order of their first nodes. O(V + E). */
export function cyclicComponents(edges: Adjacency): number[][] {
  const walk = new Walk(edges);
  for (let node = 0; node < edges.count; node++) walk.from(node);
  return walk.cyclic
    .map((members) => members.toSorted((a, b) => a - b))
    .toSorted((a, b) => requireAt(a, 0) - requireAt(b, 0));
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
        this.#lower(node, requireAt(this.#seen, next));
      }
    }
  }

  #next(node: number): number | undefined {
    const edge = requireAt(this.#followed, node);
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
    if (low < requireAt(this.#low, node)) this.#low[node] = low;
  }

  #leave(node: number, parent: number | undefined): void {
    if (parent !== undefined) this.#lower(parent, requireAt(this.#low, node));
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

/** The shortest paths from one root. */
interface Tree {
  root: number;
  /** Edges between the root and a node; Infinity when there is no path. */
  depth(node: number): number;
  /** The nodes of the path, root and node included. */
  fromRoot(node: number): number[];
}

/** Breadth-first search from `root` over the nodes that are `within`. Costs what it visits. */
function shortestPaths(edges: Adjacency, root: number, within: (node: number) => boolean): Tree {
  const reached = new Map<number, { parent: number; depth: number }>([[root, { parent: root, depth: 0 }]]);
  const queue = [root];
  // The queue grows during the loop.
  for (const node of queue) {
    const depth = (reached.get(node)?.depth ?? 0) + 1;
    for (const next of edges.of(node)) {
      if (reached.has(next) || !within(next)) continue;
      reached.set(next, { parent: node, depth });
      queue.push(next);
    }
  }
  return {
    root,
    depth: (node) => reached.get(node)?.depth ?? Number.POSITIVE_INFINITY,
    fromRoot: (node) => {
      const path = [node];
      for (let last = node; last !== root; last = requireAt(path, path.length - 1)) {
        const step = reached.get(last);
        if (step === undefined) throw new Error(`there is no path from ${root} to ${node}`);
        path.push(step.parent);
      }
      return path.toReversed();
    },
  };
}
