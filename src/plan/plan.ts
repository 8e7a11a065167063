import type { Failure } from '../domain/failure.ts';
import { describeFailure } from '../domain/failure-message.ts';
import type { Broken, LoadedFolder, Plan, Problem } from '../domain/plan.ts';
import type { Workstream } from '../domain/workstream.ts';
import { nearest } from '../text/nearest.ts';
import { findConflicts } from './conflicts.ts';
import { nameCycles } from './cycles.ts';
import {
  buildGraph,
  criticalPath,
  type Graph,
  groupByWave,
  remainingSeconds,
  topologicalOrder,
  waveNumbers,
} from './graph.ts';
import { requireAt } from './require-at.ts';

/**
 * Plans a run of everything that was loaded. `knownSeconds` holds durations of earlier runs by workstream id.
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

/** Waves of positions in dispatch order, each ascending. */
function wavesByRank(waveOf: Int32Array, handedOut: readonly number[]): number[][] {
  const waveOfRank = Int32Array.from(handedOut, (node) => waveOf[node] ?? 0);
  return groupByWave(waveOfRank, handedOut.keys());
}

function pick(workstreams: readonly Workstream[], nodes: readonly number[]): Workstream[] {
  return nodes.flatMap((node) => workstreams[node] ?? []);
}

/** Only the graph shows it, so there is no line; the id says which definition of the file is meant. */
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

/** Order in the folder: file name by code unit, then position in the file. Equal for members of one matrix. */
function bySource(a: Pick<Workstream, 'source'>, b: Pick<Workstream, 'source'>): number {
  if (a.source.file !== b.source.file) return a.source.file < b.source.file ? -1 : 1;
  return a.source.position - b.source.position;
}

/**
 * Nodes in the order in which they are dispatched when all are ready: priority (greater first), longest remaining
 * path (longer first), order in the folder, order of the input (which is that of a matrix).
 */
export function handingOutOrder(
  workstreams: readonly Pick<Workstream, 'priority' | 'source'>[],
  remaining: Float64Array,
): number[] {
  const ranked = workstreams.map((workstream, node) => ({
    workstream,
    node,
    remaining: requireAt(remaining, node),
  }));
  ranked.sort(
    (a, b) =>
      b.workstream.priority - a.workstream.priority ||
      b.remaining - a.remaining ||
      bySource(a.workstream, b.workstream) ||
      a.node - b.node,
  );
  return ranked.map(({ node }) => node);
}

/** How long workstreams are expected to take. */
export interface Expectation {
  /** By index into the ids. */
  seconds: Float64Array;
  /** How many of them come from earlier runs. */
  known: number;
}

/** Assumed duration in seconds where none is known at all. */
const ASSUMED = 1;

/** Durations of earlier runs; for a workstream without one the median of the others, or 1 s. */
export function expectedSeconds(
  ids: readonly string[],
  knownSeconds: ReadonlyMap<string, number>,
): Expectation {
  const found = ids.map((id) => {
    const seconds = knownSeconds.get(id);
    return seconds !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
  });
  const known = found.filter((seconds) => seconds !== null);
  const otherwise = median(known) ?? ASSUMED;
  return { seconds: Float64Array.from(found, (seconds) => seconds ?? otherwise), known: known.length };
}

function median(numbers: readonly number[]): number | null {
  const sorted = Float64Array.from(numbers).toSorted();
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}

/** Most missing ids for which the nearest known one is looked for: each is compared with every id. */
const SUGGESTIONS = 20;

/**
 * The workstreams that can't run whatever happens: those on a cycle, and those that depend on an id that is defined
 * nowhere; in the order given. What merely depends on one of them is not among them.
 */
function findBroken(workstreams: readonly Workstream[], graph: Graph, knownIds: readonly string[]): Broken[] {
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
