/** What must be true of the database after each kill, and of everything at the end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { findInterrupted } from '../../src/app/resume/earlier-run.ts';
import { commandOf, hasProcessTable, livingProcesses, startedWith } from '../../src/os/process-table.ts';
import { parseLines } from '../kit/command.ts';
import { reportedRuns } from '../kit/reports.ts';
import { type Backlog, endsOf, readBegun } from './backlog.ts';
import { CRASH_VARIABLE } from './killed.ts';

interface Row {
  id: string;
  status: string;
  reason: string | null;
  explanation: string | null;
}

/** What the database of a run that was killed holds; null where there is no run yet. */
export interface Stored {
  runId: string;
  state: string;
  rows: Map<string, Row>;
}

const databaseOf = (folder: string): string => join(folder, '.state', 'multi_agent_consolidated.db');

/** Results that say all there is to say. */
export const finishedOf = ({ rows }: Stored): string[] =>
  [...rows.values()].filter(({ status }) => status !== 'skipped').map(({ id }) => id);

/** Opens the database as the next process would, checks that it is whole, and reads the run. */
export function checkDatabase(folder: string): Stored | null {
  const path = databaseOf(folder);
  if (!existsSync(path)) return null;
  const database = new Database(path);
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'run_sessions'").get() === undefined)
      return null;
    const runs = database
      .prepare<[], { run_id: string; state: string }>('SELECT * FROM consolidated_runs')
      .all();
    expect(runs.length).toBeLessThanOrEqual(1);
    const [run] = runs;
    if (run === undefined) return null;
    const sql = 'SELECT workstream_id AS id, status, reason, explanation FROM agent_results WHERE run_id = ?';
    const rows = database.prepare<[string], Row>(sql).all(run.run_id);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    const errors = database
      .prepare<[], string>('SELECT workstream_id FROM consolidated_errors')
      .pluck()
      .all();
    expect(errors.toSorted()).toEqual(
      rows.flatMap(({ id, status }) => (status === 'failed' ? [id] : [])).toSorted(),
    );
    return { runId: run.run_id, state: run.state, rows: new Map(rows.map((row) => [row.id, row])) };
  } finally {
    database.close();
  }
}

/**
 * The lines of a log. A kill may have cut the last one of a process, and where another goes on the first of that stands
 * behind it.
 */
export function wholeLines(stdout: string): Record<string, unknown>[] {
  const lines = stdout.slice(0, stdout.lastIndexOf('\n') + 1).split('\n');
  return lines.flatMap((line) => {
    try {
      return parseLines(line);
    } catch {
      return [];
    }
  });
}

/** Whatever was announced is kept. */
export function checkAnnounced(stdout: string, stored: Stored | null): void {
  for (const line of wholeLines(stdout)) {
    if (line['event'] !== 'workstream-finished') continue;
    const row = stored?.rows.get(String(line['workstream_id']));
    expect(row, `${String(line['workstream_id'])} was announced`).toMatchObject({ status: line['status'] });
  }
}

/**
 * Of a run that goes on after the death of its process, the database says what has begun and has no result: the next
 * process runs that alone.
 * @param before how often each module had begun by then.
 */
export function checkBegunIsKnown({ folder, workstreams }: Backlog, stored: Stored, before: Counts): void {
  if (stored.state === 'ended') return;
  const begun = readBegun(folder);
  const isNew = (id: string): boolean => (begun.get(id) ?? 0) > (before.get(id) ?? 0);
  // A command may begin after the process that asked for it was killed.
  const modules = workstreams.filter(({ kind }) => kind === 'module' || kind === 'exits');
  const open = modules.flatMap(({ id }) => (isNew(id) && !stored.rows.has(id) ? [id] : []));
  expect(findInterrupted(databaseOf(folder), stored.runId).running).toEqual(expect.arrayContaining(open));
}

type Counts = ReadonlyMap<string, number>;

/** No process of a run runs a workstream twice. */
export function checkBegunOnce(folder: string, processes: number): void {
  const often = [...readBegun(folder)].filter(([, times]) => times > processes);
  expect(often, `${processes} processes`).toEqual([]);
}

/** What is told of a command whose host was killed. */
const LOST = 'the process that starts commands has ended';

/**
 * Everything has ended as it has to, is counted, and reported; and nothing that was started is alive.
 * @param mayLose how many commands may have been lost with their host.
 */
export function checkEnd(backlog: Backlog, mayLose: number): void {
  const { folder } = backlog;
  const stored = checkDatabase(folder);
  expect(stored?.state).toBe('ended');
  const rows = [...(stored?.rows.values() ?? [])];
  const lost = rows.flatMap(({ id, explanation }) => (explanation?.includes(LOST) === true ? [id] : []));
  expect(lost.length).toBeLessThanOrEqual(mayLose);
  const { statuses, outputs } = endsOf(backlog, new Set(lost));
  expect(new Map(rows.map(({ id, status }) => [id, status]))).toEqual(statuses);
  const database = new Database(databaseOf(folder), { readonly: true });
  const [totals] = database
    .prepare<[], Record<string, number>>(
      `SELECT total_workstreams AS n, completed_count AS completed, failed_count AS failed,
         skipped_count AS skipped, exit_code AS code FROM consolidated_runs`,
    )
    .all();
  const count = (status: string): number => [...statuses.values()].filter((each) => each === status).length;
  const counts = { completed: count('completed'), failed: count('failed'), skipped: count('skipped') };
  expect(totals).toEqual({ n: statuses.size, ...counts, code: 1 });
  const given = database
    .prepare<[], { id: string; output: number }>(
      `SELECT workstream_id AS id, metadata ->> '$.output' AS output FROM agent_results
       WHERE metadata ->> '$.output' IS NOT NULL`,
    )
    .all();
  database.close();
  expect(new Map(given.map(({ id, output }) => [id, output]))).toEqual(outputs);
  expect(reportedRuns(join(folder, 'reports'))).toEqual([stored?.runId]);
  expect(childrenOf(folder)).toEqual([]);
}

/** Processes that live and that something in this folder started, as pid and command; none where the system does not tell. */
function childrenOf(folder: string): string[] {
  if (!hasProcessTable) return [];
  return [...livingProcesses()].flatMap(({ pid }) =>
    pid !== process.pid && startedWith(pid, CRASH_VARIABLE, folder) ? [`${pid} ${commandOf(pid)}`] : [],
  );
}
