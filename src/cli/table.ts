import { columnsOf } from '../progress/line.ts';
import { oneLine } from '../support/printable.ts';

/** Widest cell; ids may have 100 characters and messages any number. */
const MAX_CELL = 100;

/** Columns between two columns. */
const GAP = 2;

/** Rows under a head, in columns, without lines: for a terminal and for `grep` alike. */
export function table(head: string[], rows: (string | number | null)[][]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => oneLine(String(cell ?? '–'), MAX_CELL)))];
  const widths = head.map(() => 0);
  for (const row of cells) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell));
    }
  }
  return cells.map((row) => lineOf(row, widths)).join('\n');
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  const padded = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - columnsOf(cell) + GAP));
  return padded.join('').trimEnd();
}
