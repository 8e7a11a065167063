/** Redacts files in their place. */
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
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { openRegular } from '../os/regular-file.ts';
import { markOver, type Redactor } from './redactor.ts';
import type { Span } from './secret-matcher.ts';

const CHUNK_BYTES = 256 * 1024;
/** Marks that are nearer to each other are written at once. */
const NEAR_BYTES = 4_096;
/** Kept of the end of a file whose middle is cut out. */
const END_BYTES = 64 * 1024;
/** How long a thread works on files before it looks at what else there is to do. */
const SLICE_MS = 20;

/** Where in a file to look, and for how long. */
interface Part {
  /** The first byte. */
  from: number;
  /** Whether nothing will be added, so that the beginning of a secret at the end counts too. */
  isComplete: boolean;
  /** Time on the monotonic clock after which no further piece is begun. */
  until?: number;
}

interface Progress {
  /** The byte at which a later call has to begin: the end may be the beginning of a secret. */
  next: number;
  /** Whether everything that was there was looked at. */
  isDone: boolean;
}

/**
 * Redacts what an open file holds, byte for byte and in constant memory. Its length stays, so that others may append to
 * it meanwhile, and nothing is lost when this process dies.
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
  // A program may have emptied it, as `tee /dev/stderr` does.
  const begin = size < from ? 0 : from;
  if (size === begin) return { next: begin, isDone: true };
  const bytes = Buffer.alloc(Math.min(CHUNK_BYTES + redactor.reach, size - begin));
  for (let position = begin; ; ) {
    const length = readSync(descriptor, bytes, 0, bytes.length, position);
    const isLast = length === 0 || position + length >= size;
    const piece = bytes.subarray(0, length);
    const spans = redactor.spans(piece.toString('latin1'), isLast && isComplete);
    // What begins here or later may not be there as a whole.
    const open = Math.max(length - redactor.reach + 1, 0);
    const settled = isLast ? spans : spans.filter(({ start }) => start < Math.max(open, 1));
    if (settled.length > 0) overwrite(path, descriptor, { piece, position }, settled);
    const next = position + Math.max(open, settled.at(-1)?.end ?? 0);
    if (isLast) return { next, isDone: true };
    position = Math.max(next, position + 1);
    if (performance.now() > until) return { next: position, isDone: false };
  }
}

/** How much work the redaction of files may be, and what ends it early. */
export interface Effort {
  milliseconds: number;
  isOver?: () => boolean;
}

/**
 * Redacts the rest of an open file for which nothing will be added. The thread does other things in between. What can't
 * be looked at with that effort is cut out.
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

/** Takes what follows a byte out of a file, but for the last lines, and says so in their place. */
function cutOut(path: string, descriptor: number, redactor: Redactor, from: number): number {
  const { size } = fstatSync(descriptor);
  // A secret that begins before what is kept can only be seen as a whole.
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

/** Says that something is missing in a file. */
export const cutSentence = (path: string, bytes: number): string =>
  `${megabytes(bytes)} were removed from ${path}: ${NO_TIME}.`;

/**
 * Redacts a file, or all files below a folder. One that can't be redacted is removed. Links are not followed, and a file
 * that has another name is not written to. Never rejects.
 * @returns a sentence for each file of which something was lost, and each place that could not be looked at.
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
    const why = error instanceof Error ? error.message : String(error);
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
    // It may hold a secret and nothing can tell, so it is better gone.
    rmSync(path, { force: true });
    return [];
  }
}

/** What was read of a file, and where it stands there. */
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
    const write = (): void => writeAt(descriptor, piece.subarray(from, to), position + from);
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

function writeAt(descriptor: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  }
}

/** Puts these bytes in the place of all that follows a byte. */
function endAt(path: string, reading: number, from: number, bytes: Buffer): void {
  const descriptor = openToWrite(path, reading);
  if (descriptor === null) return;
  try {
    ftruncateSync(descriptor, from);
    writeAt(descriptor, bytes, from);
  } finally {
    closeSync(descriptor);
  }
}

/** Another descriptor of an open file, not in append mode. Null where it has no name any more. */
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
