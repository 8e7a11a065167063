import { wholeLength } from '../../src/text/cut-text.ts';

const LINE_FEED = 10;
const CLOSING_BRACE = 125;
/** Tools print whole files inside one line of JSON, and an event of which a part is missing is none. */
const MAX_LINE_BYTES = 32e6;
/** So much more is looked at to know where the last character ends. */
const LONGEST_CHARACTER = 4;

/**
 * Cuts a stream of bytes into lines of UTF-8 text, without their ends. Of a line of more than `maxBytes` only the
 * beginning is given, so that what it holds is bounded.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(onLine: (line: string) => void, maxBytes = MAX_LINE_BYTES) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  /** Takes the next bytes and passes on the lines that end in them. */
  take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, end));
      this.#give();
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  /** Returns what came after the last line end, if there is anything. */
  end(): void {
    if (this.#length > 0) this.#give();
  }

  /** Returns what came after the last line end if it may be a whole object: some programs end no last line. */
  endObject(): void {
    if (this.#parts.at(-1)?.at(-1) === CLOSING_BRACE) this.#give();
  }

  #keep(bytes: Buffer): void {
    const kept = bytes.subarray(0, this.#maxBytes + LONGEST_CHARACTER - this.#length);
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#length += kept.length;
  }

  #give(): void {
    const bytes = Buffer.concat(this.#parts, this.#length);
    const line = bytes.toString('utf8', 0, wholeLength(bytes, this.#maxBytes));
    this.#parts = [];
    this.#length = 0;
    this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
