import { expect, test } from 'vitest';
import { isQueueable, QueueDepth } from '../../src/run/dispatcher.ts';
import { moduleStep, runStep, workstream } from '../kit/definitions.ts';

const depthAfter = (count: number, seconds: number): QueueDepth => {
  const depth = new QueueDepth();
  for (let i = 0; i < count; i += 1) depth.add(seconds);
  return depth;
};

test('an agent gets one workstream at a time until durations show that they are tiny', () => {
  expect(new QueueDepth().depth).toBe(1);
  expect(depthAfter(10, 0.0001).depth).toBe(1);
  expect(depthAfter(100, 0.0006).depth).toBe(1);
  expect(depthAfter(100, 0.0002).depth).toBe(19);
  expect(depthAfter(200, 0).depth).toBe(64);
});

test('one that takes long brings the depth back to one', () => {
  const depth = depthAfter(100, 0.0001);
  expect(depth.depth).toBeGreaterThan(1);
  depth.add(0.1);
  expect(depth.depth).toBe(1);
});

test('a workstream is queueable where nothing has to be done before or after its modules', () => {
  const step = moduleStep('/m.mjs');
  const plain = workstream('ws-a', [step]);
  expect(isQueueable(plain, 3600)).toBe(true);
  expect(isQueueable(plain, 0.5)).toBe(false);
  expect(isQueueable({ ...plain, timeoutSeconds: 0.5 }, 3600)).toBe(false);
  expect(isQueueable({ ...plain, timeoutSeconds: 60 }, 0.5)).toBe(true);
  expect(isQueueable({ ...plain, isolation: 'process' }, 3600)).toBe(false);
  expect(isQueueable({ ...plain, workspace: 'worktree' }, 3600)).toBe(false);
  expect(isQueueable({ ...plain, filesScope: ['src/'] }, 3600)).toBe(false);
  expect(isQueueable({ ...plain, acceptanceTests: [{ kind: 'text', text: 'true' }] }, 3600)).toBe(false);
  expect(isQueueable({ ...plain, steps: [step, runStep('true')] }, 3600)).toBe(false);
});
