import { wholeCharacters } from '../text/cut-text.ts';
import { readFileSync, fstatSync, readSync } from 'node:fs';

/** The text of a file that the system makes up, as in /proc; empty where it is not there, has gone, or is not ours. */
export const readText = (path: string): string => readTextOrNull(path) ?? '';

/** The same; null where it is not there, has gone, or is not ours. */
export function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // What such a file tells is then not known.
    return null;
  }
}

const TAIL_BYTES = 4_096;

/**
 * The last 4 KiB of what an open file holds after byte `from`, as text; begins with "…" when it was cut.
 * @param before how many bytes are read before them, for what stands on the cut.
 * @param clean what is done with the bytes before they are cut; their number stays.
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
