/** Names for cycles: every workstream that is on a cycle gets a concrete path from itself back to itself. */
import { at } from './at.ts';
import { cyclicComponents } from './components.ts';
import type { Graph } from './graph.ts';
import { type Tree, shortestPaths } from './shortest-paths.ts';

/** Longest path that is shown whole, in ids. */
const SHOWN = 12;
/** Longest cycle that is worked out for one member alone, so that naming n members costs O(n). */
const SEARCHED = 64;

/**
 * For each node on a cycle, ascending within a component, a cycle that it is on as ids: `a, b, a`, where each needs
 * the next. It starts with the member first in node order, and members of the shortest cycle through the first node
 * of a component share that path. What a long one leaves out is said in it: `… 12 more …`. O(V + E).
 */
export function nameCycles(graph: Graph, idOf: (node: number) => string): Map<number, string[]> {
  const component = new Int32Array(graph.count).fill(-1);
  const names = new Map<number, string[]>();
  for (const [number, members] of cyclicComponents(graph.dependencies).entries()) {
    for (const member of members) component[member] = number;
    const within = (node: number): boolean => component[node] === number;
    const first = at(members, 0);
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

/** The way home from `member` up to where it meets the way there, and from there to `member` again. */
function simpleCycle(there: Tree, back: Tree, member: number): number[] {
  const out = there.fromRoot(member);
  const onTheWay = new Set(out);
  const home = back.fromRoot(member).toReversed().slice(1);
  const meeting = home.findIndex((node) => onTheWay.has(node));
  const start = out.indexOf(at(home, meeting));
  return [...out.slice(start), ...home.slice(0, meeting)];
}

/** A ring of nodes as a closed path from its first node in node order. */
function startAtFirst(ring: number[]): number[] {
  const start = ring.indexOf(Math.min(...ring));
  return [...ring.slice(start), ...ring.slice(0, start), at(ring, start)];
}

const leftOut = (count: number): string[] => (count > 0 ? [`… ${count} more …`] : []);

function shorten(path: string[]): string[] {
  if (path.length <= SHOWN) return path;
  const half = SHOWN / 2;
  return [...path.slice(0, half), ...leftOut(path.length - SHOWN), ...path.slice(-half)];
}
