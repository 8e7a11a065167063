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
  const { workstreams, broken, graph, order } = separate(loaded, unselected);
  const expected = expectedSeconds(workstreams, knownSeconds);
  const remaining = remainingSeconds(graph, order, expected.seconds);
  const handedOut = handingOutOrder(workstreams, remaining);
  const ranked = inOrder(workstreams, handedOut);
  const path = criticalPath(graph, remaining);
  const waves = waveNumbers(graph, order);
  return {
    workstreams: ranked,
    broken: [...loaded.broken, ...broken],
    waveOf: handedOut.map((node) => requireAt(waves, node)),
    criticalPath: {
      ids: path.flatMap((node) => workstreams[node]?.id ?? []),
      seconds: remaining[path[0] ?? -1] ?? 0,
    },
    conflicts: findConflicts(ranked),
    expectedSeconds: expected.seconds.map((_, rank) =>
      requireAt(expected.seconds, requireAt(handedOut, rank)),
    ),
    known: expected.known,
    problems: [...loaded.problems, ...broken.map(asProblem)],
  };
}

interface Separated {
  /** What can run, in the order of the folder. */
  workstreams: Workstream[];
  /** What the graph shows to be broken. */
  broken: Broken[];
  graph: Graph;
  /** A topological order. */
  order: Int32Array;
}

function separate(loaded: LoadedFolder, unselected: ReadonlySet<string>): Separated {
  const all = sorted(loaded.workstreams);
  const elsewhere = new Set(unselected);
  for (const { id } of loaded.broken) elsewhere.add(id);
  const whole = buildGraph(all, elsewhere);
  const order = topologicalOrder(whole);
  if (order !== null && whole.missing.length === 0)
    return { workstreams: all, broken: [], graph: whole, order };
  const broken = findBroken(all, whole, [...all.map(({ id }) => id), ...elsewhere]);
  const brokenIds = new Set(broken.map(({ id }) => id));
  for (const id of brokenIds) elsewhere.add(id);
  const workstreams = all.filter(({ id }) => !brokenIds.has(id));
  const graph = buildGraph(workstreams, elsewhere);
  const orderOfRest = topologicalOrder(graph);
  if (orderOfRest === null) throw new Error('there is a cycle that was not found');
  return { workstreams, broken, graph, order: orderOfRest };
}

/** In order of the folder. The list itself where it is, as that of a folder that was loaded. */
function sorted(workstreams: Workstream[]): Workstream[] {
  const isSorted = workstreams.every((workstream, index) => {
    const before = workstreams[index - 1];
    return before === undefined || bySource(before, workstream) <= 0;
  });
  return isSorted ? workstreams : workstreams.toSorted(bySource);
}

/** The list itself where the order is its own. */
function inOrder(workstreams: Workstream[], nodes: Int32Array): Workstream[] {
  if (nodes.every((node, rank) => node === rank)) return workstreams;
  return Array.from(nodes, (node) => {
    const workstream = workstreams[node];
    if (workstream === undefined) throw new RangeError(`there is no workstream ${node}`);
    return workstream;
  });
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
 * Differences of remaining paths below this, in seconds, are noise of the machine. Without it workstreams that take next to
 * nothing run in a random order, and rows in a random order cost SQLite three times as many pages.
 */
const STEP_SECONDS = 0.01;

/**
 * Nodes in the order in which they are dispatched when all are ready: priority (greater first), longest remaining
 * path (longer first, in steps of 10 ms), order in the folder, order of the input (which is that of a matrix).
 */
export function handingOutOrder(
  workstreams: readonly Pick<Workstream, 'priority' | 'source'>[],
  remaining: Float64Array,
): Int32Array {
  const at = (node: number): Pick<Workstream, 'priority' | 'source'> => {
    const workstream = workstreams[node];
    if (workstream === undefined) throw new RangeError(`there is no workstream ${node}`);
    return workstream;
  };
  const steps = (node: number): number => Math.floor(requireAt(remaining, node) / STEP_SECONDS);
  const compare = (a: number, b: number): number =>
    at(b).priority - at(a).priority || steps(b) - steps(a) || bySource(at(a), at(b)) || a - b;
  const order = new Int32Array(workstreams.length);
  for (let node = 0; node < order.length; node++) order[node] = node;
  // Sorting copies the numbers several times.
  return order.every((node) => node === 0 || compare(node - 1, node) < 0) ? order : order.toSorted(compare);
}

/** How long workstreams are expected to take. */
export interface Expectation {
  /** By index into the workstreams. */
  seconds: Float64Array;
  /** How many of them come from earlier runs. */
  known: number;
}

/** Assumed duration in seconds where none is known at all. */
const ASSUMED = 1;

/** Durations of earlier runs; for a workstream without one the median of the others, or 1 s. */
export function expectedSeconds(
  workstreams: readonly Pick<Workstream, 'id'>[],
  knownSeconds: ReadonlyMap<string, number>,
): Expectation {
  const seconds = new Float64Array(workstreams.length);
  if (knownSeconds.size === 0) return { seconds: seconds.fill(ASSUMED), known: 0 };
  for (const [index, { id }] of workstreams.entries()) {
    const duration = knownSeconds.get(id);
    seconds[index] =
      duration !== undefined && Number.isFinite(duration) && duration >= 0 ? duration : Number.NaN;
  }
  const known = seconds.filter((each) => !Number.isNaN(each));
  if (known.length === seconds.length) return { seconds, known: known.length };
  const otherwise = median(known) ?? ASSUMED;
  return { seconds: seconds.map((each) => (Number.isNaN(each) ? otherwise : each)), known: known.length };
}

function median(numbers: Float64Array): number | null {
  const sorted = numbers.toSorted();
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
