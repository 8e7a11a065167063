import { array, assert, nat, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { Covered } from '../../src/run/speed-meter.ts';

const covered = (intervals: readonly (readonly [number, number])[]): number => {
  const found = new Covered();
  for (const [start, end] of intervals) found.add(start, end);
  return found.length();
};

test('what several intervals cover counts once', () => {
  expect(covered([])).toBe(0);
  expect(
    covered([
      [0, 2],
      [1, 3],
      [5, 6],
      [6, 7],
      [2, 2],
    ]),
  ).toBe(5);
  expect(
    covered([
      [5, 6],
      [0, 1],
      [3, 1],
      [Number.NaN, Number.NaN],
    ]),
  ).toBe(2);
});

test('any intervals cover as much as their points', () => {
  const interval = tuple(nat(30), nat(10)).map(([start, length]): [number, number] => [
    start,
    start + length,
  ]);
  assert(
    property(array(interval, { maxLength: 200 }), (intervals) => {
      const points = new Set(
        intervals.flatMap(([start, end]) => Array.from({ length: end - start }, (_, index) => start + index)),
      );
      expect(covered(intervals)).toBe(points.size);
    }),
  );
});
