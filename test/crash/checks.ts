/** What must be true of the database after each kill, and of everything at the end. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { commandOf, hasProcessTable, livingProcesses, startedWith } from '../../src/os/process-table.ts';
import { parseLines } from '../kit/command.ts';
import type { Backlog } from './backlog.ts';
import { CRASH_VARIABLE } from './killed.ts';

interface Row {
  id: string;
  status: string;
  reason: string | null;
}

/** What the database of a run that was killed holds; null where there is no run yet. */
export interface Stored {
  runId: string;
  state: string;
  rows: Map<string, Row>;
}

/** Results that say all there is to say. */
export const finishedOf = ({ rows }: Stored): string[] =>
  [...rows.values()].filter(({ status }) => status !== 'skipped').map(({ id }) => id);

/** Opens the database as the next process would, checks that it is whole, and reads the run. */
export function checkDatabase(folder: string): Stored | null {
  const path = join(folder, '.state', 'multi_agent_consolidated.db');
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
    const sql = 'SELECT workstream_id AS id, status, reason FROM agent_results WHERE run_id = ?';
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

/** Everything has ended as it has to, is counted, and reported; and nothing that was started is alive. */
export function checkEnd({ folder, expected, outputs }: Backlog): void {
  const stored = checkDatabase(folder);
  expect(stored?.state).toBe('ended');
  const statuses = new Map([...(stored?.rows ?? [])].map(([id, { status }]) => [id, status]));
  expect(statuses).toEqual(expected);
  const database = new Database(join(folder, '.state', 'multi_agent_consolidated.db'), { readonly: true });
  const [totals] = database
    .prepare<[], Record<string, number>>(
      `SELECT total_workstreams AS n, completed_count AS completed, failed_count AS failed,
         skipped_count AS skipped, exit_code AS code FROM consolidated_runs`,
    )
    .all();
  const count = (status: string): number => [...expected.values()].filter((each) => each === status).length;
  const counts = { completed: count('completed'), failed: count('failed'), skipped: count('skipped') };
  expect(totals).toEqual({ n: expected.size, ...counts, code: 1 });
  const given = database
    .prepare<[], { id: string; output: number }>(
      `SELECT workstream_id AS id, metadata ->> '$.output' AS output FROM agent_results
       WHERE metadata ->> '$.output' IS NOT NULL`,
    )
    .all();
  database.close();
  expect(new Map(given.map(({ id, output }) => [id, output]))).toEqual(outputs);
  expect(readdirSync(join(folder, 'reports'))).toEqual([`multi_agent_consolidated_${stored?.runId}.md`]);
  expect(childrenOf(folder)).toEqual([]);
}

/** Processes that live and that something in this folder started, as pid and command; none where the system does not tell. */
function childrenOf(folder: string): string[] {
  if (!hasProcessTable) return [];
  return [...livingProcesses()].flatMap(({ pid }) =>
    pid !== process.pid && startedWith(pid, CRASH_VARIABLE, folder) ? [`${pid} ${commandOf(pid)}`] : [],
  );
}
