import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/store/connection.ts';
import { openDatabase } from '../../src/store/database.ts';
import { SqliteRecorder } from '../../src/store/recorder.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { workstream } from '../rig/definitions.ts';
import { temporaryFolder } from '../rig/temporary-folder.ts';
import {
  databaseIn,
  end,
  failed,
  finished,
  opened,
  record,
  result,
  RUN,
  skipped,
  START,
  started,
  SUMMARY,
} from './recorded.ts';

const all = (connection: Connection, sql: string): unknown[] => connection.prepare(sql).all();
const live = (connection: Connection): unknown[] =>
  all(
    connection,
    'SELECT workstream_id, state, agent_id, since, fraction, activity FROM run_workstreams ORDER BY position',
  );

const startedEvent = (workstreamId: string) =>
  ({
    type: 'workstream-started',
    workstreamId,
    title: 'T',
    agentId: 'agent-2',
    attempt: 1,
    at: '2026-01-02T03:04:06.000Z',
    expectedSeconds: null,
  }) as const;

const progress = (workstreamId: string, fraction: number, text: string) =>
  ({ type: 'workstream-progress', workstreamId, agentId: 'agent-2', fraction, text }) as const;

describe('a run from its start', () => {
  test('nothing is on disk before the commit', () => {
    const folder = temporaryFolder();
    const recorder = new SqliteRecorder(opened(folder));
    const other = opened(folder);
    const runs = (): unknown[] => all(other, 'SELECT run_id FROM consolidated_runs');
    recorder.take(started(['ws-1']));
    expect(runs()).toEqual([]);
    recorder.commit();
    expect(runs()).toEqual([{ run_id: RUN }]);
  });

  test('has its row and the states of its workstreams', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    const needs = workstream('ws-2', [], { dependsOn: [{ id: 'ws-1', when: 'completed' }] });
    recorder.take({ ...started([]), total: 3, workstreams: [workstream('ws-1', []), needs] } as ReturnType<
      typeof started
    >);
    recorder.commit();
    expect(
      all(
        connection,
        'SELECT run_id, timestamp, created_at, total_workstreams, completed_count, agents_count, state, pid, ended_at FROM consolidated_runs',
      ),
    ).toEqual([
      {
        run_id: RUN,
        timestamp: START,
        created_at: START,
        total_workstreams: 3,
        completed_count: 0,
        agents_count: 2,
        state: 'running',
        pid: process.pid,
        ended_at: null,
      },
    ]);
    expect(
      all(
        connection,
        'SELECT workstream_id, position, title, file, definition_hash, depends_on, state FROM run_workstreams',
      ),
    ).toEqual([
      {
        workstream_id: 'ws-1',
        position: 0,
        title: 'Title of ws-1',
        file: 'workstreams/ws-1.json',
        definition_hash: 'hash-of-ws-1',
        depends_on: '[]',
        state: 'pending',
      },
      {
        workstream_id: 'ws-2',
        position: 1,
        title: 'Title of ws-2',
        file: 'workstreams/ws-2.json',
        definition_hash: 'hash-of-ws-2',
        depends_on: '[{"id":"ws-1","when":"completed"}]',
        state: 'blocked',
      },
    ]);
  });

  test('live states follow its events, of which only the last of a batch is written', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take(started(['ws-1', 'ws-2']));
    recorder.take(startedEvent('ws-1'));
    recorder.take(progress('ws-1', 0.1, 'first'));
    recorder.take(progress('ws-1', 0.5, 'x'.repeat(1000)));
    recorder.commit();
    const since = '2026-01-02T03:04:06.000Z';
    const untouched = {
      workstream_id: 'ws-2',
      state: 'pending',
      agent_id: null,
      since: null,
      fraction: null,
      activity: null,
    };
    const running = { workstream_id: 'ws-1', state: 'running', agent_id: 'agent-2', since };
    expect(live(connection)).toEqual([{ ...running, fraction: 0.5, activity: 'x'.repeat(200) }, untouched]);
    recorder.take({ type: 'workstream-ready', workstreamId: 'ws-1' });
    recorder.commit();
    expect(live(connection)).toEqual([{ ...untouched, workstream_id: 'ws-1' }, untouched]);
  });
});

describe('results', () => {
  test('each is one row, and the totals of the run follow every commit', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take(started(['ws-1', 'ws-2', 'ws-3']));
    recorder.take(finished(result('ws-1', { warnings: ['odd', 'slow'] })));
    recorder.commit();
    recorder.take(finished(failed('ws-2', 'Error: 7 is odd')));
    recorder.take(finished(skipped('ws-3')));
    recorder.commit();
    expect(
      all(
        connection,
        'SELECT workstream_id, agent_id, status, reason, attempts FROM agent_results ORDER BY id',
      ),
    ).toEqual([
      { workstream_id: 'ws-1', agent_id: 'agent-1', status: 'completed', reason: null, attempts: 1 },
      { workstream_id: 'ws-2', agent_id: 'agent-1', status: 'failed', reason: 'thrown', attempts: 1 },
      {
        workstream_id: 'ws-3',
        agent_id: 'coordinator',
        status: 'skipped',
        reason: 'dependency-failed',
        attempts: 0,
      },
    ]);
    expect(
      all(
        connection,
        'SELECT total_workstreams, completed_count, failed_count, skipped_count, total_errors, total_warnings FROM consolidated_runs',
      ),
    ).toEqual([
      {
        total_workstreams: 3,
        completed_count: 1,
        failed_count: 1,
        skipped_count: 1,
        total_errors: 1,
        total_warnings: 2,
      },
    ]);
  });

  test('each error of a failure is a row; those of other results are not', () => {
    const connection = opened(temporaryFolder());
    const errors = [
      { type: 'thrown', message: 'Error: 7 is odd' },
      { type: 'thrown', message: 'Error: 9 is late' },
    ];
    record(connection, [
      failed('ws-1', 'x', { errors, metadata: { tail: 'the last line' } }),
      result('ws-2', { errors }),
    ]);
    const log = '.state/logs/ws-1.log';
    const row = {
      run_id: RUN,
      error_type: 'thrown',
      workstream_id: 'ws-1',
      agent_id: 'agent-1',
      timestamp: '2026-01-02T03:04:07.000Z',
      tail: 'the last line',
      log_file: log,
    };
    expect(all(connection, 'SELECT * FROM consolidated_errors')).toEqual([
      {
        id: 1,
        ...row,
        error_message: 'Error: 7 is odd',
        pattern: 'Error: <n> is odd',
        stack_trace: 'x\n    at f (/a/b.js:1:1)',
      },
      { id: 2, ...row, error_message: 'Error: 9 is late', pattern: 'Error: <n> is late', stack_trace: null },
    ]);
  });

  test('a second one for the same workstream is refused with its whole batch, which is kept', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take(started(['ws-1', 'ws-2']));
    recorder.take(finished(result('ws-1')));
    recorder.commit();
    recorder.take(finished(result('ws-2')));
    recorder.take(finished(result('ws-1')));
    expect(() => recorder.commit()).toThrow(StoreError);
    expect(all(connection, 'SELECT workstream_id FROM agent_results')).toEqual([{ workstream_id: 'ws-1' }]);
    connection.exec("DELETE FROM agent_results WHERE workstream_id = 'ws-1'");
    recorder.commit();
    expect(all(connection, 'SELECT workstream_id FROM agent_results ORDER BY id')).toEqual([
      { workstream_id: 'ws-2' },
      { workstream_id: 'ws-1' },
    ]);
  });
});

describe('a commit that fails', () => {
  test('says that the disk is full, and a later one writes everything', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take(started(['ws-1']));
    recorder.commit();
    connection.pragma('max_page_count = 1');
    recorder.take(finished(result('ws-1', { warnings: ['x'.repeat(100_000)] })));
    const kind = (): unknown => {
      try {
        return recorder.commit();
      } catch (error) {
        return error instanceof StoreError ? error.kind : error;
      }
    };
    expect([kind(), kind()]).toEqual(['disk-full', 'disk-full']);
    expect(all(connection, 'SELECT id FROM agent_results')).toEqual([]);
    connection.pragma('max_page_count = 1000000');
    expect(kind()).toBeUndefined();
    expect(all(connection, 'SELECT workstream_id FROM agent_results')).toEqual([{ workstream_id: 'ws-1' }]);
  });

  test('says that another process keeps the database locked', () => {
    const folder = temporaryFolder();
    const connection = openDatabase(databaseIn(folder), { busyTimeoutMs: 1 });
    const other = opened(folder);
    const recorder = new SqliteRecorder(connection);
    recorder.take(started([]));
    other.exec('BEGIN IMMEDIATE');
    expect(() => recorder.commit()).toThrow(
      `The database ${databaseIn(folder)} is locked by another process. Wait until that has ended, or end it, and try again.`,
    );
    other.exec('ROLLBACK');
    recorder.commit();
    expect(all(other, 'SELECT run_id FROM consolidated_runs')).toEqual([{ run_id: RUN }]);
    connection.close();
  });
});

describe('the end of a run', () => {
  test('its totals add up, and files and commits of several agents count once', () => {
    const connection = opened(temporaryFolder());
    record(connection, [
      result('ws-1', { filesModified: ['a.ts', 'b.ts'], commitsCreated: ['c1'], warnings: ['w'] }),
      result('ws-2', { agentId: 'agent-2', filesModified: ['b.ts', 'c.ts'], commitsCreated: ['c1', 'c2'] }),
      failed('ws-3', 'boom', { filesModified: ['a.ts'] }),
      skipped('ws-4'),
    ]);
    const [run] = all(connection, 'SELECT * FROM consolidated_runs');
    expect(run).toMatchObject({
      state: 'ended',
      ended_at: '2026-01-02T03:05:00.000Z',
      exit_code: 1,
      total_workstreams: 4,
      completed_count: 2,
      failed_count: 1,
      skipped_count: 1,
      total_files_modified: 3,
      total_commits: 2,
      total_errors: 1,
      total_warnings: 1,
      recommendations: '["Run it again."]',
    });
  });

  test('its summary is stored with snake_case keys that SQL reaches', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1')]);
    const sql = `SELECT execution_summary ->> '$.speed.one_agent_seconds' AS one, execution_summary ->> '$.exit_code' AS code,
      execution_summary ->> '$.speed.critical_path[0]' AS first FROM consolidated_runs`;
    expect(all(connection, sql)).toEqual([{ one: SUMMARY.speed.oneAgentSeconds, code: 1, first: 'ws-1' }]);
  });

  test('no live states are left, and the durations of what completed are known', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1', { durationSeconds: 3 }), failed('ws-2', 'boom')]);
    record(connection, [result('ws-1', { durationSeconds: null }), result('ws-2', { durationSeconds: 5 })], {
      runId: `${RUN}-2`,
    });
    expect(live(connection)).toEqual([]);
    expect(all(connection, 'SELECT * FROM workstream_durations')).toEqual([
      { workstream_id: 'ws-1', duration_seconds: 3, definition_hash: 'hash-of-ws-1', run_id: `${RUN}-2` },
      { workstream_id: 'ws-2', duration_seconds: 5, definition_hash: 'hash-of-ws-2', run_id: `${RUN}-2` },
    ]);
  });

  test('writing takes time, and that is measured', () => {
    const recorder = new SqliteRecorder(opened(temporaryFolder()));
    expect(recorder.seconds).toBe(0);
    recorder.take(started(['ws-1']));
    recorder.commit();
    const before = recorder.seconds;
    recorder.take(finished(result('ws-1')));
    recorder.finish(end());
    expect(recorder.seconds).toBeGreaterThan(before);
  });
});

describe('the id of a run', () => {
  test('is given once', () => {
    const folder = temporaryFolder();
    const one = new SqliteRecorder(opened(folder));
    const other = new SqliteRecorder(opened(folder));
    expect([one.claim(RUN, START), other.claim(RUN, START), one.claim(RUN, START)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('that was claimed is filled in by the start', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.claim(RUN, START);
    recorder.take(started(['ws-1', 'ws-2']));
    recorder.commit();
    expect(all(connection, 'SELECT total_workstreams, agents_count FROM consolidated_runs')).toEqual([
      { total_workstreams: 2, agents_count: 2 },
    ]);
  });

  test('of another run is refused', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1')]);
    const recorder = new SqliteRecorder(connection);
    recorder.take(started(['ws-1']));
    expect(() => recorder.commit()).toThrow(/has a run of this id already/);
  });
});

test('the three questions that people ask by hand are answered', () => {
  const connection = opened(temporaryFolder());
  record(connection, [result('ws-0')], { runId: 'ma-run-20260101-000000', at: '2026-01-01T00:00:00.000Z' });
  record(connection, [
    result('ws-1', { durationSeconds: 1 }),
    result('ws-2', { durationSeconds: 3 }),
    failed('ws-3', 'boom', { agentId: 'agent-2', durationSeconds: 2 }),
  ]);
  expect(all(connection, 'SELECT run_id FROM consolidated_runs ORDER BY timestamp DESC LIMIT 1')).toEqual([
    { run_id: RUN },
  ]);
  expect(all(connection, 'SELECT run_id FROM consolidated_runs ORDER BY created_at DESC LIMIT 1')).toEqual([
    { run_id: RUN },
  ]);
  expect(
    all(
      connection,
      `SELECT agent_id, COUNT(*) AS workstreams, SUM(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed,
        AVG(duration_seconds) AS average FROM agent_results WHERE run_id = '${RUN}' GROUP BY agent_id`,
    ),
  ).toEqual([
    { agent_id: 'agent-1', workstreams: 2, completed: 2, average: 2 },
    { agent_id: 'agent-2', workstreams: 1, completed: 0, average: 2 },
  ]);
  expect(
    all(
      connection,
      'SELECT error_type, COUNT(*) AS count FROM consolidated_errors GROUP BY error_type ORDER BY count DESC',
    ),
  ).toEqual([{ error_type: 'thrown', count: 1 }]);
});
