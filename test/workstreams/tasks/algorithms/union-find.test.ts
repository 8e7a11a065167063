import { expect, test } from 'vitest';
import { UnionFind } from '../../../../workstreams/tasks/algorithms/union-find.ts';

test('elements are connected through others', () => {
  const sets = new UnionFind(6);
  sets.union(0, 1);
  sets.union(2, 3);
  expect(sets.connected(0, 3)).toBe(false);
  sets.union(3, 1);
  sets.union(1, 0);
  expect([0, 1, 2, 3].map((element) => sets.find(element))).toEqual(Array(4).fill(sets.find(0)));
  expect(sets.connected(0, 4)).toBe(false);
  sets.reset();
  expect(sets.connected(0, 1)).toBe(false);
});

test('a chain of any length has one representative', () => {
  const sets = new UnionFind(10_000);
  for (let i = 1; i < 10_000; i += 1) sets.union(i, i - 1);
  expect(sets.connected(0, 9999)).toBe(true);
});
