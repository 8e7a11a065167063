import { expect, test } from 'vitest';
import { Percolation } from '../../../../workstreams/tasks/algorithms/percolation.ts';
import { Random } from '../../../../workstreams/tasks/lib/random.ts';

const mean = (side: number, trials: number): number => {
  const lattice = new Percolation(side);
  const random = Random.fromSeed(1);
  return Array.from({ length: trials }, () => lattice.threshold(random)).reduce((a, b) => a + b) / trials;
};

test('a single site percolates once it is open', () => {
  expect(new Percolation(1).threshold(Random.fromSeed(1))).toBe(1);
});

test('two by two sites need two in a column: on average two and a third', () => {
  // The second site is below or above the first with a probability of 1/3; the third always makes a column.
  expect(mean(2, 3000)).toBeCloseTo((2 / 3 + 3 * (2 / 3)) / 4, 2);
});

test('a larger lattice is near the known threshold', () => {
  expect(Math.abs(mean(64, 200) - 0.59274605)).toBeLessThan(0.005);
});

test('the same seed gives the same result', () => {
  expect(mean(16, 10)).toBe(mean(16, 10));
});
