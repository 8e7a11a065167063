import { describe, expect, test } from 'vitest';
import type { RunRef } from '../../../src/domain/history/history.ts';
import { baseOf, historicRun, runsBetween, runsUpTo } from '../../../src/store/read/history-runs.ts';
import { comparedRun, RunHistory } from '../../../src/store/read/run-history.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { recordHistory } from '../../kit/recorded-history.ts';
import {
  databaseIn,
  end,
  failed,
  finished,
  opened,
  record,
  result,
  skipped,
  started,
} from '../../kit/recorded-run.ts';
import {
  circumstancesOf,
  durationsOf,
  observationsOf,
  syntheticHistory,
  syntheticId,
} from '../../kit/synthetic-history.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeOlderDatabase, OLD_RUN } from '../older-system.ts';

const FLAKY = 'Connection reset';
const [A, B] = [syntheticId(0), syntheticId(1)];

const history = syntheticHistory({
  seed: 3,
  runs: 30,
  workstreams: 12,
  absent: 0.1,
  otherFailures: 0.05,
  events: [
    { kind: 'flaky', workstreamId: A, message: FLAKY, rate: 0.4, healed: 0.5 },
    { kind: 'break', workstreamId: B, message: 'Cannot find it', from: 10, to: 20 },
    { kind: 'redefined', workstreamId: B, from: 15 },
  ],
});

function recorded(): Connection {
  const connection = opened(temporaryFolder());
  recordHistory(connection, history);
  return connection;
}

const refOf = (connection: Connection, runId: string): RunRef => {
  const found = historicRun(connection, runId);
  if (found === null) throw new RangeError(`There is no run ${runId}.`);
  return found.run;
};

function wholeHistory(connection: Connection): RunHistory {
  const last = history.at(-1)?.run;
  if (last === undefined) throw new RangeError('There is no run.');
  return new RunHistory(connection, runsUpTo(connection, last));
}

/** The id of the pattern that a workstream failed with. */
function patternIn(read: RunHistory, workstreamId: string, text: string): string {
  const found = read
    .seenFailures()
    .find((seen) => seen.workstreamId === workstreamId && seen.pattern.includes(text));
  if (found === undefined) throw new RangeError(`${workstreamId} never failed so.`);
  return found.patternId;
}

describe('a history that was recorded', () => {
  test.each([
    ['one by one', false],
    ['all at once', true],
  ])('has what happened to each workstream, read %s', (_, isPreloaded) => {
    const connection = recorded();
    const read = wholeHistory(connection);
    if (isPreloaded)
      read.preload([A, B, ...Array.from({ length: 10 }, (__, index) => syntheticId(index + 2))]);
    // What was not run has no definition in the store.
    const told = (observations: ReturnType<typeof observationsOf>) =>
      observations.map((each) => (each.what === 'not-run' ? { ...each, definitionHash: null } : each));
    expect(read.observations(A, patternIn(read, A, FLAKY))).toEqual(told(observationsOf(history, A, FLAKY)));
    expect(read.observations(B, patternIn(read, B, 'Cannot find it'))).toEqual(
      told(observationsOf(history, B, 'Cannot find it')),
    );
  });

  test('has every failure once, also those that a retry healed', () => {
    const seen = wholeHistory(recorded()).seenFailures();
    const keys = seen.map(({ workstreamId, pattern }) => `${workstreamId} ${pattern}`);
    const expected = history.flatMap(({ results }) =>
      results.flatMap(({ workstreamId, error, healed }) =>
        [error, healed].flatMap((each) => (each === null ? [] : [`${workstreamId} ${each}`])),
      ),
    );
    expect(keys.toSorted()).toEqual([...new Set(expected)].toSorted());
  });

  test('has the results in which a pattern could have been seen', () => {
    const read = wholeHistory(recorded());
    const patternId = patternIn(read, A, FLAKY);
    const expected = circumstancesOf(history)
      .filter(({ workstreamId }) => workstreamId === A)
      .map((each) => ({ ...each, patternIds: each.patternIds.includes(FLAKY) ? [patternId] : [] }));
    expect(read.circumstances([patternId])).toEqual(expected);
    expect(read.circumstances(['p-none'])).toEqual([]);
  });

  test('has the durations of what completed, of all and of some', () => {
    const read = wholeHistory(recorded());
    const { runs, samples } = durationsOf(history);
    const found = read.durations(null);
    expect(found.runs).toMatchObject(runs);
    expect(found.samples).toEqual(samples);
    expect([...read.durations([A]).samples]).toEqual([[A, samples.get(A)]]);
  });

  test('has the runs between two, and none the other way round', () => {
    const connection = recorded();
    const refs = history.slice(4, 8).map(({ run }) => run);
    const [first, last] = [refs[0], refs.at(-1)];
    if (first === undefined || last === undefined) throw new RangeError('There is no run.');
    expect(runsBetween(connection, first, last)).toEqual(refs);
    expect(runsBetween(connection, last, first)).toEqual([]);
  });
});

describe('a run is seen among', () => {
  test('itself and those before it that ended', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-a')], { runId: 'ma-run-20260101-000001' });
    const interrupted = new SqliteRecorder(connection);
    interrupted.take([started(['ws-a'], { runId: 'ma-run-20260101-000002' })]);
    interrupted.finish(end({ runId: 'ma-run-20260101-000002', state: 'interrupted' }));
    const running = new SqliteRecorder(connection);
    running.take([started(['ws-a'], { runId: 'ma-run-20260101-000003' })]);
    running.commit();
    record(connection, [result('ws-a')], { runId: 'ma-run-20260101-000004' });
    const seen = (runId: string) =>
      runsUpTo(connection, refOf(connection, runId)).map(({ run }) => run.runId.slice(-1));
    expect(seen('ma-run-20260101-000004')).toEqual(['1', '4']);
    expect(seen('ma-run-20260101-000003')).toEqual(['1', '3']);
    for (const recorder of [interrupted, running]) recorder.close();
  });

  test('runs of its label where it has one', () => {
    const connection = opened(temporaryFolder());
    const labelled = (runId: string, label: string | null): void => {
      const recorder = new SqliteRecorder(connection);
      recorder.claim(runId, '2026-01-01T00:00:00.000Z', { options: null, retryOf: null, label });
      recorder.take([started(['ws-a'], { runId }), finished(result('ws-a', { runId }))]);
      recorder.finish(end({ runId }));
      recorder.close();
    };
    labelled('ma-run-20260101-000001', 'nightly');
    labelled('ma-run-20260101-000002', null);
    labelled('ma-run-20260101-000003', 'nightly');
    labelled('ma-run-20260101-000004', null);
    const seen = (runId: string) =>
      runsUpTo(connection, refOf(connection, runId)).map(({ run }) => run.runId.slice(-1));
    expect(seen('ma-run-20260101-000003')).toEqual(['1', '3']);
    expect(seen('ma-run-20260101-000004')).toEqual(['1', '2', '3', '4']);
  });
});

describe('a run is compared with', () => {
  const ids = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `ws-${index + from}`);

  /** The number of the run that the last of these is compared with; null for none. */
  function base(...runs: string[][]): number | null {
    const connection = opened(temporaryFolder());
    for (const [index, members] of runs.entries())
      record(
        connection,
        members.map((id) => result(id)),
        { runId: `ma-run-20260101-00000${index}` },
      );
    const last = refOf(connection, `ma-run-20260101-00000${runs.length - 1}`);
    const found = baseOf(connection, runsUpTo(connection, last));
    return found === null ? null : Number(found.run.runId.slice(-1));
  }

  test('the last one before it that ran the same', () => {
    expect(base(ids(10), ids(10), ids(1), ids(10))).toBe(1);
    expect(base(ids(1), ids(10), ids(1))).toBe(0);
  });

  test('one that shares at least half of all workstreams of the two', () => {
    expect(base(ids(10), ids(12))).toBe(0);
    expect(base(ids(10), ids(5))).toBe(0);
    expect(base(ids(10), ids(4))).toBeNull();
    expect(base(ids(10), ids(10, 3))).toBe(0);
    expect(base(ids(10), ids(10, 4))).toBeNull();
  });

  test('the last one before it that is to run the same, as soon as it has begun', () => {
    const connection = opened(temporaryFolder());
    const earlier = 'ma-run-20260101-000000';
    record(
      connection,
      ids(10).map((id) => result(id)),
      { runId: earlier },
    );
    const runId = 'ma-run-20260101-000001';
    const recorder = new SqliteRecorder(connection);
    recorder.claim(runId, '2026-01-01T00:00:01.000Z', { options: null, retryOf: null, label: null });
    recorder.take([started(ids(10), { runId })]);
    recorder.commit();
    const found = () => baseOf(connection, runsUpTo(connection, refOf(connection, runId)))?.run.runId;
    expect(found()).toBe(earlier);
    recorder.take([finished(result('ws-3', { runId }))]);
    recorder.commit();
    expect(found()).toBe(earlier);
    recorder.close();
  });

  test('none, where it is the first', () => {
    expect(base(ids(3))).toBeNull();
    expect(base(ids(3), ids(3, 3))).toBeNull();
  });
});

test('a run of the older system is no part of histories', () => {
  const folder = temporaryFolder();
  makeOlderDatabase(databaseIn(folder));
  expect(historicRun(opened(folder), OLD_RUN)).toBeNull();
});

test('several runs are compared by all of their results', () => {
  const connection = opened(temporaryFolder());
  const runIds = ['ma-run-20260101-000001', 'ma-run-20260101-000002'];
  for (const runId of runIds) record(connection, [failed('ws-a', 'boom'), skipped('ws-b')], { runId });
  const refs = runIds.map((runId) => refOf(connection, runId));
  const { run, results } = comparedRun(connection, refs);
  expect(run).toEqual(refs[1]);
  expect(results).toHaveLength(4);
  expect(
    results.map(({ workstreamId, status, patternId }) => [workstreamId, status, patternId !== null]),
  ).toEqual([
    ['ws-a', 'failed', true],
    ['ws-b', 'skipped', false],
    ['ws-a', 'failed', true],
    ['ws-b', 'skipped', false],
  ]);
});

test('what a run under way has no result of is part of it, and was not executed', () => {
  const connection = opened(temporaryFolder());
  const runId = 'ma-run-20260101-000001';
  const recorder = new SqliteRecorder(connection);
  recorder.claim(runId, '2026-01-01T00:00:01.000Z', { options: null, retryOf: null, label: null });
  recorder.take([started(['ws-a', 'ws-b'], { runId }), finished({ ...result('ws-a'), runId })]);
  recorder.commit();
  const { results } = comparedRun(connection, [refOf(connection, runId)]);
  expect(results.map(({ workstreamId, status }) => [workstreamId, status])).toEqual([
    ['ws-a', 'completed'],
    ['ws-b', 'skipped'],
  ]);
  recorder.close();
});

describe('a workstream that somebody stopped', () => {
  const stopped = (id: string) =>
    failed(id, 'It was stopped by me@here, process 1: it was running.', {
      reason: 'cancelled',
      failure: { reason: 'cancelled', detail: 'it was running' },
      errors: [{ type: 'cancelled', message: 'It was stopped by me@here, process 1: it was running.' }],
    });

  /** It failed, was stopped, and completed. */
  function threeRuns() {
    const connection = opened(temporaryFolder());
    const runIds = [1, 2, 3].map((number) => `ma-run-20260101-00000${number}`);
    const results = [failed('ws-a', 'boom'), stopped('ws-a'), result('ws-a')];
    for (const [index, runId] of runIds.entries())
      record(
        connection,
        [results[index] ?? result('ws-a'), stopped(`ws-only-${index}`)].map((each) => ({ ...each, runId })),
        { runId },
      );
    const refs = runIds.map((runId) => refOf(connection, runId));
    return { connection, refs, last: refOf(connection, 'ma-run-20260101-000003') };
  }

  test.each([
    ['one by one', false],
    ['all at once', true],
  ])('did not fail, as far as its history goes, read %s', (_, isPreloaded) => {
    const { connection, last } = threeRuns();
    const read = new RunHistory(connection, runsUpTo(connection, last));
    expect(read.seenFailures().map(({ workstreamId, type }) => [workstreamId, type])).toEqual([
      ['ws-a', 'thrown'],
    ]);
    const pattern = patternIn(read, 'ws-a', 'boom');
    if (isPreloaded) read.preload(['ws-a', 'ws-only-0', 'ws-only-1', 'ws-only-2']);
    expect(read.observations('ws-a', pattern).map(({ what }) => what)).toEqual([
      'failed-so',
      'not-run',
      'passed',
    ]);
  });

  test('is no failure where runs are compared', () => {
    const { connection, refs } = threeRuns();
    const { results } = comparedRun(connection, refs.slice(1, 2));
    expect(results.map(({ status, patternId }) => [status, patternId])).toEqual([
      ['skipped', null],
      ['skipped', null],
    ]);
  });
});
