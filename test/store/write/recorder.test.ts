import { describe, expect, test } from 'vitest';
import { shapeId } from '../../../src/analysis/patterns/error-shape.ts';
import { readResults } from '../../../src/store/read/results.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { StoreError } from '../../../src/store/schema/store-error.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { testResult, workstream } from '../../kit/definitions.ts';
import { begun } from '../../kit/events.ts';
import {
  begins,
  failed,
  finished,
  opened,
  RUN,
  record,
  result,
  rowsOf,
  START,
  skipped,
  started,
} from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const live = (connection: Connection): unknown[] =>
  rowsOf(
    connection,
    'SELECT workstream_id, state, agent_id, since, fraction, activity FROM run_workstreams ORDER BY position',
  );

const progress = (workstreamId: string, fraction: number, text: string) =>
  ({ type: 'workstream-progress', workstreamId, agentId: 'agent-2', fraction, text }) as const;

describe('a run from its start', () => {
  test('nothing is on disk before the commit', () => {
    const folder = temporaryFolder();
    const recorder = new SqliteRecorder(opened(folder));
    const other = opened(folder);
    const runs = (): unknown[] => rowsOf(other, 'SELECT run_id FROM consolidated_runs');
    recorder.take([started(['ws-1'])]);
    expect(runs()).toEqual([]);
    recorder.commit();
    expect(runs()).toEqual([{ run_id: RUN }]);
  });

  test('has its row and the states of its workstreams', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    const needs = workstream('ws-2', [], { dependsOn: [{ id: 'ws-1', when: 'completed' }] });
    recorder.take([
      { ...started([]), total: 3, workstreams: [workstream('ws-1', []), needs] } as ReturnType<
        typeof started
      >,
    ]);
    recorder.commit();
    expect(
      rowsOf(
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
      rowsOf(
        connection,
        'SELECT workstream_id, position, title, file, depends_on, state FROM run_workstreams',
      ),
    ).toEqual([
      {
        workstream_id: 'ws-1',
        position: 0,
        title: 'Title of ws-1',
        file: 'workstreams/ws-1.json',
        depends_on: '[]',
        state: 'pending',
      },
      {
        workstream_id: 'ws-2',
        position: 1,
        title: 'Title of ws-2',
        file: 'workstreams/ws-2.json',
        depends_on: '["ws-1"]',
        state: 'blocked',
      },
    ]);
  });

  test('live states follow its events, of which only the last of a batch is written', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1', 'ws-2'])]);
    recorder.take([begins('ws-1', { agentId: 'agent-2' })]);
    recorder.take([progress('ws-1', 0.1, 'first')]);
    recorder.take([progress('ws-1', 0.5, 'x'.repeat(1000))]);
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
    recorder.take([{ type: 'workstream-ready', workstreamId: 'ws-1' }]);
    recorder.commit();
    expect(live(connection)).toEqual([{ ...untouched, workstream_id: 'ws-1' }, untouched]);
  });

  test('a queued workstream is in hand once it is known to have begun', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1', 'ws-2'])]);
    for (const id of ['ws-1', 'ws-2']) recorder.take([begins(id, { queued: true })]);
    recorder.commit();
    expect(live(connection)).toMatchObject([{ state: 'pending' }, { state: 'pending' }]);
    recorder.take([begun('ws-1', 1, 0), progress('ws-1', 0.5, 'half')]);
    recorder.commit();
    expect(live(connection)).toMatchObject([
      { workstream_id: 'ws-1', state: 'running', fraction: 0.5, activity: 'half' },
      { workstream_id: 'ws-2', state: 'pending' },
    ]);
    recorder.take([finished(result('ws-1')), finished(result('ws-2'))]);
    recorder.commit();
    expect(rowsOf(connection, 'SELECT * FROM workstreams_in_hand')).toEqual([]);
  });
});

describe('results', () => {
  test('each is one row, and the totals of the run follow every commit', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1', 'ws-2', 'ws-3'])]);
    recorder.take([finished(result('ws-1', { warnings: ['odd', 'slow'] }))]);
    recorder.commit();
    recorder.take([finished(failed('ws-2', 'Error: 7 is odd'))]);
    recorder.take([finished(skipped('ws-3'))]);
    recorder.commit();
    expect(
      rowsOf(
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
      rowsOf(
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

  test('stay in the order in which they arrived, plain ones and others', () => {
    const connection = opened(temporaryFolder());
    const ids = Array.from({ length: 120 }, (_, index) => `ws-${index}`);
    const unusual = new Set([0, 17, 18, 50, 119]);
    const results = ids.map((id, index) => (unusual.has(index) ? failed(id, 'boom') : result(id)));
    record(connection, results);
    expect(
      [...readResults(connection, RUN)].map(({ workstreamId, status }) => [workstreamId, status]),
    ).toEqual(results.map(({ workstreamId, status }) => [workstreamId, status]));
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
    expect(rowsOf(connection, 'SELECT * FROM consolidated_errors')).toEqual([
      {
        id: 1,
        ...row,
        error_message: 'Error: 7 is odd',
        pattern: '<*> is odd',
        shape_id: shapeId('thrown', '<*> is odd'),
        stack_trace: 'x\n    at f (/a/b.js:1:1)',
      },
      {
        id: 2,
        ...row,
        error_message: 'Error: 9 is late',
        pattern: '<*> is late',
        shape_id: shapeId('thrown', '<*> is late'),
        stack_trace: null,
      },
    ]);
  });

  test('each case of its acceptance tests is a row, and the object in test_results has none of them', () => {
    const connection = opened(temporaryFolder());
    const counts = { total: 2, passed: 1, failed: 1, skipped: 0 };
    const tests = [
      testResult('make lint', 'passed'),
      testResult('npm test', 'failed', {
        format: 'tap',
        counts,
        cases: [
          { suite: 's', name: 'b', status: 'failed', durationSeconds: 0.5, message: 'why' },
          { suite: '', name: 'a', status: 'passed', durationSeconds: null, message: null },
        ],
      }),
    ];
    record(connection, [
      result('ws-1', { testResults: { total: 2, passed: 1, failed: 1, manual: 0, cases: counts, tests } }),
      result('ws-2'),
    ]);
    const row = { run_id: RUN, workstream_id: 'ws-1', acceptance_test: 'npm test', position: 1 };
    expect(rowsOf(connection, 'SELECT * FROM test_cases')).toEqual([
      { id: 1, ...row, suite: 's', name: 'b', status: 'failed', duration_seconds: 0.5, message: 'why' },
      { id: 2, ...row, suite: '', name: 'a', status: 'passed', duration_seconds: null, message: null },
    ]);
    const cells = rowsOf(
      connection,
      `SELECT json_extract(test_results, '$.cases.failed') AS failed,
        json_extract(test_results, '$.tests[1].counts.total') AS total,
        json_type(test_results, '$.tests[1].cases') AS cases FROM agent_results`,
    );
    expect(cells).toEqual([
      { failed: 1, total: 2, cases: null },
      { failed: null, total: null, cases: null },
    ]);
  });

  test('a second one for the same workstream is refused with its whole batch, which is kept', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1', 'ws-2'])]);
    recorder.take([finished(result('ws-1'))]);
    recorder.commit();
    recorder.take([finished(result('ws-2'))]);
    recorder.take([finished(result('ws-1'))]);
    expect(() => recorder.commit()).toThrow(StoreError);
    expect(rowsOf(connection, 'SELECT workstream_id FROM agent_results')).toEqual([
      { workstream_id: 'ws-1' },
    ]);
    connection.exec("DELETE FROM agent_results WHERE workstream_id = 'ws-1'");
    recorder.commit();
    expect(rowsOf(connection, 'SELECT workstream_id FROM agent_results ORDER BY id')).toEqual([
      { workstream_id: 'ws-2' },
      { workstream_id: 'ws-1' },
    ]);
  });
});
