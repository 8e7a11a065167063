import { describe, expect, test } from 'vitest';
import { liveCounts, liveWorkstreams } from '../../../../src/store/read/live/workstreams.ts';
import { SqliteRecorder } from '../../../../src/store/write/recorder.ts';
import { workstream } from '../../../kit/definitions.ts';
import { begins, failed, finished, opened, RUN, result, started } from '../../../kit/recorded-run.ts';
import { temporaryFolder } from '../../../kit/temporary-folder.ts';

const needs = (id: string) => [{ id, when: 'finished' as const }];

describe('live states', () => {
  test('running ones come first, then those that are ready, and final ones not at all', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    const workstreams = [
      workstream('ws-1', [], { dependsOn: [{ id: 'ws-4', when: 'completed' }, ...needs('ws-3')] }),
      ...['ws-2', 'ws-3', 'ws-4'].map((id) => workstream(id, [])),
    ];
    recorder.take([started([], { total: 4, workstreams })]);
    recorder.commit();
    const at = '2026-01-02T03:04:06.000Z';
    recorder.take([begins('ws-3')]);
    recorder.take([finished(result('ws-4'))]);
    recorder.commit();
    const { shown, total } = liveWorkstreams(connection, RUN, 2);
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
    expect(liveCounts(connection, RUN)).toEqual({ pending: 1, blocked: 1, running: 1 });
    recorder.take([finished(failed('ws-3', 'boom'))]);
    recorder.commit();
    expect(liveCounts(connection, RUN)).toEqual({ pending: 2, blocked: 0, running: 0 });
  });

  test('only what is part of the run keeps a workstream waiting', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    const workstreams = [workstream('ws-1', [], { dependsOn: needs('completed-in-an-earlier-run') })];
    recorder.take([started([], { total: 1, workstreams })]);
    recorder.commit();
    expect(liveCounts(connection, RUN)).toEqual({ pending: 1, blocked: 0, running: 0 });
  });

  test('a plan of any length is read in its order', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    const ids = Array.from({ length: 1_203 }, (_, index) => `ws-${1_203 - index}`);
    recorder.take([started(ids)]);
    recorder.take([finished(result('ws-1203')), finished(result('ws-600'))]);
    recorder.commit();
    const { shown, total } = liveWorkstreams(connection, RUN, 2_000);
    expect(total).toBe(1_201);
    expect(shown.map(({ workstreamId }) => workstreamId)).toEqual(
      ids.filter((id) => id !== 'ws-1203' && id !== 'ws-600'),
    );
  });
});
