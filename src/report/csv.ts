/** The table of results as CSV (RFC 4180, UTF-8). */

import { cellsOf, headOf } from '../analysis/results-table.ts';
import type { Json } from '../domain/json.ts';
import type { ResultsTable } from '../domain/run-record.ts';

/** The head and the rows, each with its line end. */
export function* csvOf(table: ResultsTable): Generator<string, void, undefined> {
  yield lineOf(headOf(table));
  for (const row of table.rows) yield lineOf(cellsOf(row));
}

function lineOf(cells: readonly Json[]): string {
  let line = '';
  for (let index = 0; index < cells.length; index += 1)
    line += `${index === 0 ? '' : ','}${fieldOf(cells[index] ?? null)}`;
  return `${line}\r\n`;
}

/** Null is an empty field, an empty text a quoted one; objects and arrays are JSON. */
function fieldOf(cell: Json): string {
  if (cell === null) return '';
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
  if (cell === '') return '""';
  const text = typeof cell === 'string' ? withoutFormula(cell) : JSON.stringify(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Text that a spreadsheet would run: a formula by its sign, or one that calls something. */
const FORMULA = /^(?:[=\uFF1D\t\r]|[-+@\uFF0B\uFF0D\uFF20].*[(|!])/s;

/** With an apostrophe before what is a formula, as spreadsheets mark text; NUL, which no reader takes, is replaced. */
function withoutFormula(text: string): string {
  const clean = text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
  return FORMULA.test(clean) ? `'${clean}` : clean;
}
