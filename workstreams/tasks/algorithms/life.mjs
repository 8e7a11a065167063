const WORD = 32;

/**
 * Conway's Game of Life on a torus, 32 cells at a time: neighbours are counted for a whole word with the logic of a
 * binary adder (Knuth, "The Art of Computer Programming", volume 4A, section 7.1.3). Only words with living cells and
 * the words around them are computed, so that empty space costs nothing.
 */
export class Life {
  /** @type {number} words in a row. */
  #words;
  /** @type {number} */
  #height;
  /** @type {Int32Array} */
  #cells;
  /** @type {number[]} indices of the words with living cells. */
  #living;
  /** @type {Uint32Array} the last generation in which each word was found to be worth computing. */
  #marks;
  #generation = 0;

  /**
   * @param {number} width a multiple of 32.
   * @param {number} height
   * @param {Iterable<[number, number]>} living column and row of each living cell.
   */
  constructor(width, height, living) {
    if (width % WORD !== 0) throw new RangeError(`The width ${width} is no multiple of ${WORD}.`);
    this.#words = width / WORD;
    this.#height = height;
    this.#cells = new Int32Array(this.#words * height);
    this.#marks = new Uint32Array(this.#words * height);
    /** @type {Set<number>} */
    const words = new Set();
    for (const [x, y] of living) {
      const index = y * this.#words + Math.floor(x / WORD);
      this.#cells[index] = (this.#cells[index] ?? 0) | (1 << (x % WORD));
      words.add(index);
    }
    this.#living = [...words];
  }

  /** One generation. */
  step() {
    this.#generation += 1;
    const indices = this.#neighbourhood();
    const values = indices.map((index) => this.#next(index));
    this.#living = indices.filter((_, i) => values[i] !== 0);
    for (let i = 0; i < indices.length; i += 1) this.#cells[indices[i] ?? 0] = values[i] ?? 0;
  }

  /** Number of living cells. */
  get population() {
    return this.#living.reduce((count, index) => count + bits(this.#cells[index] ?? 0), 0);
  }

  /**
   * @param {number} x column
   * @param {number} y row
   */
  isAlive(x, y) {
    return ((this.#cells[y * this.#words + Math.floor(x / WORD)] ?? 0) & (1 << (x % WORD))) !== 0;
  }

  /** Indices of all words in which something may happen, each once. */
  #neighbourhood() {
    const indices = [];
    for (const index of this.#living) {
      const { left, right } = this.#sides(index);
      for (const column of [left, index, right]) {
        for (const near of [this.#above(column), column, this.#below(column)]) {
          if (this.#marks[near] === this.#generation) continue;
          this.#marks[near] = this.#generation;
          indices.push(near);
        }
      }
    }
    return indices;
  }

  /**
   * The next state of a word: a living cell with two or three neighbours, or any with three.
   * @param {number} index
   */
  #next(index) {
    const cells = this.#cells;
    const { left, right } = this.#sides(index);
    const a = cells[this.#above(index)] ?? 0;
    const b = cells[index] ?? 0;
    const c = cells[this.#below(index)] ?? 0;
    const aLeft = (a << 1) | ((cells[this.#above(left)] ?? 0) >>> 31);
    const bLeft = (b << 1) | ((cells[left] ?? 0) >>> 31);
    const cLeft = (c << 1) | ((cells[this.#below(left)] ?? 0) >>> 31);
    const aRight = (a >>> 1) | ((cells[this.#above(right)] ?? 0) << 31);
    const bRight = (b >>> 1) | ((cells[right] ?? 0) << 31);
    const cRight = (c >>> 1) | ((cells[this.#below(right)] ?? 0) << 31);
    // A full adder for each row of neighbours gives its ones and twos.
    const aOnes = aLeft ^ a ^ aRight;
    const aTwos = (aLeft & a) | (aRight & (aLeft ^ a));
    const bOnes = bLeft ^ bRight;
    const bTwos = bLeft & bRight;
    const cOnes = cLeft ^ c ^ cRight;
    const cTwos = (cLeft & c) | (cRight & (cLeft ^ c));
    // The rows' ones make ones and more twos; four lots of twos make twos, and fours where two of them meet.
    const ones = aOnes ^ bOnes ^ cOnes;
    const moreTwos = (aOnes & bOnes) | (cOnes & (aOnes ^ bOnes));
    const ab = aTwos ^ bTwos;
    const cMore = cTwos ^ moreTwos;
    const fours = (aTwos & bTwos) | (cTwos & moreTwos) | (ab & cMore);
    return (ab ^ cMore) & ~fours & (ones | b);
  }

  /**
   * The words at the left and right in the same row.
   * @param {number} index
   */
  #sides(index) {
    const column = index % this.#words;
    return {
      left: column === 0 ? index + this.#words - 1 : index - 1,
      right: column === this.#words - 1 ? index - this.#words + 1 : index + 1,
    };
  }

  /** @param {number} index */
  #above(index) {
    return index < this.#words ? index + this.#words * (this.#height - 1) : index - this.#words;
  }

  /** @param {number} index */
  #below(index) {
    return index >= this.#words * (this.#height - 1) ? index % this.#words : index + this.#words;
  }
}

/** @param {number} word */
function bits(word) {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count += 1;
  return count;
}
