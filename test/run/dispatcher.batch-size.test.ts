import { expect, test } from 'vitest';
import { BatchSize, isBatchable } from '../../src/run/dispatcher.ts';
import { moduleStep, runStep, workstream } from '../kit/definitions.ts';

const sizeAfter = (count: number, seconds: number): BatchSize => {
  const size = new BatchSize();
  for (let i = 0; i < count; i += 1) size.add(seconds);
  return size;
};

test('an agent gets one workstream at a time until durations show that they are tiny', () => {
  expect(new BatchSize().size).toBe(1);
  expect(sizeAfter(10, 0.0001).size).toBe(1);
  expect(sizeAfter(100, 0.0006).size).toBe(1);
  expect(sizeAfter(100, 0.0002).size).toBe(39);
  expect(sizeAfter(200, 0).size).toBe(256);
});

test('one that takes long brings the size back to one', () => {
  const size = sizeAfter(100, 0.0001);
  expect(size.size).toBeGreaterThan(1);
  size.add(0.1);
  expect(size.size).toBe(1);
});

test('a workstream may be in a batch where nothing has to be done before or after its modules', () => {
  const step = moduleStep('/m.mjs');
  const plain = workstream('ws-a', [step]);
  expect(isBatchable(plain, 3600)).toBe(true);
  expect(isBatchable(plain, 0.5)).toBe(false);
  expect(isBatchable({ ...plain, timeoutSeconds: 0.5 }, 3600)).toBe(false);
  expect(isBatchable({ ...plain, timeoutSeconds: 60 }, 0.5)).toBe(true);
  expect(isBatchable({ ...plain, isolation: 'process' }, 3600)).toBe(false);
  expect(isBatchable({ ...plain, workspace: 'worktree' }, 3600)).toBe(false);
  expect(isBatchable({ ...plain, filesScope: ['src/'] }, 3600)).toBe(false);
  expect(isBatchable({ ...plain, acceptanceTests: [{ kind: 'text', text: 'true' }] }, 3600)).toBe(false);
  expect(isBatchable({ ...plain, compensation: [runStep('true')] }, 3600)).toBe(false);
  expect(isBatchable({ ...plain, steps: [step, runStep('true')] }, 3600)).toBe(false);
});
