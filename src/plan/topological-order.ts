import { at } from './at.ts';
import type { Graph } from './graph.ts';

/** All nodes, each after everything it depends on. Throws for a graph with a cycle. O(V + E). */
export function topologicalOrder(graph: Graph): number[] {
  const unmet = new Int32Array(graph.count);
  const order: number[] = [];
  for (let node = 0; node < graph.count; node++) {
    const needs = graph.dependencies.degree(node);
    unmet[node] = needs;
    if (needs === 0) order.push(node);
  }
  // The list grows while it is walked.
  for (const node of order) {
    for (const dependent of graph.dependents.of(node)) {
      const left = at(unmet, dependent) - 1;
      unmet[dependent] = left;
      if (left === 0) order.push(dependent);
    }
  }
  if (order.length < graph.count) throw new Error('a graph with a cycle has no order');
  return order;
}
