import { describe, expect, test } from 'vitest';
import { completedEarlier, knownDurations } from '../../../src/store/read/durations.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { failed, finished, opened, RUN, record, result, started } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

describe('what earlier runs found out', () => {
  test('durations are those of the last completion', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1', { durationSeconds: 3 }), result('ws-2', { durationSeconds: 4 })]);
    record(
      connection,
      [result('ws-1', { durationSeconds: 5 }), failed('ws-2', 'boom', { durationSeconds: 9 })],
      { runId: `${RUN}-2` },
    );
    expect(knownDurations(connection, ['ws-2', 'ws-1', 'ws-9'])).toEqual(
      new Map([
        ['ws-2', 4],
        ['ws-1', 5],
      ]),
    );
    expect(completedEarlier(connection, ['ws-2', 'ws-9'])).toEqual(
      new Map([['ws-2', { definitionHash: 'hash-of-ws-2', runId: RUN }]]),
    );
  });

  test('also a run that is still under way counts', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1', 'ws-2'])]);
    recorder.take([finished(result('ws-1', { durationSeconds: 7 }))]);
    recorder.commit();
    expect(knownDurations(connection, ['ws-1', 'ws-2'])).toEqual(new Map([['ws-1', 7]]));
  });
});
