import { expect, test } from 'vitest';
import { AgentSlots } from '../../src/run/dispatcher.ts';

test('agents without a workstream are free, longest idle first', () => {
  const slots = new AgentSlots(3);
  expect(slots.free).toEqual([0, 1, 2]);
  for (const agent of [0, 1, 1]) slots.assign(agent);
  expect(slots.assigned).toBe(3);
  expect(slots.free).toEqual([2]);
  expect(slots.busy).toEqual([
    [0, 1],
    [1, 2],
  ]);
  slots.release(1);
  slots.release(0);
  expect(slots.free).toEqual([2, 0]);
  slots.release(1);
  expect(slots.free).toEqual([2, 0, 1]);
});

test('agents that are too many take nothing more, and finish what they have', () => {
  const slots = new AgentSlots(3);
  for (const agent of [0, 1, 2, 2]) slots.assign(agent);
  slots.resize(1);
  expect([slots.agents, slots.occupied, slots.busy]).toEqual([1, 3, [[0, 1]]]);
  for (const agent of [1, 0, 2, 2]) slots.release(agent);
  expect([slots.occupied, slots.free]).toEqual([0, [0]]);
});

test('added agents are free, those that still have a workstream once that has ended', () => {
  const slots = new AgentSlots(3);
  slots.assign(0);
  slots.assign(2);
  slots.resize(1);
  slots.resize(4);
  expect(slots.free).toEqual([1, 3]);
  slots.release(2);
  expect(slots.free).toEqual([1, 3, 2]);
});
