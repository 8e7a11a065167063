/** Compares runs: reads what the comparison needs, and no more than its time allows. */
import { associations } from '../analysis/associations.ts';
import { compareRuns, isComparedAtEnd } from '../analysis/compare.ts';
import { patternHistory, patternHistoryOverall } from '../analysis/states.ts';
import type { Capped } from '../domain/capped.ts';
import type {
  ComparedRun,
  DurationHistory,
  PatternHistory,
  RunComparison,
  RunRef,
} from '../domain/history/history.ts';
import type { ErrorPattern } from '../domain/history/pattern.ts';
import type { ConsolidatedResult } from '../domain/run-record.ts';
import { baseOf, type HistoricRun, historicRun, runsUpTo } from '../store/read/history-runs.ts';
import { comparedRun, RunHistory } from '../store/read/run-history.ts';
import type { Connection } from '../store/schema/connection.ts';

/** Runs that are compared with each other, each side with the oldest first. */
export interface ComparedSides {
  base: readonly RunRef[];
  head: readonly RunRef[];
}

/** Most elements of each list of a comparison; the rest is counted. */
const SHOWN = 200;

/** How runs are compared on request: from all that is known. */
export function compareSides(connection: Connection, { base, head }: ComparedSides): RunComparison {
  const last = head.at(-1);
  if (last === undefined) throw new RangeError('nothing is compared');
  const history = new RunHistory(connection, runsUpTo(connection, seenAmong(last, [...base, ...head])));
  const sides = { base: comparedRun(connection, base), head: comparedRun(connection, head) };
  history.preload(failingIn(sides));
  return compareRuns({
    ...sides,
    observations: (workstreamId, patternId) => history.observations(workstreamId, patternId),
    durations: history.durations(null),
    limit: SHOWN,
  });
}

/** A run as it is seen among runs of its label; among all where it is compared with runs of another. */
const seenAmong = (last: RunRef, compared: readonly RunRef[]): RunRef =>
  compared.every(({ label }) => label === last.label) ? last : { ...last, label: null };

// To look back at the end of a run may take a small part of the time that the run took.

/** How many results of earlier runs are looked up to tell how failures stood in them, by how long the run took. */
const LEAST_LOOK_UPS = 1_000;
const LOOK_UPS_A_SECOND = 1_500;
const MOST_LOOK_UPS = 10_000;

/** For how many patterns, the most frequent first, it is looked for what they go with. */
const ASSOCIATED = 5;

/** Durations of workstreams that took less than this, in seconds, are mostly noise. */
const LEAST_SECONDS = 0.1;

/** How many runs durations are judged by: the tests need 30 beside the last ones. */
const DURATION_RUNS = 40;

/** A run with what is known of it from earlier runs. */
export interface LookedBack {
  /** With the history of each of its error patterns. */
  result: ConsolidatedResult;
  /** With the run before it that ran the same; null where there is none. */
  comparison: RunComparison | null;
}

/**
 * Looks back from a run: how it differs from the one before it that ran the same, and how its error patterns stood. Takes a
 * small part of the time of the run, and nothing is said where that would not be enough.
 */
export function lookBack(connection: Connection, result: ConsolidatedResult): LookedBack {
  const { run, patterns } = result;
  const own = isComparedAtEnd(result) ? historicRun(connection, run.runId) : null;
  const runs = own === null ? [] : runsUpTo(connection, own.run);
  const earlier = baseOf(connection, runs);
  if (own === null || earlier === null) return { result, comparison: null };
  const sides = { base: comparedRun(connection, [earlier.run]), head: comparedRun(connection, [own.run]) };
  const failing = failingIn(sides);
  const lookUps = lookUpsOf(result);
  const history = affordableHistory(connection, runs, { base: earlier, failing, lookUps });
  const comparison = compareRuns({
    ...sides,
    observations: (workstreamId, patternId) => history.observations(workstreamId, patternId),
    durations: durationsOfLongOnes(new RunHistory(connection, runs.slice(-DURATION_RUNS))),
    limit: SHOWN,
  });
  const told = withHistories(patterns, sides.head, history, {
    // What failures go with takes as many look-ups again.
    associated: lookUps >= 2 * failing.size * history.runs.length ? ASSOCIATED : 0,
  });
  return { result: { ...result, patterns: told }, comparison };
}

/** Patterns with how each stands over its workstreams, and what the first ones go with. */
function withHistories(
  patterns: Capped<ErrorPattern>,
  head: ComparedRun,
  history: RunHistory,
  { associated }: { associated: number },
): Capped<ErrorPattern> {
  const histories = historiesOf(head, history);
  const first = patterns.shown.slice(0, associated).flatMap(({ id }) => (histories.has(id) ? [id] : []));
  const found = first.length === 0 ? [] : associations(history.runs, history.circumstances(first));
  const shown = patterns.shown.map((each) => ({
    ...each,
    history: histories.get(each.id) ?? null,
    goesWith: found.filter(({ patternId }) => patternId === each.id),
  }));
  return { ...patterns, shown };
}

const busySeconds = ({ agents }: ConsolidatedResult): number =>
  agents.reduce((sum, agent) => sum + agent.busySeconds, 0);

/** From what is stored, so that a report that is made again says the same. */
function lookUpsOf(result: ConsolidatedResult): number {
  const atOnce = Math.max(1, result.agents.length);
  const more = Math.floor((busySeconds(result) / atOnce) * LOOK_UPS_A_SECOND);
  return Math.min(MOST_LOOK_UPS, LEAST_LOOK_UPS + more);
}

/** As many of the runs as can be read of these failures, and at least those since the base. */
function affordableHistory(
  connection: Connection,
  runs: readonly HistoricRun[],
  { base, failing, lookUps }: { base: HistoricRun; failing: ReadonlySet<string>; lookUps: number },
): RunHistory {
  const sinceBase = runs.length - runs.indexOf(base);
  const affordable = Math.floor(lookUps / Math.max(1, failing.size));
  return new RunHistory(connection, runs.slice(-Math.max(sinceBase, affordable)));
}

/** How each pattern of a run stands over all workstreams that have it in this run, by its id. */
function historiesOf(head: ComparedRun, history: RunHistory): Map<string, PatternHistory> {
  const byPattern = new Map<string, PatternHistory[]>();
  for (const { workstreamId, patternId } of head.results) {
    if (patternId === null) continue;
    const known = byPattern.get(patternId) ?? [];
    known.push(patternHistory(history.observations(workstreamId, patternId)));
    byPattern.set(patternId, known);
  }
  const overall = new Map<string, PatternHistory>();
  for (const [id, members] of byPattern) {
    const worst = patternHistoryOverall(members);
    if (worst !== null) overall.set(id, worst);
  }
  return overall;
}

/** Ids of workstreams that failed on one of the sides, or at an attempt. */
function failingIn({ base, head }: Record<keyof ComparedSides, ComparedRun>): Set<string> {
  const failing = [...base.results, ...head.results].filter(
    ({ status, healed }) => status === 'failed' || healed.length > 0,
  );
  return new Set(failing.map(({ workstreamId }) => workstreamId));
}

function durationsOfLongOnes(history: RunHistory): DurationHistory {
  const ids = history.longerInLastRun(LEAST_SECONDS);
  return ids.length === 0 ? { runs: history.runs, samples: new Map() } : history.durations(ids);
}

/** The run that a run is compared with where none is named: the one before it that ran the same. Null for none. */
export function earlierRunLike(connection: Connection, head: RunRef): RunRef | null {
  return baseOf(connection, runsUpTo(connection, head))?.run ?? null;
}
