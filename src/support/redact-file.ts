/** Redacts files in their place. */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { markOver, type Redactor } from './redactor.ts';
import type { Span } from './secret-matcher.ts';

const CHUNK_BYTES = 256 * 1024;

/** Where in a file to look. */
interface Part {
  /** The first byte. */
  from: number;
  /** Whether nothing will be added, so that the beginning of a secret at the end counts too. */
  isComplete: boolean;
}

/**
 * Redacts what an open file holds, byte for byte and in constant memory. Its length stays, so that others may append to
 * it meanwhile, and nothing is lost when this process dies.
 * @param descriptor open for reading, perhaps in append mode: it is not written to.
 * @returns the byte at which a later call has to begin: the end may be the beginning of a secret.
 * @throws the system's error where the file can't be read or written.
 */
export function redactOpenFile(
  path: string,
  descriptor: number,
  redactor: Redactor,
  { from, isComplete }: Part,
): number {
  if (redactor.isIdle) return from;
  const { size } = fstatSync(descriptor);
  // Whoever prints may have emptied it, as `tee /dev/stderr` does.
  const begin = size < from ? 0 : from;
  if (size === begin) return begin;
  const bytes = Buffer.alloc(Math.min(CHUNK_BYTES + redactor.longest, size - begin));
  for (let position = begin; ; ) {
    const length = readSync(descriptor, bytes, 0, bytes.length, position);
    const isLast = length === 0 || position + length >= size;
    const spans = redactor.spans(bytes.toString('latin1', 0, length), isLast && isComplete);
    // What begins here or later may not be there as a whole.
    const open = Math.max(length - redactor.longest + 1, 0);
    const settled = isLast ? spans : spans.filter(({ start }) => start < Math.max(open, 1));
    if (settled.length > 0) overwrite(path, descriptor, position, settled);
    const next = position + Math.max(open, settled.at(-1)?.end ?? 0);
    if (isLast) return next;
    position = Math.max(next, position + 1);
  }
}

/**
 * Redacts a file, or all files below a folder. One that can't be redacted is removed. Links are not followed. Never
 * throws.
 * @returns a sentence for each place where that is not possible either.
 */
export function redactPath(path: string, redactor: Redactor): string[] {
  if (redactor.isIdle) return [];
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true)
      return readdirSync(path).flatMap((name) => redactPath(join(path, name), redactor));
    if (stats?.isFile() === true) redactFile(path, redactor);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [`${path} may hold secrets and could not be redacted: ${why}.`];
  }
}

function redactFile(path: string, redactor: Redactor): void {
  try {
    const descriptor = openSync(path, 'r');
    try {
      redactOpenFile(path, descriptor, redactor, { from: 0, isComplete: true });
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // It may hold a secret and nobody can tell, so it is better gone.
    rmSync(path, { force: true });
  }
}

function overwrite(path: string, reading: number, position: number, spans: readonly Span[]): void {
  const descriptor = openToWrite(path, reading);
  if (descriptor === null) return;
  try {
    for (const span of spans) {
      const mark = Buffer.from(markOver(span), 'latin1');
      for (let done = 0; done < mark.length; ) {
        done += writeSync(descriptor, mark, done, mark.length - done, position + span.start + done);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Null where the path does not lead to that file any more: then nobody finds what is in it. */
function openToWrite(path: string, reading: number): number | null {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return null;
  const descriptor = openSync(path, 'r+');
  if (fstatSync(descriptor).ino === fstatSync(reading).ino) return descriptor;
  closeSync(descriptor);
  return null;
}
