import { expect, test } from 'vitest';
import { Random } from '../../../../workstreams/tasks/lib/random.ts';

const take = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.uint32());

test('gives the numbers of the reference implementation', () => {
  // From xoshiro128starstar.c of the authors with the state 1, 2, 3, 4.
  expect(take(new Random([1, 2, 3, 4]), 10)).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});

test('spreads a seed over the state', () => {
  // Computed apart, with integers of any size.
  expect(take(Random.fromSeed(0), 4)).toEqual([1789933344, 44971166, 2521387044, 3848737593]);
  expect(take(Random.fromSeed(1), 4)).toEqual([393288148, 2174103013, 3814759091, 2092745082]);
  expect(take(Random.fromSeed(42), 4)).toEqual([660444221, 3652823732, 77672526, 910233633]);
});

test('fractions are in [0, 1) and integers below their limit, all about equally often', () => {
  const random = Random.fromSeed(1);
  const counts = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 6000; i += 1) {
    const face = random.below(6);
    counts[face] = (counts[face] ?? NaN) + 1;
  }
  expect(counts.length).toBe(6);
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  expect(Random.fromSeed(1).float()).toBe(393288148 / 2 ** 32);
});
