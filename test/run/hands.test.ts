import { expect, test } from 'vitest';
import { Hands } from '../../src/run/hands.ts';

test('who has nothing in hand is free, longest idle first', () => {
  const hands = new Hands(3);
  expect(hands.free).toEqual([0, 1, 2]);
  expect([hands.give(0), hands.give(1), hands.give(1)]).toEqual([false, false, true]);
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
