/** What has happened in a run since it was last looked at, and how it stands. */
import { z } from 'zod';
import type { RunState } from '../../../domain/run-record.ts';
import { isoTime, numberCell, textCell } from '../../schema/cells.ts';
import type { Connection } from '../../schema/connection.ts';
import { processShape } from '../liveness.ts';
import { countOf, firstRow, rows } from '../rows.ts';
import { stateOf } from '../runs.ts';

/** Up to where a reader knows a run. */
export interface RunMark {
  /** How often it had been resumed: that removes rows. */
  session: number;
  /** Number of the newest row of all results. */
  row: number;
  /** Number of the newest of all results that were withdrawn. */
  reopened: number;
  /** Number of the last change of a merge state in the run. */
  merged: number;
}

/** How a run stands. */
export interface RunNow {
  state: RunState;
  startedAt: string;
  endedAt: string | null;
  total: number;
  completed: number;
  failed: number;
  skipped: number;
  agents: number | null;
  /** Where it takes requests; null where it takes none. */
  socket: string | null;
}

const markRow = z.object({
  session: z.number(),
  row: z.number().nullable(),
  reopened: z.number().nullable(),
  merged: z.number().nullable(),
});
const MARK = `
SELECT (SELECT COUNT(*) FROM run_sessions WHERE run_id = ?) AS session, (SELECT MAX(id) FROM agent_results) AS row,
  (SELECT MAX(id) FROM reopened) AS reopened,
  (SELECT MAX(number) FROM merge_changes WHERE run_id = ?) AS merged`;

/** Where a reader is that knows all of a run. */
export function markOf(connection: Connection, runId: string): RunMark {
  const found = firstRow(connection, markRow, MARK, runId, runId);
  return {
    session: found?.session ?? 0,
    row: found?.row ?? 0,
    reopened: found?.reopened ?? 0,
    merged: found?.merged ?? unnotedMerges(connection, runId),
  };
}

const withdrawnRow = z.object({
  own: z.number(),
  workstream_id: z.string(),
  highest_row: z.number().nullable(),
});
const WITHDRAWN = 'SELECT run_id = ? AS own, workstream_id, highest_row FROM reopened WHERE id > ?';

/** Results that were withdrawn. */
interface Withdrawn {
  /** Ids of the workstreams of the run that have been opened again. */
  gone: string[];
  /**
   * Every row with a higher number was stored later, also one with a number that another row had before, of whatever run.
   * Infinity where nothing was withdrawn; null where an earlier version did not say.
   */
  highestRow: number | null;
}

/** What was withdrawn since a mark. @param after number of a row of `reopened`. */
export function withdrawnAfter(connection: Connection, runId: string, after: number): Withdrawn {
  const withdrawn = rows(connection, withdrawnRow, WITHDRAWN, runId, after);
  const highest = withdrawn.map(({ highest_row: row }) => row);
  return {
    gone: withdrawn.filter(({ own }) => own === 1).map(({ workstream_id: id }) => id),
    highestRow: highest.includes(null) ? null : Math.min(...highest.map(Number)),
  };
}

const NOTES_MERGES = "SELECT COUNT(*) AS n FROM main.sqlite_schema WHERE name = 'merge_changes'";

/** Whether the database says when merge states change: one of an earlier version does not. */
const notesMerges = (connection: Connection): boolean => countOf(connection, NOTES_MERGES) > 0;

/** Number of the last change where none is noted: of a run that is over there may have been some. */
function unnotedMerges(connection: Connection, runId: string): number {
  if (notesMerges(connection)) return 0;
  return runNow(connection, runId)?.state === 'running' ? 0 : 1;
}

const changedRow = z.object({ id: z.number() });
const CHANGED = `
SELECT DISTINCT r.id FROM merge_changes m CROSS JOIN agent_results r
  ON r.run_id = m.run_id AND r.workstream_id = m.workstream_id AND r.attempts IS NOT NULL
WHERE m.run_id = ? AND m.number > ? AND r.id <= ? ORDER BY r.id`;

/**
 * Numbers of rows whose merge states have changed; null where an earlier version did not say which.
 * @param after number of a change. @param upTo number of a row: newer ones are left out.
 */
export function mergedAfter(
  connection: Connection,
  runId: string,
  { after, upTo }: { after: number; upTo: number },
): number[] | null {
  if (!notesMerges(connection)) return null;
  return rows(connection, changedRow, CHANGED, runId, after, upTo).map(({ id }) => id);
}

const nowRow = z.object({
  state: textCell,
  created_at: textCell,
  ended_at: textCell,
  total_workstreams: numberCell,
  completed_count: numberCell,
  failed_count: numberCell,
  skipped_count: numberCell,
  agents_count: numberCell,
  control_socket: textCell,
  ...processShape,
});
const NOW = `SELECT ${Object.keys(nowRow.shape).join(', ')} FROM consolidated_runs WHERE run_id = ?`;

/** Null where there is no such run any more. */
export function runNow(connection: Connection, runId: string): RunNow | null {
  const row = firstRow(connection, nowRow, NOW, runId);
  if (row === null) return null;
  return {
    state: stateOf(row),
    startedAt: isoTime(row.created_at) ?? '',
    endedAt: isoTime(row.ended_at),
    total: row.total_workstreams ?? 0,
    completed: row.completed_count ?? 0,
    failed: row.failed_count ?? 0,
    skipped: row.skipped_count ?? 0,
    agents: row.agents_count,
    socket: row.control_socket,
  };
}

const inHandRow = z.object({
  workstream_id: z.string(),
  agent_id: textCell,
  since: textCell,
  fraction: numberCell,
  activity: textCell,
  attempt: numberCell,
});
/** A workstream that an agent executes. */
export type InHandRow = z.infer<typeof inHandRow>;

const IN_HAND = `SELECT ${Object.keys(inHandRow.shape).join(', ')} FROM workstreams_in_hand WHERE run_id = ?`;

export const workstreamsInHand = (connection: Connection, runId: string): InHandRow[] =>
  rows(connection, inHandRow, IN_HAND, runId);

const attemptRow = z.object({ attempt: numberCell });
const ATTEMPT = 'SELECT attempt FROM workstreams_in_hand WHERE run_id = ? AND workstream_id = ?';

/** Which attempt at a workstream is being executed; null for none. */
export function attemptInHand(connection: Connection, runId: string, workstreamId: string): number | null {
  const row = firstRow(connection, attemptRow, ATTEMPT, runId, workstreamId);
  return row === null ? null : (row.attempt ?? 1);
}

const logRow = z.object({ log_file: textCell });
const LOG = 'SELECT log_file FROM agent_results WHERE run_id = ? AND workstream_id = ?';

/** Path of the log of a workstream that has a result, null where it printed nothing; null for one without a result. */
export const storedLog = (
  connection: Connection,
  runId: string,
  workstreamId: string,
): { path: string | null } | null => {
  const row = firstRow(connection, logRow, LOG, runId, workstreamId);
  return row === null ? null : { path: row.log_file };
};

const titleRow = z.object({ id: z.string(), title: z.string() });
const TITLES = `
SELECT w.value ->> 'id' AS id, w.value ->> 'title' AS title
FROM run_plans p CROSS JOIN json_each(p.workstreams) w
WHERE p.run_id = ? AND w.value ->> 'title' IS NOT NULL LIMIT ?`;

/** Titles of what is still to come, by id, without those that are the id. */
export const plannedTitles = (connection: Connection, runId: string, limit: number): Map<string, string> =>
  new Map(rows(connection, titleRow, TITLES, runId, limit).map(({ id, title }) => [id, title]));

const measuredRow = z.object({
  bucket: z.number(),
  n: z.number(),
  sum: z.number(),
  last: z.number(),
});
/** The index of the run has its results by status and number, with their durations. */
const MEASURED = `
SELECT CAST(FLOOR(LN(MAX(duration_seconds, ?)) * ?) AS INTEGER) AS bucket, COUNT(*) AS n,
  TOTAL(duration_seconds) AS sum, MAX(id) AS last
FROM agent_results
WHERE run_id = ? AND status IN ('completed', 'failed') AND id > ? AND duration_seconds BETWEEN 0 AND 1e12
GROUP BY 1`;

/** Older results are not counted, of which there may be any number. */
const MOST_MEASURED = 20_000;

/** Durations of a run's results by the logarithm of their length. */
export interface MeasuredDurations {
  n: number;
  buckets: Map<number, { n: number; sum: number }>;
  /** Number of the newest row that is counted. */
  last: number;
}

/** How durations are put together: the shortest that is told from others, and buckets for each factor of e. */
export interface DurationScale {
  least: number;
  perE: number;
}

/**
 * The durations of a run so far. @param before what was read before, if nothing was withdrawn since: then no older row is
 * read again.
 */
export function measuredDurations(
  connection: Connection,
  runId: string,
  { least, perE }: DurationScale,
  before: MeasuredDurations | null,
): MeasuredDurations {
  const after = before?.last ?? Math.max(0, markOf(connection, runId).row - MOST_MEASURED);
  const all: MeasuredDurations = { n: before?.n ?? 0, buckets: new Map(before?.buckets), last: after };
  for (const { bucket, n, sum, last } of rows(connection, measuredRow, MEASURED, least, perE, runId, after)) {
    const known = all.buckets.get(bucket);
    all.buckets.set(bucket, { n: n + (known?.n ?? 0), sum: sum + (known?.sum ?? 0) });
    all.n += n;
    all.last = Math.max(all.last, last);
  }
  return all;
}
