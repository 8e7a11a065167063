import { expect, test } from 'vitest';
import { mayWait, Pace } from '../../src/run/pace.ts';
import { moduleStep, runStep, workstream } from '../rig/definitions.ts';

const paceOf = (count: number, seconds: number): Pace => {
  const pace = new Pace();
  for (let i = 0; i < count; i += 1) pace.add(seconds);
  return pace;
};

test('an agent has one workstream in hand until it is known that they are tiny', () => {
  expect(new Pace().depth).toBe(1);
  expect(paceOf(10, 0.0001).depth).toBe(1);
  expect(paceOf(100, 0.0006).depth).toBe(1);
  expect(paceOf(100, 0.0002).depth).toBe(19);
  expect(paceOf(200, 0).depth).toBe(64);
});

test('one that takes long ends it at once', () => {
  const pace = paceOf(100, 0.0001);
  expect(pace.depth).toBeGreaterThan(1);
  pace.add(0.1);
  expect(pace.depth).toBe(1);
});

test('only what needs nothing before or after its modules waits behind something', () => {
  const step = moduleStep('/m.mjs');
  const plain = workstream('ws-a', [step]);
  expect(mayWait(plain, 3600)).toBe(true);
  expect(mayWait(plain, 0.5)).toBe(false);
  expect(mayWait({ ...plain, timeoutSeconds: 0.5 }, 3600)).toBe(false);
  expect(mayWait({ ...plain, timeoutSeconds: 60 }, 0.5)).toBe(true);
  expect(mayWait({ ...plain, isolation: 'process' }, 3600)).toBe(false);
  expect(mayWait({ ...plain, workspace: 'worktree' }, 3600)).toBe(false);
  expect(mayWait({ ...plain, filesScope: ['src/'] }, 3600)).toBe(false);
  expect(mayWait({ ...plain, acceptanceTests: [{ kind: 'text', text: 'true' }] }, 3600)).toBe(false);
  expect(mayWait({ ...plain, steps: [step, runStep('true')] }, 3600)).toBe(false);
});
