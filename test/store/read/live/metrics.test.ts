/** What a monitoring system is told of many runs, which are read one at a time. */
import { expect, test } from 'vitest';
import { RunCounts } from '../../../../src/store/read/live/metrics.ts';
import type { Connection } from '../../../../src/store/schema/connection.ts';
import { failed, opened, record, result } from '../../../kit/recorded-run.ts';
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
