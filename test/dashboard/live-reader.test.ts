/** What the live state of a run costs to read. */
import { performance } from 'node:perf_hooks';
import { afterEach, expect, test, vi } from 'vitest';
import { documentPieces } from '../../src/dashboard/documents.ts';
import { LiveReader } from '../../src/dashboard/live-reader.ts';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { runNow } from '../../src/store/read/live/run-changes.ts';
import { WatchedDatabase } from '../../src/store/read/live/watched-database.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { begins, databaseIn, finished, opened, RUN, record, result, started } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

afterEach(() => void vi.restoreAllMocks());

const IDS = Array.from({ length: 8 }, (_, index) => `ws-${index}`);

/** A run under way with so many results after a run of others, and its live state at any number of seconds. */
function underWay(ended: number, more: readonly RunEvent[] = [], earlier: readonly string[] = ['other']) {
  const connection = opened(temporaryFolder());
  if (earlier.length > 0)
    record(
      connection,
      earlier.map((id) => result(id)),
      { runId: 'ma-run-20260101-030405' },
    );
  const recorder = new SqliteRecorder(connection);
  recorder.take([started(IDS), ...IDS.slice(0, ended).map((id) => finished(result(id))), ...more]);
  recorder.commit();
  const reader = new LiveReader(RUN, '/nowhere');
  const clock = vi.spyOn(performance, 'now');
  const at = (seconds: number) => {
    clock.mockReturnValue(seconds * 1000);
    const run = runNow(connection, RUN);
    if (run === null) throw new Error('there is no such run');
    return reader.read(connection, run);
  };
  const prepared = vi.spyOn(connection, 'prepare');
  const plansRead = (): number =>
    prepared.mock.calls.filter(([sql]) => sql.includes('FROM run_workstreams w')).length;
  const ends = (ids: readonly string[]): void => {
    recorder.take(ids.map((id) => finished(result(id))));
    recorder.commit();
  };
  return { at, ends, plansRead };
}

test('where nothing is known of what is to come, that is looked for once', () => {
  const { at, plansRead } = underWay(0);
  for (const seconds of [0, 10, 20, 30]) expect(at(seconds).estimate).toBeNull();
  expect(plansRead()).toBe(1);
});

test('nothing is looked for where there is no other run', () => {
  const { at, plansRead } = underWay(0, [], []);
  expect(at(0).estimate).toBeNull();
  expect(plansRead()).toBe(0);
});

test('what is known from before is not looked for where the run itself says enough', () => {
  const { at, plansRead } = underWay(4);
  expect(at(0).estimate).toMatchObject({ basis: { kind: 'this-run', known: 4, of: 4 } });
  expect(plansRead()).toBe(0);
});

test('the estimate counts each result once, however often it is made', () => {
  const { at, ends } = underWay(4);
  const first = at(0).estimate;
  expect(first?.basis).toMatchObject({ known: 4, of: 4 });
  ends(['ws-4', 'ws-5']);
  expect(at(10).estimate?.basis).toMatchObject({ known: 6, of: 6 });
  expect(at(20).estimate?.basis).toMatchObject({ known: 6, of: 6 });
});

test('what a workstream says is left of it is in the range of the estimate, and its host is named', () => {
  const agentId = 'alpha/agent-2';
  const { at } = underWay(4, [
    begins('ws-5', { agentId }),
    { type: 'workstream-progress', workstreamId: 'ws-5', agentId, fraction: 0.5, text: '' },
  ]);
  const { estimate, running } = at(0);
  expect(estimate?.low).toBeLessThanOrEqual(estimate?.seconds ?? 0);
  expect(estimate?.high).toBeGreaterThanOrEqual(estimate?.seconds ?? Infinity);
  expect(running).toMatchObject([{ agentId, host: 'alpha' }]);
});

test('a document leaves the database that is watched with as few pages as before', async () => {
  const folder = temporaryFolder();
  record(opened(folder), [result('ws-a')]);
  const database = new WatchedDatabase(databaseIn(folder));
  database.look();
  const { connection } = database;
  if (connection === null) throw new Error('there is no database');
  const before = connection.pragma('cache_size', { simple: true });
  await documentPieces(connection, RUN, database.path);
  expect(connection.pragma('cache_size', { simple: true })).toBe(before);
  database.close();
});
