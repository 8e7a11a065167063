import { expect, test } from 'vitest';
import {
  addNumber,
  mergeMoments,
  NO_NUMBERS,
  standardDeviation,
  standardError,
} from '../../../../workstreams/tasks/algorithms/moments.ts';

const of = (...numbers: number[]) => numbers.reduce(addNumber, NO_NUMBERS);

test('mean and deviations of a few numbers', () => {
  const moments = of(2, 4, 4, 4, 5, 5, 7, 9);
  expect(moments).toEqual({ count: 8, mean: 5, squares: 32 });
  expect(standardDeviation(moments)).toBeCloseTo(Math.sqrt(32 / 7), 12);
  expect(standardError(moments)).toBeCloseTo(Math.sqrt(32 / 7 / 8), 12);
});

test('parts together are the whole', () => {
  const { count, mean, squares } = mergeMoments(of(2, 4, 4), of(4, 5, 5, 7, 9));
  expect(count).toBe(8);
  expect(mean).toBeCloseTo(5, 12);
  expect(squares).toBeCloseTo(32, 12);
  expect(mergeMoments(NO_NUMBERS, of(1, 3))).toEqual(of(1, 3));
  expect(mergeMoments(NO_NUMBERS, NO_NUMBERS)).toEqual(NO_NUMBERS);
});

test('large numbers that are close to each other lose nothing', () => {
  expect(standardDeviation(of(1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16))).toBeCloseTo(Math.sqrt(30), 9);
});

test('fewer than two numbers have no deviation', () => {
  expect([standardDeviation(NO_NUMBERS), standardError(of(3))]).toEqual([0, 0]);
});
