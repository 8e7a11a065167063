/** Finds where one of many texts stands in another one, looking at few of its characters (Wu and Manber, 1994). */

const TABLE_SIZE = 4_096;

/**
 * Every text is known by its last two characters within the length of the shortest one. Two characters that none of
 * them has let the search skip as many as that length allows.
 */
export class LiteralScanner {
  readonly #length: number;
  readonly #skip = new Uint8Array(TABLE_SIZE);
  readonly #candidates = new Map<number, string[]>();

  /** @param literals none is shorter than two characters; the shorter the shortest, the slower the search. */
  constructor(literals: readonly string[]) {
    this.#length = Math.min(255, ...literals.map(({ length }) => length));
    this.#skip.fill(this.#length - 1);
    for (const literal of literals) this.#add(literal);
  }

  #add(literal: string): void {
    for (let end = 1; end < this.#length; end += 1) {
      const block = blockAt(literal, end);
      const left = this.#length - 1 - end;
      if (left < (this.#skip[block] ?? 0)) this.#skip[block] = left;
      if (left > 0) continue;
      const others = this.#candidates.get(block);
      if (others === undefined) this.#candidates.set(block, [literal]);
      else others.push(literal);
    }
  }

  /** Where the first one at or after `from` begins; -1 for nowhere. */
  search(text: string, from: number): number {
    const last = this.#length - 1;
    for (let end = from + last; end < text.length; ) {
      const block = blockAt(text, end);
      const skip = this.#skip[block] ?? 0;
      if (skip > 0) {
        end += skip;
        continue;
      }
      if (this.#isAt(text, end - last, block)) return end - last;
      end += 1;
    }
    return -1;
  }

  #isAt(text: string, start: number, block: number): boolean {
    return (this.#candidates.get(block) ?? []).some((literal) => text.startsWith(literal, start));
  }
}

const blockAt = (text: string, end: number): number =>
  ((text.charCodeAt(end - 1) << 5) ^ text.charCodeAt(end)) & (TABLE_SIZE - 1);
