import { expect, test } from 'vitest';
import { weightedLine } from '../../../../workstreams/tasks/algorithms/weighted-line.ts';

test('points on a line give the line, whatever their errors', () => {
  const points = [0.1, 0.2, 0.5].map((x, i) => ({ x, y: 3 - 2 * x, error: i + 1 }));
  const { intercept, slope } = weightedLine(points);
  expect(intercept).toBeCloseTo(3, 12);
  expect(slope).toBeCloseTo(-2, 12);
});

test('a point with a small error counts for more', () => {
  const points = [
    { x: -1, y: 0, error: 1 },
    { x: 1, y: 0, error: 1 },
    { x: 0, y: 3, error: 0.5 },
  ];
  // Weights 1, 1 and 4: the mean height is 12 / 6, and symmetry leaves no slope.
  expect(weightedLine(points)).toEqual({
    intercept: 2,
    interceptError: expect.closeTo(Math.sqrt(1 / 6), 12),
    slope: 0,
    slopeError: expect.closeTo(Math.sqrt(1 / 2), 12),
  });
});
