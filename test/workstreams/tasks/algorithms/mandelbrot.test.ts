import { expect, test } from 'vitest';
import { escapeTime } from '../../../../workstreams/tasks/algorithms/mandelbrot.ts';

test.each([
  [0, 0],
  [-1, 0],
  [-2, 0],
  [0, 1],
  [0.25, 0],
  [-0.75, 0],
])('%d + %di is in the set', (x, y) => {
  expect(escapeTime(x, y, 1000)).toBe(Infinity);
});

test('points outside escape, the farther the sooner', () => {
  const times = [0.26, 0.3, 0.5, 1, 2].map((x) => escapeTime(x, 0, 1000));
  expect(times.every(Number.isFinite)).toBe(true);
  expect(times.toSorted((a, b) => b - a)).toEqual(times);
});

test('near 1/4 the time to escape is π / √distance', () => {
  // A result of David Boll, 1991.
  expect(escapeTime(0.25 + 1e-6, 0, 100_000) * 1e-3).toBeCloseTo(Math.PI, 1);
});

test('the count has no steps, and the set is symmetric', () => {
  const step = escapeTime(0.4, 0.4, 1000) - escapeTime(0.4, 0.4001, 1000);
  expect(Math.abs(step)).toBeLessThan(0.05);
  expect(escapeTime(-0.5, 0.7, 1000)).toBe(escapeTime(-0.5, -0.7, 1000));
});
