import type { Signature } from './minhash.ts';

/**
 * Locality-sensitive hashing by bands: Leskovec, Rajaraman & Ullman, "Mining of Massive Datasets", section 3.4. Only
 * sets whose signatures agree in all places of at least one band are compared, so that most pairs are never looked at;
 * a pair of similarity s is found with a probability of 1 − (1 − s^rows)^bands.
 * @param rows places in a band; must divide the length of a signature.
 * @returns pairs of indices, the smaller first, each once, in order.
 */
export function candidatePairs(signatures: readonly Signature[], rows: number): [number, number][] {
  const pairs = new Set<number>();
  const places = signatures[0]?.length ?? 0;
  for (let band = 0; band < places; band += rows) {
    for (const bucket of bucketsOf(signatures, band, rows)) {
      for (const [i, first] of bucket.entries()) {
        for (const second of bucket.slice(i + 1)) pairs.add(first * signatures.length + second);
      }
    }
  }
  return [...pairs]
    .toSorted((a, b) => a - b)
    .map((pair) => [Math.floor(pair / signatures.length), pair % signatures.length]);
}

/** Groups the indices of signatures that agree in all places of a band. */
function bucketsOf(signatures: readonly Signature[], band: number, rows: number): Iterable<number[]> {
  const buckets = new Map<string, number[]>();
  for (const [index, signature] of signatures.entries()) {
    const key = signature.subarray(band, band + rows).join();
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [index]);
    else bucket.push(index);
  }
  return buckets.values();
}
