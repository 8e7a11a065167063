import { printable } from '../support/printable.ts';
import { firstOf, lastOf } from '../support/cut-text.ts';

/** Marks where an excerpt was cut. */
const CUT = '…';

/**
 * The beginning or the end of a text of any size, printable and at most `limit` characters. What is left out is not
 * looked at, so that 10 MB cost no more than a page.
 */
export function excerpt(text: string, limit: number, keep: 'start' | 'end'): string {
  const near = keep === 'start' ? firstOf(text, limit * 2) : lastOf(text, limit * 2);
  const clean = printable(near)
    .replaceAll(/[ \t]+$/gm, '')
    .replace(/^\n+/, '')
    .trimEnd();
  if (near.length === text.length && clean.length <= limit) return clean;
  return keep === 'start' ? firstOf(clean, limit - 1) + CUT : CUT + lastOf(clean, limit - 1);
}
