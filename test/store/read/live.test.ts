import { describe, expect, test } from 'vitest';
import { liveCounts, liveWorkstreams } from '../../../src/store/read/live.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { begins, finished, opened, RUN, result, started } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

describe('live states', () => {
  test('running ones come first, then those that are ready, and final ones not at all', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1', 'ws-2', 'ws-3', 'ws-4'])]);
    recorder.commit();
    connection.exec("UPDATE run_workstreams SET state = 'blocked' WHERE workstream_id = 'ws-1'");
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
  });
});
