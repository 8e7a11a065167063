import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/domain/run-event.ts';
import {
  attemptsOf,
  findRun,
  latestEnded,
  notEnded,
  readStoredRun,
  type StoredRun,
} from '../../../src/store/read/earlier-run.ts';
import { liveWorkstreams } from '../../../src/store/read/live/workstreams.ts';
import { getRun } from '../../../src/store/read/runs.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { workstream } from '../../kit/definitions.ts';
import {
  begins,
  end,
  failed,
  finished,
  opened,
  RUN,
  result,
  rowsOf,
  SUMMARY,
  skipped,
  started,
} from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const AGAIN = '2026-01-03T00:00:00.000Z';

/** Everything that is read of the run. */
function stored(connection: Connection): StoredRun {
  const head = findRun(connection, RUN);
  if (head === null) throw new Error(`there is no ${RUN}`);
  return readStoredRun(connection, head);
}

/** Three results, of which one was interrupted at work, in a run that was ended by a signal. */
function interrupted(connection: Connection): void {
  const recorder = new SqliteRecorder(connection);
  recorder.claim(RUN, '2026-01-02T03:04:05.000Z', {
    options: { agentsCount: 2 },
    retryOf: null,
    label: null,
  });
  recorder.take([started(['ws-1', 'ws-2', 'ws-3', 'ws-4'])]);
  recorder.take([finished(result('ws-1'))]);
  recorder.take([finished(failed('ws-2', 'boom'))]);
  recorder.take([
    finished(
      result('ws-3', {
        status: 'skipped',
        reason: 'interrupted',
        explanation: 'SIGINT',
        failure: { reason: 'interrupted', detail: 'SIGINT' },
      }),
    ),
  ]);
  recorder.take([finished(skipped('ws-4', { reason: 'interrupted' }))]);
  recorder.finish(end({ state: 'interrupted' }));
}

const restarted = (discarded: string[], afterDeath = false): RunEvent => ({
  type: 'run-started',
  version: 1,
  runId: RUN,
  at: AGAIN,
  agents: ['agent-1'],
  total: 4,
  workstreams: discarded.map((id) => workstream(id, [])),
  resumed: {
    counts: { completed: 1, failed: 1, skipped: 0 },
    discarded,
    afterDeath,
    results: 4,
    running: 0,
  },
  expectedSeconds: null,
});

const reopened = (connection: Connection, discarded = ['ws-3', 'ws-4']): SqliteRecorder => {
  const recorder = new SqliteRecorder(connection);
  expect(recorder.reopen({ runId: RUN, resumedAt: null, discarded, options: { agentsCount: 1 } })).toBe(true);
  return recorder;
};

describe('an interrupted run', () => {
  test('is read with its results, their definitions and its options', () => {
    const connection = opened(temporaryFolder());
    interrupted(connection);
    const earlier = stored(connection);
    expect(earlier).toMatchObject({
      options: { agentsCount: 2 },
      resumedAt: null,
      sessions: 1,
      workedSeconds: 2,
    });
    expect(
      earlier.results.map(({ workstreamId, reason, definitionHash }) => [
        workstreamId,
        reason,
        definitionHash,
      ]),
    ).toEqual([
      ['ws-1', null, 'hash-of-ws-1'],
      ['ws-2', 'thrown', 'hash-of-ws-2'],
      ['ws-3', 'interrupted', 'hash-of-ws-3'],
      ['ws-4', 'interrupted', 'hash-of-ws-4'],
    ]);
    expect(notEnded(connection)).toMatchObject([{ runId: RUN, state: 'interrupted' }]);
    expect(latestEnded(connection)).toBeNull();
    expect(findRun(connection, 'ma-run-20990101-000000')).toBeNull();
  });

  test('goes on with what was not final; the rest stays, and no row is there twice', () => {
    const connection = opened(temporaryFolder());
    interrupted(connection);
    const recorder = reopened(connection);
    recorder.take([restarted(['ws-3', 'ws-4'])]);
    recorder.commit();
    expect(getRun(connection, RUN)).toMatchObject({
      state: 'running',
      resumedAt: AGAIN,
      endedAt: null,
      executionSummary: null,
      totals: { workstreams: 4, completed: 1, failed: 1, skipped: 0, errors: 1 },
    });
    const live = liveWorkstreams(connection, RUN, 10).shown;
    expect(live.map(({ workstreamId }) => workstreamId)).toEqual(['ws-3', 'ws-4']);
    const at = { startTime: '2026-01-03T00:00:01.000Z', endTime: '2026-01-03T00:00:05.000Z' };
    recorder.take([finished(result('ws-3', at))]);
    recorder.take([finished(result('ws-4', at))]);
    recorder.finish(end({ summary: { ...SUMMARY, sessions: 2 } }));
    expect(rowsOf(connection, 'SELECT workstream_id AS id, status FROM agent_results ORDER BY id')).toEqual([
      { id: 'ws-1', status: 'completed' },
      { id: 'ws-2', status: 'failed' },
      { id: 'ws-3', status: 'completed' },
      { id: 'ws-4', status: 'completed' },
    ]);
    expect(getRun(connection, RUN)).toMatchObject({
      state: 'ended',
      totals: { completed: 3, failed: 1, skipped: 0 },
      executionSummary: { sessions: 2 },
    });
    // 2 seconds of the first session and 5 of the second; the night between them is nobody's.
    expect(stored(connection)).toMatchObject({ sessions: 2, workedSeconds: 7 });
  });

  test('is taken by one process only, and by none that read it before it was resumed', () => {
    const connection = opened(temporaryFolder());
    interrupted(connection);
    const recorder = reopened(connection);
    const taking = { runId: RUN, resumedAt: null, discarded: [], options: {} };
    expect(new SqliteRecorder(connection).reopen(taking)).toBe(false);
    recorder.take([restarted([])]);
    recorder.finish(end({ state: 'interrupted' }));
    expect(new SqliteRecorder(connection).reopen(taking)).toBe(false);
    expect(new SqliteRecorder(connection).reopen({ ...taking, resumedAt: AGAIN })).toBe(true);
  });

  test('keeps the attempts that were interrupted, and forgets those of what is run anew', () => {
    const connection = opened(temporaryFolder());
    interrupted(connection);
    reopened(connection, ['ws-1', 'ws-3', 'ws-4']);
    const attempts = attemptsOf(connection, RUN, ['ws-1', 'ws-3', 'ws-4']);
    expect([...attempts.keys()]).toEqual(['ws-3']);
    expect(attempts.get('ws-3')).toMatchObject([
      {
        attempt: 1,
        agentId: 'agent-1',
        reason: 'interrupted',
        durationSeconds: 1,
        explanation: 'SIGINT',
        failure: { reason: 'interrupted', detail: 'SIGINT' },
      },
    ]);
  });
});

describe('what was in hand when the process died', () => {
  /** The process dies with ws-1 finished and ws-2 at work, and another one takes the run. */
  function died(connection: Connection, afterDeath: boolean): void {
    const recorder = new SqliteRecorder(connection);
    recorder.claim(RUN, '2026-01-02T03:04:05.000Z', { options: null, retryOf: null, label: null });
    recorder.take([started(['ws-1', 'ws-2', 'ws-3'])]);
    for (const id of ['ws-1', 'ws-2']) recorder.take([begins(id)]);
    recorder.take([finished(result('ws-1'))]);
    recorder.commit();
    takenOver(connection, null, afterDeath);
  }

  function takenOver(connection: Connection, resumedAt: string | null, afterDeath: boolean): void {
    connection.prepare("UPDATE consolidated_runs SET state = 'interrupted'").run();
    const next = new SqliteRecorder(connection);
    expect(next.reopen({ runId: RUN, resumedAt, discarded: [], options: {} })).toBe(true);
    next.take([restarted(['ws-2', 'ws-3'], afterDeath)]);
    next.commit();
  }

  const deaths = (connection: Connection) => rowsOf(connection, 'SELECT * FROM run_crashes');

  test('is counted with each death, and read with the run', () => {
    const connection = opened(temporaryFolder());
    died(connection, true);
    expect(deaths(connection)).toEqual([{ run_id: RUN, workstream_id: 'ws-2', deaths: 1 }]);
    expect(stored(connection)).toMatchObject({ running: [], deaths: new Map([['ws-2', 1]]) });
    connection.prepare("INSERT INTO workstreams_in_hand (run_id, workstream_id) VALUES (?, 'ws-2')").run(RUN);
    expect(stored(connection).running).toEqual(['ws-2']);
    takenOver(connection, AGAIN, true);
    expect(deaths(connection)).toEqual([{ run_id: RUN, workstream_id: 'ws-2', deaths: 2 }]);
  });

  test('is not counted when the run was killed from outside', () => {
    const connection = opened(temporaryFolder());
    died(connection, false);
    expect(deaths(connection)).toEqual([]);
  });
});
