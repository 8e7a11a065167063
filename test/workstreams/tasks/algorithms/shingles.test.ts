import { expect, test } from 'vitest';
import { shingles } from '../../../../workstreams/tasks/algorithms/shingles.ts';

test('each run of tokens counts once, wherever it is', () => {
  // a b, b a, a b, b c
  expect(shingles(['a', 'b', 'a', 'b', 'c'], 2).length).toBe(3);
  expect(shingles(['x', 'a', 'b'], 2)).toHaveLength(2);
  const common = new Set(shingles(['a', 'b', 'c'], 2));
  expect([...shingles(['c', 'a', 'b'], 2)].filter((hash) => common.has(hash))).toHaveLength(1);
});

test('the hashes are sorted', () => {
  const hashes = shingles(Array.from('the quick brown fox'), 3);
  expect([...hashes]).toEqual([...hashes].toSorted((a, b) => a - b));
});

test('a text shorter than a run has none', () => {
  expect(shingles(['a'], 2)).toHaveLength(0);
});

test('where tokens begin and end makes a difference', () => {
  expect(shingles(['ab', 'c'], 2)).not.toEqual(shingles(['a', 'bc'], 2));
});
