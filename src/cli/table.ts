import Table from 'cli-table3';
import { oneLine } from '../support/printable.ts';

const NOTHING = '';

/** Widest cell; ids may have 100 characters and messages any number. */
const MAX_CELL = 100;

/** Rows under a head, in columns, without lines: for a terminal and for `grep` alike. */
export function table(head: string[], rows: (string | number | null)[][]): string {
  const drawn = new Table({
    head,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: NOTHING,
      'top-mid': NOTHING,
      'top-left': NOTHING,
      'top-right': NOTHING,
      bottom: NOTHING,
      'bottom-mid': NOTHING,
      'bottom-left': NOTHING,
      'bottom-right': NOTHING,
      left: NOTHING,
      'left-mid': NOTHING,
      mid: NOTHING,
      'mid-mid': NOTHING,
      right: NOTHING,
      'right-mid': NOTHING,
      middle: NOTHING,
    },
  });
  for (const row of rows) drawn.push(row.map((cell) => oneLine(String(cell ?? '–'), MAX_CELL)));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
