const WORD = 32;

/**
 * Conway's Game of Life on a torus, 32 cells at a time: neighbours are counted for a whole word with the logic of a
 * binary adder (Knuth, "The Art of Computer Programming", volume 4A, section 7.1.3). Only the rows and words that
 * enclose living cells are computed.
 */
export class Life {
  /** @type {number} */
  #words;
  #height;
  #cells;
  #next;
  /** Rows and words with living cells: top, bottom, left, right, inclusive. */
  #box = { top: Infinity, bottom: -1, left: Infinity, right: -1 };
  /** Rows of the other array that may hold cells of the generation before. */
  #stale = { first: 0, last: -1 };

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
    this.#next = new Int32Array(this.#words * height);
    for (const [x, y] of living) {
      const word = Math.floor(x / WORD);
      const index = y * this.#words + word;
      this.#cells[index] = (this.#cells[index] ?? 0) | (1 << (x % WORD));
      this.#enclose(y, word);
    }
  }

  /** One generation. */
  step() {
    const box = this.#box;
    const across = reach(box.left, box.right, this.#words);
    const down = reach(box.top, box.bottom, this.#height);
    this.#box = { top: Infinity, bottom: -1, left: Infinity, right: -1 };
    this.#next.fill(0, this.#stale.first * this.#words, (this.#stale.last + 1) * this.#words);
    this.#stale = down;
    for (let row = down.first; row <= down.last; row += 1) {
      const here = row * this.#words;
      const above = ((row + this.#height - 1) % this.#height) * this.#words;
      const below = ((row + 1) % this.#height) * this.#words;
      for (let word = across.first; word <= across.last; word += 1) {
        const value = this.#nextWord(above, here, below, word);
        if (value === 0) continue;
        this.#next[here + word] = value;
        this.#enclose(row, word);
      }
    }
    [this.#cells, this.#next] = [this.#next, this.#cells];
  }

  /** Number of living cells. */
  get population() {
    let count = 0;
    for (const word of this.#cells) if (word !== 0) count += bits(word);
    return count;
  }

  /**
   * @param {number} x column
   * @param {number} y row
   */
  isAlive(x, y) {
    return ((this.#cells[y * this.#words + Math.floor(x / WORD)] ?? 0) & (1 << (x % WORD))) !== 0;
  }

  /**
   * @param {number} row
   * @param {number} word
   */
  #enclose(row, word) {
    const box = this.#box;
    if (row < box.top) box.top = row;
    if (row > box.bottom) box.bottom = row;
    if (word < box.left) box.left = word;
    if (word > box.right) box.right = word;
  }

  /**
   * The next state of 32 cells.
   * @param {number} above index of the first word of the row above; `here` and `below` likewise.
   * @param {number} here
   * @param {number} below
   * @param {number} word
   */
  #nextWord(above, here, below, word) {
    const cells = this.#cells;
    const left = word === 0 ? this.#words - 1 : word - 1;
    const right = word === this.#words - 1 ? 0 : word + 1;
    const a = cells[above + word] ?? 0;
    const b = cells[here + word] ?? 0;
    const c = cells[below + word] ?? 0;
    const al = (a << 1) | ((cells[above + left] ?? 0) >>> 31);
    const ar = (a >>> 1) | ((cells[above + right] ?? 0) << 31);
    const bl = (b << 1) | ((cells[here + left] ?? 0) >>> 31);
    const br = (b >>> 1) | ((cells[here + right] ?? 0) << 31);
    const cl = (c << 1) | ((cells[below + left] ?? 0) >>> 31);
    const cr = (c >>> 1) | ((cells[below + right] ?? 0) << 31);
    // Three full adders give ones and twos for each row of neighbours; two more add the rows up.
    const ones1 = al ^ a ^ ar;
    const twos1 = (al & a) | (ar & (al ^ a));
    const ones2 = bl ^ br;
    const twos2 = bl & br;
    const ones3 = cl ^ c ^ cr;
    const twos3 = (cl & c) | (cr & (cl ^ c));
    const ones = ones1 ^ ones2 ^ ones3;
    const carry = (ones1 & ones2) | (ones3 & (ones1 ^ ones2));
    const pairs = twos1 ^ twos2;
    const morePairs = twos3 ^ carry;
    const twos = pairs ^ morePairs;
    const fours = (twos1 & twos2) | (twos3 & carry) | (pairs & morePairs);
    return twos & ~fours & (ones | b);
  }
}

/**
 * The places to compute: one more at each side, or all of them where that goes over the edge.
 * @param {number} first
 * @param {number} last
 * @param {number} size
 */
function reach(first, last, size) {
  if (last < 0) return { first: 0, last: -1 };
  return first === 0 || last === size - 1
    ? { first: 0, last: size - 1 }
    : { first: first - 1, last: last + 1 };
}

/** @param {number} word */
function bits(word) {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count += 1;
  return count;
}
