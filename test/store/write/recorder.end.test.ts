import { describe, expect, test } from 'vitest';
import { knownDurations } from '../../../src/store/read/durations.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import {
  end,
  failed,
  finished,
  opened,
  RUN,
  record,
  result,
  rowsOf,
  SUMMARY,
  skipped,
  started,
} from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

describe('the end of a run', () => {
  test('its totals add up, and files and commits of several agents count once', () => {
    const connection = opened(temporaryFolder());
    record(connection, [
      result('ws-1', { filesModified: ['a.ts', 'b.ts'], commitsCreated: ['c1'], warnings: ['w'] }),
      result('ws-2', { agentId: 'agent-2', filesModified: ['b.ts', 'c.ts'], commitsCreated: ['c1', 'c2'] }),
      failed('ws-3', 'boom', { filesModified: ['a.ts'] }),
      skipped('ws-4'),
    ]);
    const [run] = rowsOf(connection, 'SELECT * FROM consolidated_runs');
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
    expect(rowsOf(connection, sql)).toEqual([{ one: SUMMARY.speed.oneAgentSeconds, code: 1, first: 'ws-1' }]);
  });

  test('nothing of the plan is left, and the durations of what completed are known', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1', { durationSeconds: 3 }), failed('ws-2', 'boom')]);
    record(connection, [result('ws-1', { durationSeconds: null }), result('ws-2', { durationSeconds: 5 })], {
      runId: `${RUN}-2`,
    });
    for (const table of ['run_plans', 'workstreams_in_hand', 'run_workstreams']) {
      expect(rowsOf(connection, `SELECT * FROM ${table}`)).toEqual([]);
    }
    expect(knownDurations(connection, ['ws-1', 'ws-2'])).toEqual(
      new Map([
        ['ws-1', 3],
        ['ws-2', 5],
      ]),
    );
  });

  test('writing takes time, and that is measured', () => {
    const recorder = new SqliteRecorder(opened(temporaryFolder()));
    expect(recorder.seconds).toBe(0);
    recorder.take([started(['ws-1'])]);
    recorder.commit();
    const before = recorder.seconds;
    recorder.take([finished(result('ws-1'))]);
    recorder.finish(end());
    expect(recorder.seconds).toBeGreaterThan(before);
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
  expect(rowsOf(connection, 'SELECT run_id FROM consolidated_runs ORDER BY timestamp DESC LIMIT 1')).toEqual([
    { run_id: RUN },
  ]);
  expect(rowsOf(connection, 'SELECT run_id FROM consolidated_runs ORDER BY created_at DESC LIMIT 1')).toEqual(
    [{ run_id: RUN }],
  );
  expect(
    rowsOf(
      connection,
      `SELECT agent_id, COUNT(*) AS workstreams, SUM(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed,
        AVG(duration_seconds) AS average FROM agent_results WHERE run_id = '${RUN}' GROUP BY agent_id`,
    ),
  ).toEqual([
    { agent_id: 'agent-1', workstreams: 2, completed: 2, average: 2 },
    { agent_id: 'agent-2', workstreams: 1, completed: 0, average: 2 },
  ]);
  expect(
    rowsOf(
      connection,
      'SELECT error_type, COUNT(*) AS count FROM consolidated_errors GROUP BY error_type ORDER BY count DESC',
    ),
  ).toEqual([{ error_type: 'thrown', count: 1 }]);
});
