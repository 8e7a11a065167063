import { fstatSync, readFileSync, readSync } from 'node:fs';
import { wholeCharacters } from '../text/cut-text.ts';

/** The text of a file of the system, as in /proc; empty where it does not exist, or may not be read. */
export const readText = (path: string): string => readTextOrNull(path) ?? '';

/** The same; null where it does not exist, or may not be read. */
export function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // What the file would say is not known then.
    return null;
  }
}

const TAIL_BYTES = 4_096;

/**
 * The last 4 KiB of what an open file holds after byte `from`, as text; begins with "…" when it was cut.
 * @param before how many bytes are read before them, for `clean` to see what the cut would divide.
 * @param clean changes the bytes before they are cut, but not their number.
 */
export function readTail(
  descriptor: number,
  from: number,
  { before, clean }: { before: number; clean: (bytes: Uint8Array) => Uint8Array } = ALL,
): string {
  const end = fstatSync(descriptor).size;
  const start = Math.max(from, end - TAIL_BYTES);
  if (end <= start) return '';
  const first = Math.max(0, start - before);
  const bytes = Buffer.alloc(end - first);
  const length = readSync(descriptor, bytes, 0, bytes.length, first);
  const tail = clean(bytes.subarray(0, length)).subarray(start - first);
  return start === from ? Buffer.from(tail).toString() : `…${wholeCharacters(tail)}`;
}

const ALL = { before: 0, clean: (bytes: Uint8Array) => bytes };
