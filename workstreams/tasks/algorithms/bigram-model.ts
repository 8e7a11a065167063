import type { Random } from '../lib/random.ts';

const START = 0;
const END = 1;
const UNKNOWN = 2;
const RESERVED = ['<start>', '<end>', '<unknown>'];

/** How often each word follows the one before it. */
interface Followers {
  total: number;
  counts: Map<number, number>;
}

/**
 * A language model of word pairs with interpolated Kneser-Ney smoothing: Kneser & Ney, "Improved backing-off for
 * m-gram language modeling", 1995; Chen & Goodman, "An empirical study of smoothing techniques for language modeling",
 * 1999. Words that occur once in the training text share one entry, which stands for all that was never seen.
 */
export class BigramModel {
  readonly #names: string[] = [...RESERVED];
  readonly #ids = new Map<string, number>();
  readonly #followers = new Map<number, Followers>();
  /** Number of different words before each word. */
  readonly #predecessors: Float64Array;
  readonly #pairs: number;

  constructor(sentences: readonly (readonly string[])[]) {
    this.#nameFrequentWords(sentences);
    for (const sentence of sentences) {
      const ids = this.#encode(sentence);
      for (let i = 1; i < ids.length; i += 1) this.#count(ids[i - 1] ?? START, ids[i] ?? END);
    }
    this.#predecessors = new Float64Array(this.#names.length);
    let pairs = 0;
    for (const { counts } of this.#followers.values()) {
      pairs += counts.size;
      for (const word of counts.keys()) this.#predecessors[word] = (this.#predecessors[word] ?? 0) + 1;
    }
    this.#pairs = pairs;
  }

  /** Number of different words, without the marks for start, end and unknown. */
  get vocabulary(): number {
    return this.#names.length - RESERVED.length;
  }

  /** Number of different pairs. */
  get pairs(): number {
    return this.#pairs;
  }

  /** The discount that leaves out least: pairs seen once / (once + 2 × twice); Ney, Essen & Kneser, 1994. */
  get bestDiscount(): number {
    const seen = [0, 0, 0];
    for (const { counts } of this.#followers.values()) {
      for (const count of counts.values()) if (count < 3) seen[count] = (seen[count] ?? 0) + 1;
    }
    const [, once = 0, twice = 0] = seen;
    return once === 0 ? 0.5 : once / (once + 2 * twice);
  }

  /** Probability of a word after another one; null stands for the sentence's start or end. */
  probability(before: string | null, word: string | null, discount: number): number {
    const first = before === null ? START : this.#id(before);
    return this.#probability(first, word === null ? END : this.#id(word), discount);
  }

  /** How many words the model hesitates between on average, sentence ends included; less is better. */
  perplexity(sentences: readonly (readonly string[])[], discount: number): number {
    let logarithms = 0;
    let words = 0;
    for (const sentence of sentences) {
      const ids = this.#encode(sentence);
      for (let i = 1; i < ids.length; i += 1) {
        logarithms += Math.log(this.#probability(ids[i - 1] ?? START, ids[i] ?? END, discount));
      }
      words += ids.length - 1;
    }
    return Math.exp(-logarithms / words);
  }

  /** A sentence by a random walk over pairs that were seen, of at most `maxWords` words. */
  sentence(random: Random, maxWords: number): string[] {
    const words: string[] = [];
    for (let word = this.#follower(START, random); word !== END; word = this.#follower(word, random)) {
      words.push(this.#names[word] ?? '');
      if (words.length === maxWords) break;
    }
    return words;
  }

  #nameFrequentWords(sentences: readonly (readonly string[])[]): void {
    const once = new Set<string>();
    for (const word of sentences.flat()) {
      if (this.#ids.has(word)) continue;
      if (once.has(word)) this.#ids.set(word, this.#names.push(word) - 1);
      else once.add(word);
    }
  }

  #id(word: string): number {
    return this.#ids.get(word) ?? UNKNOWN;
  }

  #encode(sentence: readonly string[]): number[] {
    return [START, ...sentence.map((word) => this.#id(word)), END];
  }

  #count(before: number, word: number): void {
    let followers = this.#followers.get(before);
    if (followers === undefined) this.#followers.set(before, (followers = { total: 0, counts: new Map() }));
    followers.total += 1;
    followers.counts.set(word, (followers.counts.get(word) ?? 0) + 1);
  }

  #probability(before: number, word: number, discount: number): number {
    // One predecessor more for each word that can follow, so that none is impossible and all still add up to 1.
    const general = ((this.#predecessors[word] ?? 0) + 1) / (this.#pairs + this.#names.length - 1);
    const followers = this.#followers.get(before);
    if (followers === undefined) return general;
    const { total, counts } = followers;
    const own = Math.max((counts.get(word) ?? 0) - discount, 0) / total;
    return own + ((discount * counts.size) / total) * general;
  }

  #follower(before: number, random: Random): number {
    const { total, counts } = this.#followers.get(before) ?? { total: 0, counts: new Map<number, number>() };
    const usable = total - (counts.get(UNKNOWN) ?? 0);
    let left = random.below(Math.max(1, usable));
    for (const [word, count] of counts) {
      if (word === UNKNOWN) continue;
      left -= count;
      if (left < 0) return word;
    }
    return END;
  }
}
