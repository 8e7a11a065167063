/** What workstreams printed: files of the run alone, a part at a time, whatever their size. */
import { closeSync, constants, fstatSync, read, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LogEvents } from '../domain/dashboard/answers.ts';
import { openRegular, UnusableFile } from '../os/regular-file.ts';
import { eventBytes } from './broadcast.ts';

const readAt = promisify(read);

/** Most bytes of one answer or message. */
const PART = 256 * 1024;
/** With how much of its end a log is followed where nothing else is asked for. */
const TAIL = 64 * 1024;
/** How often a file that is followed is looked at, in milliseconds. */
const LOOK_MS = 100;
/** What a command prints is free of secrets at the latest after so many milliseconds. Younger bytes are not sent. */
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

  /** Whether the path names this file still: another attempt removes it and makes a new one. */
  get isCurrent(): boolean {
    const other = LogFile.open(dirname(this.#path), this.#path);
    if (other === null) return true;
    const isSame = fstatSync(other.#descriptor).ino === fstatSync(this.#descriptor).ino;
    other.close();
    return isSame;
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

/** A part of a file: from its first byte to before its last. */
export interface ByteRange {
  from: number;
  to: number;
}

/** The range that a request asks for, in a file of this size; null for what can't be satisfied. */
export function rangeIn(header: string | undefined, size: number): ByteRange | null {
  if (header === undefined) return { from: 0, to: size };
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? [];
  if (first === '' && last === '') return null;
  if (first === '') return { from: Math.max(0, size - Number(last)), to: size };
  const from = Number(first);
  const to = last === '' ? size : Math.min(size, Number(last) + 1);
  return from < to ? { from, to } : null;
}

/** A part of a log, read as fast as the client takes it. Closes the file. */
export function logBody(log: LogFile, { from, to }: ByteRange): ReadableStream<Uint8Array> {
  let at = from;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await log.bytes(at, Math.min(PART, to - at));
        at += bytes.length;
        if (bytes.length > 0) controller.enqueue(bytes);
        if (bytes.length > 0 && at < to) return;
        controller.close();
        log.close();
      },
      cancel: () => log.close(),
    },
    { highWaterMark: 0 },
  );
}

/** What is followed, and for how long. */
export interface Following {
  open: () => LogFile | null;
  /** Whether nothing more is written. */
  isOver: () => boolean;
  /** Where to begin; null for the last part. */
  from: number | null;
  signal: AbortSignal;
}

/** What is appended to a log, message by message, also where it is made anew, or is still to be made. */
export async function* followedLog({
  open,
  isOver,
  from,
  signal,
}: Following): AsyncGenerator<Uint8Array, void, undefined> {
  let log: LogFile | null = null;
  let at: number | null = from;
  let sizes = new PastSizes();
  try {
    while (!signal.aborted) {
      // Asked before the file is read: what was written until then is read.
      const isLast = isOver();
      if (log !== null && !log.isCurrent) {
        log.close();
        log = null;
        at = 0;
        sizes = new PastSizes();
        yield event('reset', { size: 0 });
      }
      log ??= open();
      if (log !== null) {
        const begin: number = at ?? Math.max(0, log.size - TAIL);
        at = begin;
        const end = isLast ? log.size : sizes.settled(log.size);
        while (at < end) {
          const part = await log.bytes(at, Math.min(PART, end - at));
          const whole = isLast && at + part.length >= end ? part.length : wholeLength(part);
          if (whole === 0) break;
          const to: number = at + whole;
          yield event('text', { from: at, to, text: part.subarray(0, whole).toString() }, to);
          at = to;
          if (signal.aborted) return;
        }
      }
      if (isLast) return yield event('over', { size: at ?? 0 });
      await pause(signal);
    }
  } finally {
    log?.close();
  }
}

/** The sizes of a file that is written, to know which of its bytes are old enough. */
class PastSizes {
  #noted: { at: number; size: number }[] = [];
  #settled = 0;

  /** How many bytes were there long enough ago. @param size now. */
  settled(size: number): number {
    const now = performance.now();
    this.#noted.push({ at: now, size });
    while ((this.#noted[0]?.at ?? now) <= now - REDACTED_MS) this.#settled = this.#noted.shift()?.size ?? 0;
    return Math.min(size, this.#settled);
  }
}

function event<Name extends keyof LogEvents>(name: Name, data: LogEvents[Name], at?: number): Uint8Array {
  return eventBytes(name, JSON.stringify(data), at === undefined ? undefined : String(at));
}

/** Without the begin of a character that is cut off at the end. */
function wholeLength(bytes: Buffer): number {
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const needed = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Ends early where nobody waits any more. */
async function pause(signal: AbortSignal): Promise<void> {
  try {
    await wait(LOOK_MS, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
