import { expect, test } from 'vitest';
import { countQueens } from '../../../../workstreams/tasks/algorithms/queens.mjs';

test('counts all solutions of small boards', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(countQueens)).toEqual([1, 0, 0, 2, 10, 4, 40, 92, 352, 724]);
});
