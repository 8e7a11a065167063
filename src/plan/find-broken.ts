import type { Failure } from '../domain/failure.ts';
import type { Broken } from '../domain/plan.ts';
import type { Workstream } from '../domain/workstream.ts';
import { nearest } from '../support/nearest.ts';
import { nameCycles } from './cycles.ts';
import type { Graph } from './graph.ts';

/** Most missing ids for which the nearest known one is looked for: each is compared with every id. */
const SUGGESTIONS = 20;

/**
 * The workstreams that can't run whatever happens: those on a cycle, and those that depend on an id that is defined
 * nowhere; in the order given. What merely depends on one of them is not among them.
 */
export function findBroken(
  workstreams: readonly Workstream[],
  graph: Graph,
  knownIds: readonly string[],
): Broken[] {
  const failures = new Map<number, Failure>();
  const suggest = suggester(knownIds);
  for (const { node, id } of graph.missing) {
    failures.set(node, { reason: 'missing-dependency', missing: id, suggestion: suggest(id) });
  }
  for (const [node, path] of nameCycles(graph, (node) => workstreams[node]?.id ?? '')) {
    failures.set(node, { reason: 'cycle', path });
  }
  const broken: Broken[] = [];
  for (const [node, { id, title, source }] of workstreams.entries()) {
    const failure = failures.get(node);
    if (failure !== undefined) broken.push({ id, title, source, failure });
  }
  return broken;
}

function suggester(knownIds: readonly string[]): (id: string) => string | null {
  const suggestions = new Map<string, string | null>();
  return (id) => {
    const known = suggestions.get(id);
    if (known !== undefined || suggestions.size >= SUGGESTIONS) return known ?? null;
    const suggestion = nearest(id, knownIds);
    suggestions.set(id, suggestion);
    return suggestion;
  };
}
