/** How much repetition (`k1`) and length (`b`) of a document count. */
export interface Bm25Parameters {
  k1: number;
  b: number;
}

export interface Hit {
  /** Position of the document in the order it was added. */
  document: number;
  score: number;
}

/** Where a word occurs, and how often. */
interface Postings {
  documents: number[];
  counts: number[];
}

/**
 * An inverted index with Okapi BM25 ranking: Robertson & Zaragoza, "The probabilistic relevance framework: BM25 and
 * beyond", 2009.
 */
export class SearchIndex {
  readonly #postings = new Map<string, Postings>();
  readonly #lengths: number[] = [];
  #totalLength = 0;

  /** Adds a document and gives its number. */
  add(words: readonly string[]): number {
    const document = this.#lengths.push(words.length) - 1;
    this.#totalLength += words.length;
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts) {
      const postings = this.#postings.get(word);
      if (postings === undefined) this.#postings.set(word, { documents: [document], counts: [count] });
      else {
        postings.documents.push(document);
        postings.counts.push(count);
      }
    }
    return document;
  }

  /** Number of different words. */
  get vocabulary(): number {
    return this.#postings.size;
  }

  /** Every document that has at least one word of the query, the best first; of equals the one added first. */
  search(query: readonly string[], parameters: Bm25Parameters): Hit[] {
    const scores = new Map<number, number>();
    for (const word of new Set(query)) {
      const postings = this.#postings.get(word);
      if (postings !== undefined) this.#addScores(postings, parameters, scores);
    }
    const hits = Array.from(scores, ([document, score]) => ({ document, score }));
    return hits.toSorted((a, b) => b.score - a.score || a.document - b.document);
  }

  #addScores({ documents, counts }: Postings, { k1, b }: Bm25Parameters, scores: Map<number, number>): void {
    const total = this.#lengths.length;
    const average = this.#totalLength / total;
    const rarity = Math.log(1 + (total - documents.length + 0.5) / (documents.length + 0.5));
    for (const [i, document] of documents.entries()) {
      const count = counts[i] ?? 0;
      const length = (this.#lengths[document] ?? 0) / average;
      const score = (rarity * count * (k1 + 1)) / (count + k1 * (1 - b + b * length));
      scores.set(document, (scores.get(document) ?? 0) + score);
    }
  }
}
