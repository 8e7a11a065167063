import { expect, test } from 'vitest';
import { candidatePairs } from '../../../../workstreams/tasks/algorithms/candidate-pairs.ts';

const signatures = (...places: number[][]): Uint32Array[] => places.map((each) => Uint32Array.from(each));

test('signatures that agree in a whole band are candidates, each pair once', () => {
  const all = signatures([1, 2, 3, 4], [9, 9, 3, 4], [1, 2, 3, 4], [1, 9, 3, 9], [2, 1, 4, 3]);
  expect(candidatePairs(all, 2)).toEqual([
    [0, 1],
    [0, 2],
    [1, 2],
  ]);
});

test('longer bands find fewer', () => {
  const all = signatures([1, 2, 3, 4], [9, 9, 3, 4], [1, 2, 3, 4]);
  expect(candidatePairs(all, 4)).toEqual([[0, 2]]);
  expect(candidatePairs([], 4)).toEqual([]);
});

test('a band of 12 and 3 is not one of 1 and 23', () => {
  expect(candidatePairs(signatures([12, 3], [1, 23]), 2)).toEqual([]);
});
