/** What a monitoring system is told of many runs, which are read one at a time. */
import { expect, test } from 'vitest';
import { RunCounts } from '../../../../src/store/read/live/metrics.ts';
import type { Connection } from '../../../../src/store/schema/connection.ts';
import { failed, opened, record, result, skipped } from '../../../kit/recorded-run.ts';
import { temporaryFolder } from '../../../kit/temporary-folder.ts';

const RUNS = 5;

function recorded(): Connection {
  const connection = opened(temporaryFolder());
  for (let run = 0; run < RUNS; run += 1)
    record(connection, [result('ws-a'), failed('ws-b', 'E')], { runId: `ma-run-20260102-00000${run}` });
  return connection;
}

/** All counts, and in how many steps they were read. */
function counted(counts: RunCounts, connection: Connection) {
  const reading = counts.read(connection);
  for (let steps = 0; ; steps += 1) {
    const step = reading.next();
    if (step.done === true) return { steps, counts: Object.fromEntries(step.value) };
  }
}

test('others have their turn after each run that is counted for the first time', () => {
  const connection = recorded();
  const counts = new RunCounts();
  const first = counted(counts, connection);
  expect(first.steps).toBe(RUNS);
  expect(first.counts).toMatchObject({
    '["runs",{"state":"ended"}]': RUNS,
    '["workstreams",{"status":"completed","reason":""}]': RUNS,
    '["workstreams",{"status":"failed","reason":"thrown"}]': RUNS,
  });
  expect(counted(counts, connection)).toEqual({ ...first, steps: 0 });
});

test('others have their turn while a large run is counted, of which each result counts once', () => {
  const connection = opened(temporaryFolder());
  const large = [
    ...Array.from({ length: 10_001 }, (_, index) =>
      result(`ws-${index}`, { durationSeconds: 1 + (index % 2) }),
    ),
    ...Array.from({ length: 5_000 }, (_, index) => failed(`ws-f-${index}`, 'E', { durationSeconds: 100 })),
    skipped('ws-skipped'),
  ];
  record(connection, large);
  const { steps, counts } = counted(new RunCounts(), connection);
  expect(steps).toBeGreaterThan(3);
  expect(counts).toMatchObject({
    '["workstreams",{"status":"completed","reason":""}]': 10_001,
    '["workstreams",{"status":"failed","reason":"thrown"}]': 5_000,
    '["workstreams",{"status":"skipped","reason":"dependency-failed"}]': 1,
    '["duration_bucket",{"le":"0.5"}]': 0,
    '["duration_bucket",{"le":"1"}]': 5_001,
    '["duration_bucket",{"le":"5"}]': 10_001,
    '["duration_bucket",{"le":"300"}]': 15_001,
    '["duration_count",{}]': 15_001,
    '["duration_sum",{}]': 5_001 + 5_000 * 2 + 5_000 * 100,
  });
});

test('that nothing runs is a count as well', () => {
  const { counts } = counted(new RunCounts(), recorded());
  expect(counts).toMatchObject({ '["running",{}]': 0, '["agents",{}]': 0 });
});

test('a reading that breaks off counts nothing twice', () => {
  const connection = recorded();
  const counts = new RunCounts();
  counts.read(connection).next();
  expect(counted(counts, connection).counts).toEqual(counted(new RunCounts(), connection).counts);
});
