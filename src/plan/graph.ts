import type { Workstream } from '../domain/workstream.ts';
import { Adjacency } from './adjacency.ts';

/** Workstreams as nodes 0, 1, …, in the order in which they were given. */
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

/** What a graph is made of. */
export type Linked = Pick<Workstream, 'id' | 'dependsOn'>;

/**
 * The graph of the workstreams. A dependency on one of the ids in `elsewhere` (broken ones, and those that are not
 * part of this plan) is no edge and is not missing. O(V + E).
 */
export function buildGraph(workstreams: readonly Linked[], elsewhere: ReadonlySet<string>): Graph {
  const nodes = new Map(workstreams.map(({ id }, node) => [id, node]));
  const starts = new Int32Array(workstreams.length + 1);
  const targets: number[] = [];
  const missing: MissingDependency[] = [];
  /** By target: the last node that was seen to depend on it, so that a repeated dependency counts once. */
  const seenFrom = new Int32Array(workstreams.length).fill(-1);
  for (const [node, { dependsOn }] of workstreams.entries()) {
    let unknown: string | null = null;
    for (const { id } of dependsOn) {
      const target = nodes.get(id);
      if (target === undefined) {
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
