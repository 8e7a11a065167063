import { expect, test } from 'vitest';
import { firstFreeRunId, looksLikeRun, makeRunId } from '../../src/run/run-id.ts';

test('a run id is the time in UTC', () => {
  expect(makeRunId(new Date('2026-01-02T03:04:05.678Z'))).toBe('ma-run-20260102-030405');
});

test('one that is taken gets a number', () => {
  const taken = new Set(['ma-run-20260102-030405', 'ma-run-20260102-030405-2']);
  expect(firstFreeRunId('ma-run-20260102-030405', (id) => taken.has(id))).toBe('ma-run-20260102-030405-3');
  expect(firstFreeRunId('ma-run-20260102-030406', (id) => taken.has(id))).toBe('ma-run-20260102-030406');
});

test.each(['ma-run-20260102-030405', 'ma-run-20260102-030405-12', 'ma-run-2026', 'latest', 'latest~12'])(
  '%s names a run where it could name a workstream',
  (word) => {
    expect(looksLikeRun(word)).toBe(true);
  },
);

test.each(['ws-1', '20260102', 'latest~', 'latest-1', 'ma-run-', 'nightly'])('%s does not', (word) => {
  expect(looksLikeRun(word)).toBe(false);
});
