/** Reads the runs themselves. */
import { z } from 'zod';
import type { Checkout } from '../../domain/history/history.ts';
import type { RunState, RunSummary, Totals } from '../../domain/run-record.ts';
import { isoTime, jsonCell, listOf, numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { isWriterGone, processShape } from './liveness.ts';
import { countOf, firstRow, rows } from './rows.ts';
import { readSummary } from './summary-json.ts';

/** What every reader of runs reads. */
export const runShape = {
  run_id: z.string(),
  timestamp: textCell,
  created_at: textCell,
  ended_at: textCell,
  state: textCell,
  ...processShape,
  total_workstreams: numberCell,
  completed_count: numberCell,
  failed_count: numberCell,
  skipped_count: numberCell,
  total_files_modified: numberCell,
  total_commits: numberCell,
  total_errors: numberCell,
  total_warnings: numberCell,
  resumed_at: textCell,
  retry_of: textCell,
  label: textCell,
  git_commit: textCell,
  git_branch: textCell,
  git_dirty: numberCell,
  taken_over: z.number(),
  saved_seconds: z.number(),
};
const sharedRow = z.object(runShape);
type SharedRow = z.infer<typeof sharedRow>;
const runRow = z.object({ ...runShape, execution_summary: textCell, recommendations: textCell });
const textList = listOf(z.string());
type RunRow = z.infer<typeof runRow>;
/** What decides on the state of a run. */
type RunStateRow = Pick<SharedRow, 'state' | keyof typeof processShape>;

/** By the order in which runs were recorded: a clock may be set back between two of them. */
export const NEWEST_FIRST = 'ORDER BY rowid DESC';

const ofTakenOver = (what: string): string => `
  (SELECT ${what} FROM agent_results a WHERE a.run_id = consolidated_runs.run_id AND a.from_run IS NOT NULL)`;

/** Few results of few runs are taken over, and those have an index of their own. */
const RUNS = `
SELECT *, ${ofTakenOver('COUNT(*)')} AS taken_over, ${ofTakenOver('TOTAL(saved_seconds)')} AS saved_seconds
FROM consolidated_runs`;

/** A run; null where there is none of this id. */
export function getRun(connection: Connection, runId: string): RunSummary | null {
  const row = firstRow(connection, runRow, `${RUNS} WHERE run_id = ?`, runId);
  return row === null ? null : toSummary(connection, row);
}

/**
 * Runs, the newest first.
 * @param page how many at most, and how many of the newest are left out. Default: all.
 */
export function listRuns(
  connection: Connection,
  { limit = -1, offset = 0 }: { limit?: number; offset?: number },
): RunSummary[] {
  const sql = `${RUNS} ${NEWEST_FIRST} LIMIT ? OFFSET ?`;
  return rows(connection, runRow, sql, limit, offset).map((row) => toSummary(connection, row));
}

/** The newest run; null where there is none. */
export function latestRunId(connection: Connection): string | null {
  const shape = z.object({ run_id: z.string() });
  const sql = `SELECT run_id FROM consolidated_runs ${NEWEST_FIRST} LIMIT 1`;
  return firstRow(connection, shape, sql)?.run_id ?? null;
}

const reachableRow = z.object({
  run_id: z.string(),
  state: textCell,
  control_socket: textCell,
  label: textCell,
  ...processShape,
});

/** A run as its requests reach it. */
export interface RunUnderWay {
  runId: string;
  label: string | null;
  /** Null for one that takes no requests. */
  socket: string | null;
}

/** Runs whose process is not known to be gone, the newest first. */
export function runsUnderWay(connection: Connection): RunUnderWay[] {
  const columns = Object.keys(reachableRow.shape).join(', ');
  const sql = `SELECT ${columns} FROM consolidated_runs WHERE state = 'running' ${NEWEST_FIRST}`;
  return rows(connection, reachableRow, sql)
    .filter((row) => !isWriterGone(row))
    .map((row) => ({ runId: row.run_id, label: row.label, socket: row.control_socket }));
}

/** Sockets of runs whose process is gone: nothing listens there any more. */
export function leftSockets(connection: Connection): string[] {
  const columns = Object.keys(reachableRow.shape).join(', ');
  const sql = `SELECT ${columns} FROM consolidated_runs WHERE control_socket IS NOT NULL`;
  return rows(connection, reachableRow, sql).flatMap((row) =>
    row.control_socket !== null && (row.state !== 'running' || isWriterGone(row)) ? [row.control_socket] : [],
  );
}

function toSummary(connection: Connection, row: RunRow): RunSummary {
  const state = stateOf(row);
  return {
    runId: row.run_id,
    state,
    createdAt: isoTime(row.created_at) ?? isoTime(row.timestamp) ?? row.created_at ?? '',
    endedAt: isoTime(row.ended_at),
    totals: row.state !== null && row.ended_at === null ? soFar(connection, row) : totalsOf(row),
    executionSummary: readSummary(row.execution_summary),
    recommendations: jsonCell(textList, row.recommendations),
    resumedAt: isoTime(row.resumed_at),
    retryOf: row.retry_of,
    label: row.label,
    hostname: row.hostname,
    checkout: checkoutOf(row),
  };
}

export function checkoutOf({
  git_commit: commit,
  git_branch: branch,
  git_dirty: dirty,
}: SharedRow): Checkout | null {
  return commit === null ? null : { commit, branch, isDirty: dirty === null ? null : dirty === 1 };
}

/** A run that says it is under way is not, when its process is gone. Rows of the older system are of ended runs. */
export function stateOf(row: RunStateRow): RunState {
  if (row.state === 'interrupted') return 'interrupted';
  if (row.state !== 'running') return 'ended';
  return isWriterGone(row) ? 'interrupted' : 'running';
}

export function totalsOf(row: SharedRow): Totals {
  return {
    workstreams: row.total_workstreams ?? 0,
    completed: row.completed_count ?? 0,
    failed: row.failed_count ?? 0,
    skipped: row.skipped_count ?? 0,
    takenOver: row.taken_over,
    savedSeconds: row.saved_seconds,
    filesModified: row.total_files_modified ?? 0,
    commits: row.total_commits ?? 0,
    errors: row.total_errors ?? 0,
    warnings: row.total_warnings ?? 0,
  };
}

/** Distinct files and commits are written when a run ends; before that they are counted here. */
function soFar(connection: Connection, row: RunRow): Totals {
  const distinct = (column: 'files_modified' | 'commits_created'): number =>
    countOf(
      connection,
      `SELECT COUNT(DISTINCT value) AS n FROM agent_results, json_each(${column})
       WHERE run_id = ? AND ${column} <> '[]'`,
      row.run_id,
    );
  return {
    ...totalsOf(row),
    filesModified: distinct('files_modified'),
    commits: distinct('commits_created'),
  };
}
