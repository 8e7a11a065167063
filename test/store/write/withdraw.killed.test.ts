/** A process that is killed while it takes results back: before, between and after each of its statements. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  databaseIn,
  failed,
  finished,
  opened,
  RUN,
  rowsOf,
  skipped,
  started,
} from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const DIST = fileURLToPath(new URL('../../../dist/src/store/', import.meta.url));

/**
 * Records a run with a failure and a skip, and withdraws both, in a process that is killed before its statement of this
 * number, counted from the begin of the withdrawal. Returns whether it was killed: false where there is no such statement.
 */
async function killedAt(folder: string, number: number): Promise<boolean> {
  const events = [started(['ws-1', 'ws-2']), finished(failed('ws-1', 'boom')), finished(skipped('ws-2'))];
  const withdrawals = ['ws-1', 'ws-2'].map((workstreamId) => ({ workstreamId, by: 'me', at: '' }));
  const script = `
    const { openDatabase } = await import(${JSON.stringify(`${DIST}schema/database.js`)});
    const { SqliteRecorder } = await import(${JSON.stringify(`${DIST}write/recorder.js`)});
    const connection = openDatabase(${JSON.stringify(databaseIn(folder))});
    const recorder = new SqliteRecorder(connection);
    recorder.take(${JSON.stringify(events)});
    recorder.commit();
    let left = ${number};
    const statements = Object.getPrototypeOf(connection.prepare('SELECT 1'));
    for (const method of ['run', 'get', 'all']) {
      const execute = statements[method];
      statements[method] = function (...parameters) {
        left -= 1;
        if (left === 0) process.kill(process.pid, 'SIGKILL');
        return execute.apply(this, parameters);
      };
    }
    recorder.withdraw(${JSON.stringify(RUN)}, ${JSON.stringify(withdrawals)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  const [code, signal] = await once(child, 'close');
  if (signal === null) expect(code).toBe(0);
  return signal === 'SIGKILL';
}

const stored = (folder: string) => {
  const connection = opened(folder);
  return {
    results: rowsOf(connection, 'SELECT workstream_id AS id, status FROM agent_results ORDER BY id'),
    errors: rowsOf(connection, 'SELECT workstream_id AS id FROM consolidated_errors'),
    attempts: rowsOf(connection, 'SELECT workstream_id AS id, attempt, reason FROM workstream_attempts'),
    reopened: rowsOf(connection, 'SELECT workstream_id AS id FROM reopened ORDER BY id'),
    totals: rowsOf(connection, 'SELECT failed_count, skipped_count, total_errors FROM consolidated_runs'),
  };
};

const NOTHING = {
  results: [
    { id: 'ws-1', status: 'failed' },
    { id: 'ws-2', status: 'skipped' },
  ],
  errors: [{ id: 'ws-1' }],
  attempts: [],
  reopened: [],
  totals: [{ failed_count: 1, skipped_count: 1, total_errors: 1 }],
};
const ALL = {
  results: [],
  errors: [],
  attempts: [{ id: 'ws-1', attempt: 1, reason: 'thrown' }],
  reopened: [{ id: 'ws-1' }, { id: 'ws-2' }],
  totals: [{ failed_count: 0, skipped_count: 0, total_errors: 0 }],
};

test('leaves both results or neither, at whichever statement it is killed', async () => {
  let number = 1;
  for (; ; number += 1) {
    const folder = temporaryFolder();
    const isKilled = await killedAt(folder, number);
    expect(stored(folder), `killed before statement ${number}`).toEqual(isKilled ? NOTHING : ALL);
    if (!isKilled) break;
  }
  // Begin, count, keep attempts, delete rows, correct totals, note each, commit.
  expect(number).toBeGreaterThan(9);
}, 120_000);
