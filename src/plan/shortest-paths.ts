import type { Adjacency } from './adjacency.ts';
import { at } from './at.ts';

/** The shortest paths from one root. */
export interface Tree {
  root: number;
  /** Edges between the root and a node; Infinity when there is no path. */
  depth(node: number): number;
  /** The nodes of the path, root and node included. */
  fromRoot(node: number): number[];
}

/** Breadth-first search from `root` over the nodes that are `within`. Costs what it visits. */
export function shortestPaths(edges: Adjacency, root: number, within: (node: number) => boolean): Tree {
  const reached = new Map<number, { parent: number; depth: number }>([[root, { parent: root, depth: 0 }]]);
  const queue = [root];
  // The queue grows while it is walked.
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
      for (let last = node; last !== root; last = at(path, path.length - 1)) {
        const step = reached.get(last);
        if (step === undefined) throw new Error(`there is no path from ${root} to ${node}`);
        path.push(step.parent);
      }
      return path.toReversed();
    },
  };
}
