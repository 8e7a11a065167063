import { expect, test } from 'vitest';
import { primeSegments } from '../../../../workstreams/tasks/algorithms/segmented-sieve.mjs';

const primesUpTo = (limit: number): number[] =>
  Array.from(primeSegments(limit), (segment) => [...segment]).flat();

test('finds the first primes', () => {
  expect(primesUpTo(30)).toEqual([2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
  expect([0, 1, 2, 3, 4].map((limit) => primesUpTo(limit).length)).toEqual([0, 0, 1, 2, 2]);
});

test('a limit that is a prime or its square belongs to it', () => {
  expect(primesUpTo(97).at(-1)).toBe(97);
  expect(primesUpTo(97 * 97).at(-1)).toBe(9403);
});

test('agrees with the known number over many segments', () => {
  let count = 0;
  for (const segment of primeSegments(3_000_000)) count += segment.length;
  expect(count).toBe(216816);
});
