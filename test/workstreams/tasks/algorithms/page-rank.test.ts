import { expect, test } from 'vitest';
import { pageRank } from '../../../../workstreams/tasks/algorithms/page-rank.ts';

test('a circle has equal ranks', () => {
  for (const rank of pageRank([[1], [2], [0]])) expect(rank).toBeCloseTo(1 / 3, 12);
});

test('two nodes that link to a third one without links', () => {
  // r = 0.15 / 3 + 0.85 h / 3 for each of the two, h = r + 2 × 0.85 r for the hub, and 2 r + h = 1.
  const [a, b, hub] = pageRank([[2], [2], []]);
  expect(a).toBeCloseTo(1 / 4.7, 10);
  expect(b).toBeCloseTo(1 / 4.7, 10);
  expect(hub).toBeCloseTo(2.7 / 4.7, 10);
});

test('ranks add up to one', () => {
  const ranks = pageRank([[1, 2], [], [0], [0, 1, 2], []]);
  expect(ranks.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
});
