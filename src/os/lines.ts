/** Reads lines as they come, and keeps lines to be read again, however many there are. */
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { writeAll } from './regular-file.ts';

const NEWLINE = 10;
const RETURN = 13;

/** Bytes of a line that are read: a longer one is cut. */
const LONGEST = 16 * 1024 * 1024;

/** The lines of UTF-8, without their line breaks, as many at once as were read at once. A last one need not have one. */
export async function* linesOf(input: Readable): AsyncGenerator<string[], void, undefined> {
  let begun: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes: Buffer = chunk;
    const lines: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      if (begun.length === 0) lines.push(lineIn(bytes, from, end));
      else {
        const whole = Buffer.concat([...begun, bytes.subarray(from, Math.min(end, from + LONGEST - length))]);
        lines.push(lineIn(whole, 0, whole.length));
        [begun, length] = [[], 0];
      }
      from = end + 1;
    }
    const rest = bytes.subarray(from, from + LONGEST - length);
    if (rest.length > 0) begun.push(rest);
    length += rest.length;
    yield lines;
  }
  if (begun.length > 0) yield [lineIn(Buffer.concat(begun), 0, length)];
}

const lineIn = (bytes: Buffer, from: number, end: number): string =>
  bytes.toString('utf8', from, end > from && bytes[end - 1] === RETURN ? end - 1 : end);

/** Characters that are in memory before they are written. */
const CHUNK = 65_536;

/** Lines to be read again. Beyond 64 KiB they are in a file without a name, which ends with the process. */
export class LineStore {
  #waiting: string[] = [];
  #length = 0;
  #file: number | null = null;

  /** @param line without line breaks. */
  add(line: string): void {
    this.#waiting.push(line);
    this.#length += line.length + 1;
    if (this.#length >= CHUNK) this.#write();
  }

  #write(): void {
    this.#file ??= namelessFile();
    writeAll(this.#file, Buffer.from(`${this.#waiting.join('\n')}\n`));
    [this.#waiting, this.#length] = [[], 0];
  }

  /** All lines in the order in which they were added, some at once. To be read once. */
  async *read(): AsyncGenerator<string[], void, undefined> {
    if (this.#file !== null)
      yield* linesOf(createReadStream('', { fd: this.#file, start: 0, autoClose: false }));
    yield this.#waiting;
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

function namelessFile(): number {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-lines-'));
  try {
    return openSync(join(folder, 'lines'), 'wx+', 0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
