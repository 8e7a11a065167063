import { expect, test } from 'vitest';
import { canBatch, BatchSizer } from '../../src/run/batch-sizer.ts';
import { moduleStep, runStep, workstream } from '../kit/definitions.ts';

const paceOf = (count: number, seconds: number): BatchSizer => {
  const pace = new BatchSizer();
  for (let i = 0; i < count; i += 1) pace.add(seconds);
  return pace;
};

test('an agent has one workstream in hand until it is known that they are tiny', () => {
  expect(new BatchSizer().batchSize).toBe(1);
  expect(paceOf(10, 0.0001).batchSize).toBe(1);
  expect(paceOf(100, 0.0006).batchSize).toBe(1);
  expect(paceOf(100, 0.0002).batchSize).toBe(19);
  expect(paceOf(200, 0).batchSize).toBe(64);
});

test('one that takes long ends it at once', () => {
  const pace = paceOf(100, 0.0001);
  expect(pace.batchSize).toBeGreaterThan(1);
  pace.add(0.1);
  expect(pace.batchSize).toBe(1);
});

test('only what needs nothing before or after its modules waits behind something', () => {
  const step = moduleStep('/m.mjs');
  const plain = workstream('ws-a', [step]);
  expect(canBatch(plain, 3600)).toBe(true);
  expect(canBatch(plain, 0.5)).toBe(false);
  expect(canBatch({ ...plain, timeoutSeconds: 0.5 }, 3600)).toBe(false);
  expect(canBatch({ ...plain, timeoutSeconds: 60 }, 0.5)).toBe(true);
  expect(canBatch({ ...plain, isolation: 'process' }, 3600)).toBe(false);
  expect(canBatch({ ...plain, workspace: 'worktree' }, 3600)).toBe(false);
  expect(canBatch({ ...plain, filesScope: ['src/'] }, 3600)).toBe(false);
  expect(canBatch({ ...plain, acceptanceTests: [{ kind: 'text', text: 'true' }] }, 3600)).toBe(false);
  expect(canBatch({ ...plain, steps: [step, runStep('true')] }, 3600)).toBe(false);
});
