import { describeFailure } from '../domain/failure-message.ts';
import type { Broken, LoadedFolder, Plan } from '../domain/plan.ts';
import type { Problem } from '../domain/problem.ts';
import type { Workstream } from '../domain/workstream.ts';
import { findConflicts } from './conflicts.ts';
import { criticalPath, remainingSeconds } from './critical-path.ts';
import { expectedSeconds } from './expected-seconds.ts';
import { findBroken } from './find-broken.ts';
import { type Graph, buildGraph } from './graph.ts';
import { bySource, handingOutOrder } from './order.ts';
import { topologicalOrder } from './topological-order.ts';
import { groupByWave, waveNumbers } from './waves.ts';

/**
 * Plans a run of everything that was loaded. `knownSeconds` has durations of earlier runs by workstream id.
 * `unselected` has the ids that are defined and not part of this run: a dependency on one is not missing, and makes
 * nothing wait in the plan.
 *
 * Cycles and missing dependencies become broken workstreams, each with a problem of its own; what depends on those
 * stays in the plan. Pure; O((V + E) log V).
 */
export function makePlan(
  loaded: LoadedFolder,
  knownSeconds: ReadonlyMap<string, number>,
  unselected: ReadonlySet<string> = new Set(),
): Plan {
  const { workstreams, broken, graph } = separate(loaded, unselected);
  const order = topologicalOrder(graph);
  const expected = expectedSeconds(
    workstreams.map(({ id }) => id),
    knownSeconds,
  );
  const remaining = remainingSeconds(graph, order, expected.seconds);
  const handedOut = handingOutOrder(workstreams, remaining);
  const ranked = pick(workstreams, handedOut);
  const path = criticalPath(graph, remaining);
  return {
    workstreams: ranked,
    broken: [...loaded.broken, ...broken],
    waves: wavesByRank(waveNumbers(graph, order), handedOut),
    criticalPath: {
      ids: pick(workstreams, path).map(({ id }) => id),
      seconds: remaining[path[0] ?? -1] ?? 0,
    },
    conflicts: findConflicts(ranked),
    expectedSeconds: Float64Array.from(handedOut, (node) => expected.seconds[node] ?? 0),
    known: expected.known,
    problems: [...loaded.problems, ...broken.map(asProblem)],
  };
}

/** Runnable workstreams in the order of the folder with their graph, and those that the graph shows to be broken. */
function separate(
  loaded: LoadedFolder,
  unselected: ReadonlySet<string>,
): { workstreams: Workstream[]; broken: Broken[]; graph: Graph } {
  const all = loaded.workstreams.toSorted(bySource);
  const elsewhere = new Set(unselected);
  for (const { id } of loaded.broken) elsewhere.add(id);
  const graph = buildGraph(all, elsewhere);
  const broken = findBroken(all, graph, [...all.map(({ id }) => id), ...elsewhere]);
  if (broken.length === 0) return { workstreams: all, broken, graph };
  const brokenIds = new Set(broken.map(({ id }) => id));
  for (const id of brokenIds) elsewhere.add(id);
  const workstreams = all.filter(({ id }) => !brokenIds.has(id));
  return { workstreams, broken, graph: buildGraph(workstreams, elsewhere) };
}

/** Waves of positions in handing-out order, each ascending. */
function wavesByRank(waveOf: Int32Array, handedOut: readonly number[]): number[][] {
  const waveOfRank = Int32Array.from(handedOut, (node) => waveOf[node] ?? 0);
  return groupByWave(waveOfRank, handedOut.keys());
}

function pick(workstreams: readonly Workstream[], nodes: readonly number[]): Workstream[] {
  return nodes.flatMap((node) => workstreams[node] ?? []);
}

/** The loader knew nothing of it, so there is no line; the id says which definition of the file is meant. */
function asProblem({ id, source, failure }: Broken): Problem {
  const message = `${id}: ${describeFailure(failure)}`;
  return {
    severity: 'error',
    file: source.file,
    line: null,
    column: null,
    path: 'depends_on',
    message,
    workstreamId: id,
  };
}
