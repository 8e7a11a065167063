import { at } from './at.ts';
import type { Graph } from './graph.ts';

/**
 * For each node the expected seconds of the longest chain that begins with it, its own included. `order` is a
 * topological order.
 */
export function remainingSeconds(
  graph: Graph,
  order: readonly number[],
  expected: Float64Array,
): Float64Array {
  const remaining = new Float64Array(graph.count);
  for (const node of order.toReversed()) {
    let longest = 0;
    for (const dependent of graph.dependents.of(node)) longest = Math.max(longest, at(remaining, dependent));
    remaining[node] = at(expected, node) + longest;
  }
  return remaining;
}

/** The longest chain by expected seconds, from one that needs nothing to one that nothing needs; first in node order among equals. */
export function criticalPath(graph: Graph, remaining: Float64Array): number[] {
  const starts: number[] = [];
  for (let node = 0; node < graph.count; node++) if (graph.dependencies.degree(node) === 0) starts.push(node);
  const path: number[] = [];
  let next = longest(starts, remaining);
  while (next !== null) {
    path.push(next);
    next = longest(graph.dependents.of(next), remaining);
  }
  return path;
}

function longest(nodes: Iterable<number>, remaining: Float64Array): number | null {
  let best: number | null = null;
  for (const node of nodes) {
    if (best === null || at(remaining, node) > at(remaining, best)) best = node;
  }
  return best;
}
