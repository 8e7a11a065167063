/** Which runs a run is seen among, and which of them it is compared with. */
import { z } from 'zod';
import type { RunRef, TimedRun } from '../../domain/history/history.ts';
import { isoTime, numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { countOf, eachCells, firstRow, rows } from './rows.ts';

/** How many runs a history has at most, where nothing else is asked for. */
const HISTORY_RUNS = 100;

/** Runs of the older system are left out: their results say too little. */
const RUNS = `
SELECT run_id, created_at, label, git_commit, git_dirty, hostname, completed_count + failed_count AS executed,
  total_workstreams
FROM consolidated_runs u`;

const runRow = z.object({
  run_id: z.string(),
  created_at: textCell,
  label: textCell,
  git_commit: textCell,
  git_dirty: numberCell,
  hostname: textCell,
  executed: z.number(),
  total_workstreams: numberCell,
});

/** A run of a history. */
export interface HistoricRun extends TimedRun {
  /** How many of its workstreams completed or failed. */
  executed: number;
  /** How many it has, also where they are still to come. */
  workstreams: number;
}

/** A run as histories name it; null where there is none of this id, or the older system made it. */
export function historicRun(connection: Connection, runId: string): HistoricRun | null {
  const row = firstRow(connection, runRow, `${RUNS} WHERE run_id = ? AND state IS NOT NULL`, runId);
  return row === null ? null : toRun(row);
}

/**
 * The runs that a run is seen among, the oldest first: itself, and those before it that ended. A run with a label is seen
 * among runs of that label, one without among all.
 */
export function runsUpTo(connection: Connection, head: RunRef, limit: number = HISTORY_RUNS): HistoricRun[] {
  const sql = `${RUNS}
    WHERE rowid <= (SELECT rowid FROM consolidated_runs WHERE run_id = ?) AND (state = 'ended' OR run_id = ?)
      AND (? IS NULL OR label = ?)
    ORDER BY rowid DESC LIMIT ?`;
  const { runId, label } = head;
  return rows(connection, runRow, sql, runId, runId, label, label, limit).map(toRun).toReversed();
}

/** The runs from one to another that ended, with both, the oldest first; none where the second is the older. */
export function runsBetween(connection: Connection, first: RunRef, last: RunRef): RunRef[] {
  const rowid = '(SELECT rowid FROM consolidated_runs WHERE run_id = ?)';
  const sql = `${RUNS} WHERE rowid BETWEEN ${rowid} AND ${rowid}
    AND (state = 'ended' OR run_id = ? OR run_id = ?) ORDER BY rowid`;
  const ids = [first.runId, last.runId];
  return rows(connection, runRow, sql, ...ids, ...ids).map((row) => toRun(row).run);
}

function toRun(row: z.infer<typeof runRow>): HistoricRun {
  const run: RunRef = {
    runId: row.run_id,
    at: isoTime(row.created_at) ?? '',
    label: row.label,
    commit: row.git_commit,
    isDirty: row.git_dirty === null ? null : row.git_dirty === 1,
  };
  return { run, machine: row.hostname, executed: row.executed, workstreams: row.total_workstreams ?? 0 };
}

/** How many workstreams of a run are looked for in another one, to tell how much the two have in common. */
const SAMPLE = 500;

/** Two runs ran the same where at least this share of the workstreams of both is in each of them. */
const SAME = 0.5;

/**
 * The run that a run is compared with: the last before it, among those that it is seen among, that ran the same, which is
 * that at least half of all workstreams of the two are in both. Null where there is none.
 * @param runs as `runsUpTo` returns them.
 */
export function baseOf(connection: Connection, runs: readonly HistoricRun[]): HistoricRun | null {
  const head = runs.at(-1);
  if (head === undefined) return null;
  const { total, sample } = sampleOf(connection, head);
  const isSame = (candidate: HistoricRun): boolean => {
    const there = resultsOf(connection, candidate);
    if (Math.min(total, there) < SAME * Math.max(total, there)) return false;
    const found = countOf(connection, SHARED, JSON.stringify(sample), candidate.run.runId);
    const shared = (found / sample.length) * total;
    return shared >= SAME * (total + there - shared);
  };
  return runs.slice(0, -1).findLast(isSame) ?? null;
}

/** How many workstreams a run has, and ids of some: of a run under way also of those that it has no result of yet. */
function sampleOf(connection: Connection, head: HistoricRun): { total: number; sample: string[] } {
  const sql = 'SELECT workstream_id FROM agent_results WHERE run_id = ? ORDER BY status, id LIMIT ?';
  const found = [...eachCells(connection, sql, head.run.runId, SAMPLE)].map(([id]) => String(id));
  const results = resultsOf(connection, head);
  if (results >= head.workstreams || found.length === SAMPLE)
    return { total: Math.max(results, head.workstreams), sample: found };
  const open = withoutResult(connection, head.run.runId);
  return { total: results + open.length, sample: [...found, ...open].slice(0, SAMPLE) };
}

const SHARED = `
SELECT COUNT(*) AS n FROM json_each(?) wanted CROSS JOIN agent_results r
ON r.run_id = ? AND r.workstream_id = wanted.value AND r.attempts IS NOT NULL`;

const resultsOf = (connection: Connection, { run }: HistoricRun): number =>
  countOf(connection, 'SELECT COUNT(*) AS n FROM agent_results WHERE run_id = ?', run.runId);

/** Whether anything can be known from other runs. */
export const hasOtherRuns = (connection: Connection, runId: string): boolean =>
  countOf(connection, 'SELECT EXISTS (SELECT 1 FROM consolidated_runs WHERE run_id <> ?) AS n', runId) > 0;

/** Ids of workstreams that a run which has not ended is to run and has no result of. */
export function withoutResult(connection: Connection, runId: string): string[] {
  const sql = `SELECT workstream_id FROM run_workstreams w WHERE run_id = ? AND NOT EXISTS (
    SELECT 1 FROM agent_results r WHERE r.run_id = w.run_id AND r.workstream_id = w.workstream_id)`;
  return [...eachCells(connection, sql, runId)].map(([id]) => String(id));
}
