import { printable } from '../support/printable.ts';

/** Marks where an excerpt was cut. */
const CUT = '…';

/**
 * The beginning or the end of a text of any size, printable and at most `limit` characters. What is left out is not
 * looked at, so that 10 MB cost no more than a page.
 */
export function excerpt(text: string, limit: number, keep: 'start' | 'end'): string {
  const near = keep === 'start' ? text.slice(0, limit * 2) : text.slice(-limit * 2);
  const clean = printable(near)
    .replaceAll(/[ \t]+$/gm, '')
    .replace(/^\n+/, '')
    .trimEnd();
  if (near.length === text.length && clean.length <= limit) return clean;
  return keep === 'start'
    ? clean.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '') + CUT
    : CUT + clean.slice(1 - limit).replace(/^[\udc00-\udfff]/, '');
}
