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

  test('the newest completion counts, whichever run it is of', () => {
    const connection = opened(temporaryFolder());
    const interrupted = new SqliteRecorder(connection);
    interrupted.take([started(['ws-1', 'ws-2', 'ws-3'])]);
    interrupted.take([finished(result('ws-1', { durationSeconds: 1 }))]);
    interrupted.commit();
    const between = ['ws-1', 'ws-2'].map((id) => result(id, { durationSeconds: 2, definitionHash: 'new' }));
    record(connection, between, { runId: `${RUN}-2` });
    interrupted.take([finished(result('ws-2', { durationSeconds: 3 }))]);
    interrupted.commit();
    expect(knownDurations(connection, ['ws-1', 'ws-2', 'ws-3'])).toEqual(
      new Map([
        ['ws-1', 2],
        ['ws-2', 3],
      ]),
    );
    expect(completedEarlier(connection, ['ws-1', 'ws-2', 'ws-3'])).toEqual(
      new Map([
        ['ws-1', { definitionHash: 'new', runId: `${RUN}-2` }],
        ['ws-2', { definitionHash: 'hash-of-ws-2', runId: RUN }],
      ]),
    );
  });

  test('is found among many, in a long run and in short ones', () => {
    const connection = opened(temporaryFolder());
    const ids = Array.from({ length: 300 }, (_, index) => `ws-${index}`);
    record(
      connection,
      ids.map((id) => result(id, { durationSeconds: 1 })),
    );
    for (const [index, id] of ['ws-7', 'ws-250'].entries()) {
      record(connection, [result(id, { durationSeconds: 5 })], { runId: `${RUN}-${index}` });
    }
    const found = knownDurations(connection, [...ids, 'new']);
    expect(found.size).toBe(300);
    expect([...found].filter(([, seconds]) => seconds === 5)).toEqual([
      ['ws-7', 5],
      ['ws-250', 5],
    ]);
  });

  test('one that was marked as done keeps the duration that it had', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1', { durationSeconds: 3 })]);
    record(connection, [result('ws-1', { durationSeconds: null })], { runId: `${RUN}-2` });
    expect(knownDurations(connection, ['ws-1'])).toEqual(new Map([['ws-1', 3]]));
    expect(completedEarlier(connection, ['ws-1']).get('ws-1')?.runId).toBe(`${RUN}-2`);
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
