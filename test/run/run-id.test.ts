import { expect, test } from 'vitest';
import { firstFreeRunId, isRunId, makeRunId } from '../../src/run/run-id.ts';

test('a run id is the time in UTC', () => {
  expect(makeRunId(new Date('2026-01-02T03:04:05.678Z'))).toBe('ma-run-20260102-030405');
});

test('one that is taken gets a number', () => {
  const taken = new Set(['ma-run-20260102-030405', 'ma-run-20260102-030405-2']);
  expect(firstFreeRunId('ma-run-20260102-030405', (id) => taken.has(id))).toBe('ma-run-20260102-030405-3');
  expect(firstFreeRunId('ma-run-20260102-030406', (id) => taken.has(id))).toBe('ma-run-20260102-030406');
});

test('a run id can be told from the id of a workstream', () => {
  expect(isRunId('ma-run-20260102-030405')).toBe(true);
  expect(isRunId('ma-run-20260102-030405-12')).toBe(true);
  expect(isRunId('ws-1')).toBe(false);
});
