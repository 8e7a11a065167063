import type { Workstream } from '../domain/workstream.ts';
import { IdIndex } from '../text/id-index.ts';
import { requireAt } from './require-at.ts';

/** Workstreams as nodes 0, 1, …, in the order of the input. */
export interface Graph {
  count: number;
  /** From a workstream to what it depends on, each once. */
  dependencies: Adjacency;
  /** From a workstream to those that depend on it, each once. */
  dependents: Adjacency;
  /** Dependencies that are defined nowhere: at most one, the first, for each workstream. */
  missing: MissingDependency[];
}

interface MissingDependency {
  node: number;
  id: string;
}

/** The fields of a workstream that a graph needs. */
export type Linked = Pick<Workstream, 'id' | 'dependsOn'>;

/**
 * The graph of the workstreams. A dependency on one of the ids in `elsewhere` (broken ones, and those that are not
 * part of this plan) is no edge and is not missing. O(V + E).
 */
export function buildGraph(workstreams: readonly Linked[], elsewhere: ReadonlySet<string>): Graph {
  const starts = new Int32Array(workstreams.length + 1);
  const targets: number[] = [];
  const missing: MissingDependency[] = [];
  if (workstreams.every(({ dependsOn }) => dependsOn.length === 0)) {
    const none = new Adjacency(starts, NO_NODES);
    return { count: workstreams.length, dependencies: none, dependents: none, missing };
  }
  const nodes = new IdIndex(workstreams.length, (node) => workstreams[node]?.id ?? '');
  for (const node of workstreams.keys()) nodes.add(node);
  /** By target: the last node that was seen to depend on it, so that a repeated dependency counts once. */
  const seenFrom = new Int32Array(workstreams.length).fill(-1);
  for (const [node, { dependsOn }] of workstreams.entries()) {
    let unknown: string | null = null;
    for (const { id } of dependsOn) {
      const target = nodes.numberOf(id);
      if (target === null) {
        if (!elsewhere.has(id)) unknown ??= id;
      } else if (seenFrom[target] !== node) {
        seenFrom[target] = node;
        targets.push(target);
      }
    }
    if (unknown !== null) missing.push({ node, id: unknown });
    starts[node + 1] = targets.length;
  }
  const dependencies = new Adjacency(starts, Int32Array.from(targets));
  return { count: workstreams.length, dependencies, dependents: dependencies.reversed(), missing };
}

const NO_NODES = new Int32Array(0);

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

  /** The neighbours of a node, in the order of the input. */
  of(node: number): Int32Array {
    const start = requireAt(this.#starts, node);
    const end = requireAt(this.#starts, node + 1);
    return start === end ? NO_NODES : this.#targets.subarray(start, end);
  }

  degree(node: number): number {
    return requireAt(this.#starts, node + 1) - requireAt(this.#starts, node);
  }

  /** The same edges the other way round; the neighbours of each node ascend. */
  reversed(): Adjacency {
    const next = new Int32Array(this.count + 1);
    for (const target of this.#targets) next[target + 1] = requireAt(next, target + 1) + 1;
    for (let node = 0; node < this.count; node++)
      next[node + 1] = requireAt(next, node + 1) + requireAt(next, node);
    const starts = next.slice();
    const sources = new Int32Array(this.edges);
    for (let node = 0; node < this.count; node++) {
      for (const target of this.of(node)) {
        const place = requireAt(next, target);
        sources[place] = node;
        next[target] = place + 1;
      }
    }
    return new Adjacency(starts, sources);
  }
}

/** All nodes, each after everything it depends on; null for a graph with a cycle. O(V + E). */
export function topologicalOrder(graph: Graph): Int32Array | null {
  const unmet = new Int32Array(graph.count);
  const order = new Int32Array(graph.count);
  let known = 0;
  for (let node = 0; node < graph.count; node++) {
    const needs = graph.dependencies.degree(node);
    unmet[node] = needs;
    if (needs === 0) order[known++] = node;
  }
  if (graph.dependencies.edges === 0) return order;
  // The list grows during the loop.
  for (let at = 0; at < known; at++) {
    for (const dependent of graph.dependents.of(requireAt(order, at))) {
      const left = requireAt(unmet, dependent) - 1;
      unmet[dependent] = left;
      if (left === 0) order[known++] = dependent;
    }
  }
  return known < graph.count ? null : order;
}

/**
 * The wave of each node, counted from 0: the number of edges of the longest chain of dependencies that leads to it.
 * `order` is a topological order.
 */
export function waveNumbers(graph: Graph, order: Int32Array): Int32Array {
  const waves = new Int32Array(graph.count);
  if (graph.dependencies.edges === 0) return waves;
  for (const node of order) {
    let wave = 0;
    for (const dependency of graph.dependencies.of(node))
      wave = Math.max(wave, requireAt(waves, dependency) + 1);
    waves[node] = wave;
  }
  return waves;
}

/** The nodes of each wave, ascending. */
export function groupByWave(waveOf: Int32Array): number[][] {
  const waves: number[][] = [];
  for (const [node, wave] of waveOf.entries()) {
    while (waves.length <= wave) waves.push([]);
    waves[wave]?.push(node);
  }
  return waves;
}

/**
 * For each node the expected seconds of the longest chain that begins with it, its own included. `order` is a
 * topological order.
 */
export function remainingSeconds(graph: Graph, order: Int32Array, expected: Float64Array): Float64Array {
  const remaining = new Float64Array(graph.count);
  for (let at = order.length - 1; at >= 0; at--) {
    const node = requireAt(order, at);
    let longest = 0;
    for (const dependent of graph.dependents.of(node))
      longest = Math.max(longest, requireAt(remaining, dependent));
    remaining[node] = requireAt(expected, node) + longest;
  }
  return remaining;
}

/** The longest chain by expected seconds, from one that needs nothing to one that nothing needs; first in node order among equals. */
export function criticalPath(graph: Graph, remaining: Float64Array): number[] {
  let next: number | null = null;
  for (let node = 0; node < graph.count; node++) {
    if (graph.dependencies.degree(node) > 0) continue;
    if (next === null || requireAt(remaining, node) > requireAt(remaining, next)) next = node;
  }
  const path: number[] = [];
  while (next !== null) {
    path.push(next);
    next = longest(graph.dependents.of(next), remaining);
  }
  return path;
}

function longest(nodes: Int32Array, remaining: Float64Array): number | null {
  let best: number | null = null;
  for (const node of nodes) {
    if (best === null || requireAt(remaining, node) > requireAt(remaining, best)) best = node;
  }
  return best;
}
