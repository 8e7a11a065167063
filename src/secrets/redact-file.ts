/** Redacts files in place. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { openRegular, writeAll } from '../os/regular-file.ts';
import { messageOf } from '../text/error-message.ts';
import { markOver, type Redactor } from './redactor.ts';
import type { Span } from './secret-matcher.ts';

const CHUNK_BYTES = 256 * 1024;
/** Marks that are closer to each other are written together. */
const NEAR_BYTES = 4_096;
/** Kept of the end of a file whose middle is cut out. */
const END_BYTES = 64 * 1024;
/** How long a thread redacts files before its event loop runs. */
const SLICE_MS = 20;

/** The part of a file to redact, and how long that may take. */
interface Part {
  /** The first byte. */
  from: number;
  /** Whether nothing will be appended, so that the beginning of a secret at the end counts too. */
  isComplete: boolean;
  /** Time on the monotonic clock after which no further chunk is read. */
  until?: number;
}

interface Progress {
  /** The byte at which the next call has to begin: the end may be the beginning of a secret. */
  next: number;
  /** Whether the whole file was searched. */
  isDone: boolean;
}

/**
 * Redacts an open file in constant memory. Each mark takes the bytes of its secret, so that others may append meanwhile,
 * and nothing is lost when this process dies.
 * @param descriptor open for reading, perhaps in append mode: it is not written to.
 * @throws the system's error where the file can't be read or written.
 */
export function redactOpenFile(
  path: string,
  descriptor: number,
  redactor: Redactor,
  { from, isComplete, until = Number.POSITIVE_INFINITY }: Part,
): Progress {
  if (redactor.isIdle) return { next: from, isDone: true };
  const { size } = fstatSync(descriptor);
  // A program may have truncated it, as `tee /dev/stderr` does.
  const begin = size < from ? 0 : from;
  if (size === begin) return { next: begin, isDone: true };
  const bytes = Buffer.alloc(Math.min(CHUNK_BYTES + redactor.reach, size - begin));
  for (let position = begin; ; ) {
    const length = readSync(descriptor, bytes, 0, bytes.length, position);
    const isLast = length === 0 || position + length >= size;
    const piece = bytes.subarray(0, length);
    const spans = redactor.spans(piece.toString('latin1'), isLast && isComplete);
    // A secret that begins here or later may not have been read as a whole.
    const open = Math.max(length - redactor.reach + 1, 0);
    const settled = isLast ? spans : spans.filter(({ start }) => start < Math.max(open, 1));
    if (settled.length > 0) overwrite(path, descriptor, { piece, position }, settled);
    const next = position + Math.max(open, settled.at(-1)?.end ?? 0);
    if (isLast) return { next, isDone: true };
    position = Math.max(next, position + 1);
    if (performance.now() > until) return { next: position, isDone: false };
  }
}

/** How long the redaction of files may take, and what ends it early. */
export interface Effort {
  milliseconds: number;
  isOver?: () => boolean;
}

/**
 * Redacts the rest of an open file to which nothing will be appended. The event loop runs in between. What can't be
 * searched in that time is cut out.
 * @param descriptor open for reading: it is not written to.
 * @returns how many bytes were cut out.
 * @throws the system's error where the file can't be read or written.
 */
export async function finishRedaction(
  path: string,
  descriptor: number,
  redactor: Redactor,
  from: number,
  { milliseconds, isOver = () => false }: Effort,
): Promise<number> {
  let [next, spent] = [from, 0];
  for (;;) {
    const start = performance.now();
    const part = { from: next, isComplete: true, until: start + SLICE_MS };
    const progress = redactOpenFile(path, descriptor, redactor, part);
    if (progress.isDone) return 0;
    next = progress.next;
    spent += performance.now() - start;
    if (spent > milliseconds || isOver()) return cutOut(path, descriptor, redactor, next);
    await new Promise(setImmediate);
  }
}

/** Replaces what follows a byte by a note, except for the last 64 KiB. */
function cutOut(path: string, descriptor: number, redactor: Redactor, from: number): number {
  const { size } = fstatSync(descriptor);
  // Read from further ahead, because a secret may begin before the bytes that are kept.
  const start = Math.max(from, size - END_BYTES - redactor.reach);
  const bytes = Buffer.alloc(size - start);
  const length = readSync(descriptor, bytes, 0, bytes.length, start);
  const kept = Math.min(length, END_BYTES);
  const end = Buffer.from(redactor.bytes(bytes.subarray(0, length))).subarray(length - kept);
  const removed = size - from - kept;
  if (removed <= 0) {
    redactOpenFile(path, descriptor, redactor, { from, isComplete: true });
    return 0;
  }
  const note = Buffer.from(`\n[${megabytes(removed)} were removed here: ${NO_TIME}]\n`);
  endAt(path, descriptor, from, Buffer.concat([note, end]));
  return removed;
}

const NO_TIME = 'there was no time to search them for secrets';
const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

export const cutSentence = (path: string, bytes: number): string =>
  `${megabytes(bytes)} were removed from ${path}: ${NO_TIME}.`;

/**
 * Redacts a file, or all files below a folder. One that can't be redacted is removed. Links are not followed, and a file
 * with a second name is not written. Never rejects.
 * @returns a sentence for each file of which something was removed, and for each path that could not be read.
 */
export async function redactPath(path: string, redactor: Redactor, effort: Effort): Promise<string[]> {
  if (redactor.isIdle) return [];
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() === true) return await redactFile(path, redactor, effort);
    if (stats?.isDirectory() !== true) return [];
    const sentences: string[] = [];
    for (const name of readdirSync(path))
      sentences.push(...(await redactPath(join(path, name), redactor, effort)));
    return sentences;
  } catch (error) {
    const why = messageOf(error);
    return [`${path} may hold secrets and could not be redacted: ${why}.`];
  }
}

async function redactFile(path: string, redactor: Redactor, effort: Effort): Promise<string[]> {
  try {
    const descriptor = openRegular(path, { flags: constants.O_RDONLY, refuseLinks: true });
    try {
      const removed = await finishRedaction(path, descriptor, redactor, 0, effort);
      return removed === 0 ? [] : [cutSentence(path, removed)];
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // It may have a secret, so it is removed.
    rmSync(path, { force: true });
    return [];
  }
}

/** Bytes of a file, and their position in it. */
interface FileChunk {
  piece: Buffer;
  position: number;
}

function overwrite(
  path: string,
  reading: number,
  { piece, position }: FileChunk,
  spans: readonly Span[],
): void {
  const descriptor = openToWrite(path, reading);
  if (descriptor === null) return;
  try {
    let from = spans[0]?.start ?? 0;
    let to = from;
    const write = (): void => writeAll(descriptor, piece.subarray(from, to), position + from);
    for (const span of spans) {
      if (span.start - to > NEAR_BYTES) {
        write();
        from = span.start;
      }
      piece.write(markOver(span), span.start, 'latin1');
      to = span.end;
    }
    write();
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces everything after a byte by these bytes. */
function endAt(path: string, reading: number, from: number, bytes: Buffer): void {
  const descriptor = openToWrite(path, reading);
  if (descriptor === null) return;
  try {
    ftruncateSync(descriptor, from);
    writeAll(descriptor, bytes, from);
  } finally {
    closeSync(descriptor);
  }
}

/** Another descriptor of an open file, not in append mode. Null where the file was removed. */
function openToWrite(path: string, reading: number): number | null {
  for (const place of [`/proc/self/fd/${reading}`, path]) {
    const descriptor = openIfThere(place);
    if (descriptor === null) continue;
    const [one, other] = [fstatSync(descriptor), fstatSync(reading)];
    if (one.ino === other.ino && one.dev === other.dev && one.isFile()) return descriptor;
    closeSync(descriptor);
  }
  return null;
}

function openIfThere(place: string): number | null {
  try {
    return openSync(place, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENXIO' || code === 'EISDIR') return null;
    throw error;
  }
}
