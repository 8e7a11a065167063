import { expect, test } from 'vitest';
import { jaccard } from '../../../../workstreams/tasks/algorithms/jaccard.ts';
import { estimateSimilarity, MinHash } from '../../../../workstreams/tasks/algorithms/minhash.ts';
import { Random } from '../../../../workstreams/tasks/lib/random.ts';

const range = (from: number, to: number): Uint32Array =>
  Uint32Array.from({ length: to - from }, (_, i) => from + i);

test.each([
  [range(0, 1000), range(0, 1000), 1],
  [range(0, 1000), range(100, 1100), 900 / 1100],
  [range(0, 1000), range(500, 1500), 1 / 3],
  [range(0, 1000), range(5000, 6000), 0],
])('the estimate is near the true similarity', (a, b, similarity) => {
  expect(jaccard(a, b)).toBe(similarity);
  const minHash = new MinHash(1024, Random.fromSeed(1));
  const estimate = estimateSimilarity(minHash.signature(a), minHash.signature(b));
  // Three standard errors.
  const error = Math.sqrt((similarity * (1 - similarity)) / 1024);
  expect(Math.abs(estimate - similarity)).toBeLessThanOrEqual(3 * error);
});

test('the order of members makes no difference', () => {
  const minHash = new MinHash(64, Random.fromSeed(2));
  expect(minHash.signature(range(0, 50))).toEqual(minHash.signature(range(0, 50).toReversed()));
});
