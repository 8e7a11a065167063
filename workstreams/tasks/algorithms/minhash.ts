import type { Random } from '../lib/random.ts';

/** A short summary of a set: for each of many orders of all possible members, the first member that it has. */
export type Signature = Uint32Array;

/**
 * MinHash: Broder, "On the resemblance and containment of documents", 1997. Two sets agree in a place of their
 * signatures with a probability of their Jaccard similarity.
 */
export class MinHash {
  readonly #seeds: Uint32Array;

  /** @param size places in a signature; the estimate's standard error is at most 1 / (2 √size). */
  constructor(size: number, random: Random) {
    this.#seeds = Uint32Array.from({ length: size }, () => random.uint32());
  }

  signature(members: Uint32Array): Signature {
    return this.#seeds.map((seed) => {
      let least = 0xffffffff;
      for (let i = 0; i < members.length; i += 1) {
        const place = scramble((members[i] ?? 0) ^ seed);
        if (place < least) least = place;
      }
      return least;
    });
  }
}

/** A permutation of all 32-bit words: the end of MurmurHash3 by Austin Appleby. */
function scramble(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The share of places in which two signatures agree. */
export function estimateSimilarity(a: Signature, b: Signature): number {
  return a.reduce((same, value, place) => same + (value === b[place] ? 1 : 0), 0) / a.length;
}
