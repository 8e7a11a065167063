import { at } from './at.ts';
import type { Graph } from './graph.ts';

/**
 * The wave of each node, counted from 0: the number of edges of the longest chain of dependencies that leads to it.
 * `order` is a topological order.
 */
export function waveNumbers(graph: Graph, order: readonly number[]): Int32Array {
  const waves = new Int32Array(graph.count);
  for (const node of order) {
    let wave = 0;
    for (const dependency of graph.dependencies.of(node)) wave = Math.max(wave, at(waves, dependency) + 1);
    waves[node] = wave;
  }
  return waves;
}

/** The nodes of each wave, in the order in which `nodes` gives them. */
export function groupByWave(waveOf: Int32Array, nodes: Iterable<number>): number[][] {
  const waves: number[][] = [];
  for (const node of nodes) {
    const wave = at(waveOf, node);
    while (waves.length <= wave) waves.push([]);
    waves[wave]?.push(node);
  }
  return waves;
}
