import { beforeEach, describe, expect, test } from 'vitest';
import { runNamed } from '../../../src/store/read/run-name.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { opened, record } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const MORNING = 'ma-run-20260102-080000';
const NOON = 'ma-run-20260102-120000';
const NOON_TOO = 'ma-run-20260102-120000-2';
const NEXT_DAY = 'ma-run-20260103-080000';

let connection: Connection;

beforeEach(() => {
  connection = opened(temporaryFolder());
  for (const runId of [MORNING, NOON, NOON_TOO, NEXT_DAY]) record(connection, [], { runId });
});

const one = (runId: string) => ({ kind: 'one', runId });

describe('a run is named by', () => {
  test('its label, which means the newest that has it, before the beginning of an id', () => {
    const recorder = new SqliteRecorder(connection);
    for (const [id, label] of [
      ['ma-run-20260104-080000', 'nightly'],
      ['ma-run-20260105-080000', '20260103'],
      ['ma-run-20260106-080000', 'nightly'],
    ] as const)
      recorder.claim(id, '2026-01-06T08:00:00.000Z', { options: null, retryOf: null, label });
    recorder.close();
    expect(runNamed(connection, 'nightly')).toEqual(one('ma-run-20260106-080000'));
    expect(runNamed(connection, 'nightly~1')).toEqual(one('ma-run-20260104-080000'));
    expect(runNamed(connection, 'nightly~2')).toEqual({ kind: 'none' });
    expect(runNamed(connection, '20260103')).toEqual(one('ma-run-20260105-080000'));
  });

  test('its id, also where another one begins so', () => {
    expect(runNamed(connection, NOON)).toEqual(one(NOON));
    expect(runNamed(connection, NOON_TOO)).toEqual(one(NOON_TOO));
  });

  test('its place among the newest', () => {
    expect(runNamed(connection, 'latest')).toEqual(one(NEXT_DAY));
    expect(runNamed(connection, 'latest~0')).toEqual(one(NEXT_DAY));
    expect(runNamed(connection, 'latest~3')).toEqual(one(MORNING));
    expect(runNamed(connection, 'latest~4')).toEqual({ kind: 'none' });
  });

  test('the beginning of its id, with and without ma-run-', () => {
    expect(runNamed(connection, 'ma-run-20260103')).toEqual(one(NEXT_DAY));
    expect(runNamed(connection, '20260102-08')).toEqual(one(MORNING));
  });
});

test('a beginning of several ids is told with the newest of them', () => {
  expect(runNamed(connection, '20260102')).toEqual({
    kind: 'several',
    shown: [NOON_TOO, NOON, MORNING],
    total: 3,
  });
});

test.each(['', 'ma-run-2027', '%', '_', 'latest~', 'nightly'])('nothing is called "%s"', (name) => {
  expect(runNamed(connection, name)).toEqual({ kind: 'none' });
});
