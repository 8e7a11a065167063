/** Compares runs: reads what the comparison needs, and no more than its time allows. */
import { compareRuns } from '../analysis/compare.ts';
import type { ComparedRun, DurationHistory, RunComparison, RunRef } from '../domain/history/history.ts';
import {
  baseOf,
  comparedRun,
  HISTORY_RUNS,
  historicRun,
  RunHistory,
  runsUpTo,
} from '../store/read/run-history.ts';
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
  const history = new RunHistory(connection, runsUpTo(connection, last));
  const sides = { base: comparedRun(connection, base), head: comparedRun(connection, head) };
  history.preload(failingIn(sides));
  return compareRuns({
    ...sides,
    observations: (workstreamId, patternId) => history.observations(workstreamId, patternId),
    durations: history.durations(null),
    limit: SHOWN,
  });
}

/**
 * At the end of a run its comparison may take a small part of the time that the run took. Workstreams that took less than
 * this are left out of the durations: their times are mostly noise, and reading them would take longer than they did.
 */
const LEAST_SECONDS = 0.1;

/** How many results of earlier runs are looked up, at most, to tell how failures stood in them. */
const LOOK_UPS = 10_000;

/** Runs with more results are not compared at their end, but on request: that alone would take a second. */
const MOST_RESULTS = 20_000;

/**
 * How a run that has just ended differs from the one before it that ran the same. Null where there is none, and for a run
 * with more than 20,000 results.
 */
export function compareAtEnd(connection: Connection, runId: string, results: number): RunComparison | null {
  if (results > MOST_RESULTS) return null;
  const found = historicRun(connection, runId);
  const runs = found === null ? [] : runsUpTo(connection, found.run);
  const earlier = baseOf(connection, runs);
  if (found === null || earlier === null) return null;
  const base = comparedRun(connection, [earlier.run]);
  const head = comparedRun(connection, [found.run]);
  const failing = failingIn({ base, head });
  const sinceBase = runs.length - runs.indexOf(earlier);
  const affordable = Math.floor(LOOK_UPS / Math.max(1, failing.size));
  const history = new RunHistory(
    connection,
    runs.slice(-Math.max(sinceBase, Math.min(HISTORY_RUNS, affordable))),
  );
  return compareRuns({
    base,
    head,
    observations: (workstreamId, patternId) => history.observations(workstreamId, patternId),
    durations: durationsOfLongOnes(history),
    limit: SHOWN,
  });
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
