import { expect, test } from 'vitest';
import { jaccard } from '../../../../workstreams/tasks/algorithms/jaccard.ts';

test.each([
  [[1, 2, 3], [2, 3, 4], 0.5],
  [[1, 2], [1, 2], 1],
  [[1], [2], 0],
  [[], [1], 0],
  [[], [], 1],
  [[1, 5, 9, 0xffffffff], [0xffffffff], 0.25],
])('of %j and %j it is %d', (a, b, similarity) => {
  expect(jaccard(Uint32Array.from(a), Uint32Array.from(b))).toBe(similarity);
  expect(jaccard(Uint32Array.from(b), Uint32Array.from(a))).toBe(similarity);
});
