/**
 * xoshiro128** 1.1 by David Blackman and Sebastiano Vigna (https://prng.di.unimi.it/xoshiro128starstar.c): fast, with a
 * period of 2^128 − 1, and the same on every machine. Not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param state four 32-bit words, not all of them 0. */
  constructor(state: readonly [number, number, number, number]) {
    [this.#a, this.#b, this.#c, this.#d] = state;
  }

  /** Spreads a small seed over the whole state with SplitMix32, so that seeds 1 and 2 have nothing in common. */
  static fromSeed(seed: number): Random {
    let counter = seed | 0;
    const next = (): number => {
      counter = (counter + 0x9e3779b9) | 0;
      let word = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return (word ^ (word >>> 15)) >>> 0;
    };
    return new Random([next(), next(), next(), next()]);
  }

  /** The next integer from 0 to 2^32 − 1. */
  uint32(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return scrambled;
  }

  /** The next number in [0, 1), in steps of 2^-32. */
  float(): number {
    return this.uint32() / 2 ** 32;
  }

  /** The next integer from 0 to `limit` − 1, for limits far below 2^32. */
  below(limit: number): number {
    return Math.floor(this.float() * limit);
  }
}

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));
