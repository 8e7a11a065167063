/** Reads what workstreams printed, also while it is written. */
import { closeSync, constants, fstatSync, read, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { openRegular, UnusableFile } from '../regular-file.ts';

const readAt = promisify(read);

/** What a command prints is free of secrets at the latest after so many milliseconds. Younger bytes are not shown. */
export const REDACTED_MS = 400;

/** An open log. To be closed. */
export class LogFile {
  readonly #descriptor: number;
  readonly #path: string;

  private constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  /**
   * Opens a log among those of a run: what is stored as its path may be of another folder, or made up, so that only its
   * name counts. A link is no log. Null where there is none.
   * @param folder of the logs of the run, in the state folder.
   */
  static open(folder: string, stored: string): LogFile | null {
    const name = basename(stored);
    if (name === '' || name === '.' || name === '..' || name.includes('\0')) return null;
    try {
      // The folder of all logs may be a link that the user made; that of a run is none.
      const place = join(realpathSync(dirname(folder)), basename(folder));
      if (realpathSync(place) !== place) return null;
      const path = `${place}${sep}${name}`;
      return new LogFile(openRegular(path, { flags: constants.O_RDONLY, refuseLinks: true }), path);
    } catch (error) {
      if (error instanceof UnusableFile || isMissing(error)) return null;
      throw error;
    }
  }

  get size(): number {
    return fstatSync(this.#descriptor).size;
  }

  /** The same for as long as it is the same file: the number of one that was removed may be given again, but not its time too. */
  get identity(): string {
    const { ino, birthtimeMs } = fstatSync(this.#descriptor);
    return `${ino}-${birthtimeMs}`;
  }

  /** Whether the path names this file still: another attempt removes it and makes a new one. */
  get isCurrent(): boolean {
    const other = LogFile.open(dirname(this.#path), this.#path);
    if (other === null) return true;
    const isSame = this.isSameAs(other);
    other.close();
    return isSame;
  }

  /** Whether the other one is of the same file. */
  isSameAs(other: LogFile): boolean {
    return fstatSync(other.#descriptor).ino === fstatSync(this.#descriptor).ino;
  }

  /** Bytes from a place on, at most so many. */
  async bytes(from: number, most: number): Promise<Buffer> {
    const buffer = Buffer.alloc(Math.max(0, Math.min(most, this.size - from)));
    if (buffer.length === 0) return buffer;
    const { bytesRead } = await readAt(this.#descriptor, buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** What is read at a time to find the last lines, in bytes. */
const PART = 64 * 1024;
const LINE_END = 10;

/**
 * Where the last lines begin, so many, in the file up to this place.
 * @param most bytes that they may have: where they have more, lines are left out, and of one line that is longer its begin.
 */
export async function beginOfTail(
  log: LogFile,
  end: number,
  lines: number,
  most = Infinity,
): Promise<number> {
  let left = lines;
  let begin = end;
  const first = Math.max(0, end - most);
  for (let to = end; to > first; to -= PART) {
    const from = Math.max(first, to - PART);
    const part = await log.bytes(from, to - from);
    for (let at = part.length - 1; at >= 0; at -= 1) {
      // The end of the last line begins no other one.
      if (part[at] !== LINE_END || from + at === end - 1) continue;
      begin = from + at + 1;
      left -= 1;
      if (left === 0) return begin;
    }
  }
  return first > 0 && begin < end ? begin : wholeBegin(log, first);
}

/** The place, or that of the next character where one is cut off there: at most three bytes further. */
export async function wholeBegin(log: LogFile, place: number): Promise<number> {
  if (place === 0) return place;
  const bytes = await log.bytes(place, 4);
  const cut = bytes.findIndex((byte) => !isContinuation(byte));
  // Bytes that are no text are read from where they were asked for.
  return place + Math.max(0, cut);
}

const isContinuation = (byte: number): boolean => (byte & 0b1100_0000) === 0b1000_0000;

/** The sizes of a file that is written, to know which of its bytes are old enough. */
export class PastSizes {
  #noted: { at: number; size: number }[] = [];
  #settled: number | null = null;

  /** How many bytes were there long enough ago; null as long as that is not known. @param size now. */
  settled(size: number): number | null {
    const now = performance.now();
    this.#noted.push({ at: now, size });
    while ((this.#noted[0]?.at ?? now) <= now - REDACTED_MS) this.#settled = this.#noted.shift()?.size ?? 0;
    return this.#settled === null ? null : Math.min(size, this.#settled);
  }
}

/** Without the begin of a character that is cut off at the end. */
export function wholeLength(bytes: Buffer): number {
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const needed = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
