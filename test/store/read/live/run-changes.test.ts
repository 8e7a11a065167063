/** What the database says of merge states that change, to who follows a run. */
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { type Merge, mergeOf } from '../../../../src/domain/changes.ts';
import { markOf, mergedAfter } from '../../../../src/store/read/live/run-changes.ts';
import { addFunctions, type Connection } from '../../../../src/store/schema/connection.ts';
import { mergeChanges } from '../../../../src/store/schema/migrations/029-merge-changes.ts';
import { copyRuns } from '../../../../src/store/write/copy-runs.ts';
import { removeRuns } from '../../../../src/store/write/prune.ts';
import { SqliteRecorder } from '../../../../src/store/write/recorder.ts';
import { olderDatabase } from '../../../kit/older-database.ts';
import { databaseIn, finished, opened, RUN, result, rowsOf, started } from '../../../kit/recorded-run.ts';
import { temporaryFolder } from '../../../kit/temporary-folder.ts';

/** A run with so much work that is to be merged, and what merges it. */
function working(connection: Connection, count: number) {
  const recorder = new SqliteRecorder(connection);
  const ids = Array.from({ length: count }, (_, index) => `ws-${index}`);
  const metadata = { merge: mergeOf({ status: 'pending' }) };
  recorder.take([started(ids), ...ids.map((id) => finished(result(id, { metadata })))]);
  recorder.commit();
  return (status: Merge['status'], ...merged: string[]): void => {
    recorder.take(
      merged.map((workstreamId) => ({ type: 'workstream-merged', workstreamId, merge: mergeOf({ status }) })),
    );
    recorder.commit();
  };
}

const ALL = { after: 0, upTo: 1e9 };

test('changes are numbered in their run, and say which rows have changed', () => {
  const connection = opened(temporaryFolder());
  const merges = working(connection, 3);
  expect(markOf(connection, RUN)).toMatchObject({ row: 3, merged: 0 });
  merges('merged', 'ws-0', 'ws-2');
  expect(markOf(connection, RUN).merged).toBe(2);
  expect(mergedAfter(connection, RUN, ALL)).toEqual([1, 3]);
  merges('conflict', 'ws-2');
  expect(markOf(connection, RUN).merged).toBe(3);
  expect(mergedAfter(connection, RUN, { ...ALL, after: 2 })).toEqual([3]);
  expect(mergedAfter(connection, RUN, { ...ALL, upTo: 2 })).toEqual([1]);
  expect(markOf(connection, 'ma-run-20260102-030406').merged).toBe(0);
});

test('a run without merges has no row of them', () => {
  const connection = opened(temporaryFolder());
  working(connection, 3);
  expect(rowsOf(connection, 'SELECT * FROM merge_changes')).toEqual([]);
});

test('a run that was begun before the database was migrated is told of from then on', () => {
  const folder = temporaryFolder();
  const merges = working(olderDatabase(databaseIn(folder), mergeChanges), 2);
  merges('merged', 'ws-0');
  const connection = opened(folder);
  expect(markOf(connection, RUN).merged).toBe(0);
  merges('merged', 'ws-1');
  expect(mergedAfter(connection, RUN, ALL)).toEqual([2]);
});

test('changes go with their run, to another database too', () => {
  const [from, to] = [temporaryFolder(), temporaryFolder()];
  const source = opened(from);
  working(source, 2)('merged', 'ws-0', 'ws-1');
  const connection = opened(to);
  copyRuns(connection, databaseIn(from));
  expect(markOf(connection, RUN).merged).toBe(2);
  expect(mergedAfter(connection, RUN, ALL)).toHaveLength(2);
  removeRuns(connection, [RUN]);
  expect(rowsOf(connection, 'SELECT * FROM merge_changes')).toEqual([]);
});

test('nothing but what has changed is read', () => {
  const folder = temporaryFolder();
  working(opened(folder), 2)('merged', 'ws-0');
  const asked: string[] = [];
  const reading = new Database(databaseIn(folder), { verbose: (sql) => asked.push(String(sql)) });
  onTestFinished(() => void reading.close());
  addFunctions(reading);
  markOf(reading, RUN);
  mergedAfter(reading, RUN, ALL);
  const steps = asked
    .splice(0)
    .filter((sql) => !sql.includes('sqlite_schema'))
    .flatMap((sql) => reading.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all());
  expect(steps.map(({ detail }) => detail).filter((detail) => detail.startsWith('SCAN'))).toEqual([
    'SCAN CONSTANT ROW',
  ]);
  expect(steps.map(({ detail }) => detail)).toContainEqual(expect.stringContaining('agent_results_once'));
});
