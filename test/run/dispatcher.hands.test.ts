import { expect, test } from 'vitest';
import { AgentSlots } from '../../src/run/dispatcher.ts';

test('who has nothing in hand is free, longest idle first', () => {
  const hands = new AgentSlots(3);
  expect(hands.free).toEqual([0, 1, 2]);
  expect([hands.assign(0), hands.assign(1), hands.assign(1)]).toEqual([false, false, true]);
  expect(hands.free).toEqual([2]);
  expect(hands.busy).toEqual([
    [0, 1],
    [1, 2],
  ]);
  hands.release(1);
  hands.release(0);
  expect(hands.free).toEqual([2, 0]);
  hands.release(1);
  expect(hands.free).toEqual([2, 0, 1]);
});

test('agents that are too many take nothing more, and end what they have in hand', () => {
  const hands = new AgentSlots(3);
  for (const agent of [0, 1, 2, 2]) hands.assign(agent);
  hands.resize(1);
  expect([hands.agents, hands.occupied, hands.busy]).toEqual([1, 3, [[0, 1]]]);
  for (const agent of [1, 0, 2, 2]) hands.release(agent);
  expect([hands.occupied, hands.free]).toEqual([0, [0]]);
});

test('agents that come are free, those that still have something in hand once that has ended', () => {
  const hands = new AgentSlots(3);
  hands.assign(0);
  hands.assign(2);
  hands.resize(1);
  hands.resize(4);
  expect(hands.free).toEqual([1, 3]);
  hands.release(2);
  expect(hands.free).toEqual([1, 3, 2]);
});
