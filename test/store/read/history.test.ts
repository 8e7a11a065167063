import { describe, expect, test } from 'vitest';
import { History } from '../../../src/store/read/history.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { begins, failed, finished, historyOf, opened, record, result, RUN, started } from '../recorded.ts';

describe('live states', () => {
  test('running ones come first, then those that are ready, and final ones not at all', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take(started(['ws-1', 'ws-2', 'ws-3', 'ws-4']));
    recorder.commit();
    connection.exec("UPDATE run_workstreams SET state = 'blocked' WHERE workstream_id = 'ws-1'");
    const at = '2026-01-02T03:04:06.000Z';
    recorder.take(begins('ws-3'));
    recorder.take(finished(result('ws-4')));
    recorder.commit();
    const history = historyOf(connection);
    const { shown, total } = history.live(RUN, 2);
    expect(shown).toEqual([
      {
        workstreamId: 'ws-3',
        title: 'Title of ws-3',
        status: 'running',
        agentId: 'agent-1',
        since: at,
        fraction: null,
        activity: null,
      },
      {
        workstreamId: 'ws-2',
        title: 'Title of ws-2',
        status: 'pending',
        agentId: null,
        since: null,
        fraction: null,
        activity: null,
      },
    ]);
    expect(total).toBe(3);
    expect(history.liveCounts(RUN)).toEqual({ pending: 1, blocked: 1, running: 1 });
  });
});

describe('what earlier runs found out', () => {
  test('durations are those of the last completion', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1', { durationSeconds: 3 }), result('ws-2', { durationSeconds: 4 })]);
    record(
      connection,
      [result('ws-1', { durationSeconds: 5 }), failed('ws-2', 'boom', { durationSeconds: 9 })],
      { runId: `${RUN}-2` },
    );
    const history = historyOf(connection);
    expect(history.durations(['ws-2', 'ws-1', 'ws-9'])).toEqual(
      new Map([
        ['ws-2', 4],
        ['ws-1', 5],
      ]),
    );
    expect(history.completedEarlier(['ws-2', 'ws-9'])).toEqual(
      new Map([['ws-2', { definitionHash: 'hash-of-ws-2', runId: RUN }]]),
    );
  });

  test('also a run that is still under way counts', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take(started(['ws-1', 'ws-2']));
    recorder.take(finished(result('ws-1', { durationSeconds: 7 })));
    recorder.commit();
    expect(historyOf(connection).durations(['ws-1', 'ws-2'])).toEqual(new Map([['ws-1', 7]]));
  });
});

test('the database is named as a person would type it', () => {
  const connection = opened(temporaryFolder());
  record(connection, [result('ws-1')]);
  const named = (path: string): string | undefined =>
    new History(connection, path).consolidate(RUN)?.database;
  expect(named(`${process.cwd()}/.state/runs.db`)).toBe('.state/runs.db');
  expect(named('.state/runs.db')).toBe('.state/runs.db');
  expect(named('/var/lib/runs.db')).toBe('/var/lib/runs.db');
});
