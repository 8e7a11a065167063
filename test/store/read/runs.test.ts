import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { consolidate } from '../../../src/store/read/consolidate.ts';
import { getRun, latestRunId, listRuns } from '../../../src/store/read/runs.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import {
  databaseIn,
  end,
  failed,
  finished,
  opened,
  RUN,
  record,
  result,
  SUMMARY,
  skipped,
  started,
} from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeOlderDatabase, OLD_RUN, olderDatabases } from '../older-system.ts';

describe('runs', () => {
  test('one is read as it was recorded', () => {
    const connection = opened(temporaryFolder());
    record(connection, [
      result('ws-1', { filesModified: ['a.ts'] }),
      failed('ws-2', 'boom'),
      skipped('ws-3'),
    ]);
    expect(getRun(connection, RUN)).toEqual({
      runId: RUN,
      state: 'ended',
      retryOf: null,
      label: null,
      hostname: hostname(),
      checkout: null,
      resumedAt: null,
      createdAt: '2026-01-02T03:04:05.000Z',
      endedAt: '2026-01-02T03:05:00.000Z',
      totals: {
        workstreams: 3,
        completed: 1,
        failed: 1,
        skipped: 1,
        takenOver: 0,
        savedSeconds: 0,
        filesModified: 1,
        commits: 0,
        errors: 1,
        warnings: 0,
      },
      executionSummary: SUMMARY,
      recommendations: ['Run it again.'],
    });
    expect(getRun(connection, 'ma-run-20990101-000000')).toBeNull();
  });

  test('are listed with the newest first, whichever system made them', () => {
    const folder = temporaryFolder();
    makeOlderDatabase(databaseIn(folder));
    const connection = opened(folder);
    const at = '2024-05-06T07:08:59.000Z';
    for (const runId of ['ma-run-20240506-070859', 'ma-run-20240506-070859-2', 'ma-run-20240506-070859-10']) {
      record(connection, [], { runId, at });
    }
    record(connection, [], { runId: 'ma-run-20240506-070901', at: '2024-05-06T07:09:01.000Z' });
    const ids = (page: { limit: number; offset?: number }): string[] =>
      listRuns(connection, page).map(({ runId }) => runId);
    const order = [
      'ma-run-20240506-070901',
      'ma-run-20240506-070859-10',
      'ma-run-20240506-070859-2',
      'ma-run-20240506-070859',
      OLD_RUN,
    ];
    expect(ids({ limit: 10 })).toEqual(order);
    expect(ids({ limit: 2, offset: 1 })).toEqual(order.slice(1, 3));
    expect(latestRunId(connection)).toBe(order[0]);
  });

  test('there is no newest one in an empty database', () => {
    expect(latestRunId(opened(temporaryFolder()))).toBeNull();
  });

  test('one that is under way counts the files of its results so far', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1', 'ws-2'])]);
    recorder.take([finished(result('ws-1', { filesModified: ['a.ts', 'b.ts'], commitsCreated: ['c1'] }))]);
    recorder.commit();
    expect(getRun(connection, RUN)).toMatchObject({
      state: 'running',
      endedAt: null,
      totals: {
        workstreams: 2,
        completed: 1,
        failed: 0,
        skipped: 0,
        takenOver: 0,
        savedSeconds: 0,
        filesModified: 2,
        commits: 1,
      },
      executionSummary: null,
    });
  });
});

test('a run of the older system is shown with its own totals', () => {
  for (const connection of olderDatabases()) {
    expect(getRun(connection, OLD_RUN)).toEqual({
      runId: OLD_RUN,
      state: 'ended',
      retryOf: null,
      label: null,
      hostname: null,
      checkout: null,
      resumedAt: null,
      createdAt: '2024-05-06T07:09:00.000Z',
      endedAt: null,
      totals: {
        workstreams: 4,
        completed: 2,
        failed: 1,
        skipped: 1,
        takenOver: 0,
        savedSeconds: 0,
        filesModified: 2,
        commits: 1,
        errors: 2,
        warnings: 1,
      },
      executionSummary: null,
      recommendations: ['Review the errors'],
    });
    expect(consolidate(connection, OLD_RUN, 'runs.db')).toMatchObject({
      run: { runId: OLD_RUN },
      patterns: {
        total: 2,
        shown: [
          { type: 'timeout', pattern: 'Timeout after <*>', count: 2, workstreams: ['ws-2', 'ws-3'] },
          { type: 'unknown', pattern: '', count: 1, workstreams: [] },
        ],
      },
      failures: { total: 1 },
      skipped: { total: 1 },
      files: { total: 2 },
      commits: { total: 1 },
      tests: { passed: 3, total: 0 },
      timeline: { total: 4 },
    });
  }
});

test('a run that ended as interrupted says so', () => {
  const connection = opened(temporaryFolder());
  const recorder = new SqliteRecorder(connection);
  recorder.take([started(['ws-1'])]);
  recorder.take([finished(skipped('ws-1', { reason: 'interrupted' }))]);
  recorder.finish(end({ state: 'interrupted' }));
  expect(getRun(connection, RUN)).toMatchObject({
    state: 'interrupted',
    endedAt: '2026-01-02T03:05:00.000Z',
    totals: { workstreams: 1, completed: 0, failed: 0, skipped: 1 },
  });
});
