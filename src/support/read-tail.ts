import { fstatSync, readSync } from 'node:fs';

const TAIL_BYTES = 4_096;

/** The last 4 KiB of what an open file holds after byte `from`, as text; begins with "…" when it was cut. */
export function readTail(descriptor: number, from: number): string {
  const end = fstatSync(descriptor).size;
  const start = Math.max(from, end - TAIL_BYTES);
  if (end <= start) return '';
  const bytes = Buffer.alloc(end - start);
  const length = readSync(descriptor, bytes, 0, bytes.length, start);
  const text = bytes.toString('utf8', 0, length);
  return start === from ? text : `…${text.replace(/^\ufffd+/, '')}`;
}
