import { isAbsolute, relative, sep } from 'node:path';
import type { PhrasingContent } from 'mdast';
import type { Json, JsonObject } from '../domain/json.ts';
import { firstOf } from '../text/cut-text.ts';
import { plural } from '../text/format.ts';
import { printable } from '../text/printable.ts';
import { excerpt, figure } from './cells.ts';
import {
  type Block,
  type Cell,
  fence,
  glue,
  list,
  paragraph,
  strong,
  table,
  text,
  UNKNOWN,
} from './nodes.ts';

/** Most scalars, tables, rows and columns of one output. */
const SCALARS = 20;
const TABLES = 3;
const ROWS = 10;
const COLUMNS = 8;

/** Longest string shown in a line, and longest block, in characters. */
const LINE = 200;
const CELL = 80;
const BLOCK = 2000;

/** Most lines of a block. */
const LINES = 40;

function firstLines(block: string): string {
  const lines = block.split('\n');
  return lines.length > LINES ? [...lines.slice(0, LINES), '…'].join('\n') : block;
}

/** Where a report is, for the links in it. */
export interface ReportPlace {
  /** The reports folder, absolute or relative to the current folder, as the paths in outputs may be. */
  folder: string;
}

/** One workstream's output, for a person: scalars as a list, arrays of flat objects as tables, the rest as JSON. */
export function outputView(output: Json, place: ReportPlace): Block[] {
  if (output === null) return [];
  if (isShort(output)) return [paragraph(...scalar(output, place))];
  if (typeof output === 'string') return [fence('text', firstLines(excerpt(output, BLOCK, 'start')))];
  if (Array.isArray(output)) return isTable(output) ? tableView(output) : [jsonView(output)];
  return typeof output === 'object' ? objectView(output, place) : [];
}

/** Named numbers as a list. */
export function metricsView(metrics: Record<string, number>): Block[] {
  return scalarList(Object.entries(metrics), (value) => [glue(figure(value))]);
}

/** Whether a value fits in a cell: a scalar, of texts a short one. */
export const isLine = (value: Json): boolean =>
  isShort(value) && (typeof value !== 'string' || value.length <= CELL);

/** Such a value as the content of a cell. */
export const lineOf = (value: Json, place: ReportPlace): Cell =>
  isScalar(value) ? scalar(value, place) : null;

function objectView(output: JsonObject, place: ReportPlace): Block[] {
  const scalars: [string, Scalar][] = [];
  const blocks: Block[] = [];
  const rest: [string, Json][] = [];
  let tables = 0;
  for (const [key, value] of Object.entries(output)) {
    if (isShort(value)) scalars.push([key, value]);
    else if (isTable(value) && tables < TABLES) {
      tables += 1;
      blocks.push(paragraph(strong(firstOf(key, LINE)), ':'), ...tableView(value));
    } else rest.push([key, value]);
  }
  const [only, another] = rest;
  if (only !== undefined && another === undefined && typeof only[1] === 'string') {
    blocks.push(
      paragraph(strong(firstOf(only[0], LINE)), ':'),
      fence('text', firstLines(excerpt(only[1], BLOCK, 'start'))),
    );
  } else if (rest.length > 0) blocks.push(jsonView(Object.fromEntries(rest)));
  return [...scalarList(scalars, (value) => scalar(value, place)), ...blocks];
}

function scalarList<T>(entries: [string, T][], view: (value: T) => PhrasingContent[]): Block[] {
  if (entries.length === 0) return [];
  const items = entries.slice(0, SCALARS).map(([key, value]) => [text(key, 100), glue(': '), ...view(value)]);
  const left = entries.length - items.length;
  return [list(false, left > 0 ? [...items, [glue(`and ${left} more`)]] : items)];
}

function tableView(rows: Record<string, Scalar>[]): Block[] {
  const shown = rows.slice(0, ROWS);
  const keys = [...new Set(shown.flatMap((row) => Object.keys(row)))];
  const columns = keys.slice(0, COLUMNS);
  const isNumber = (key: string): boolean => shown.every((row) => typeof (own(row, key) ?? 0) === 'number');
  const left = [
    ...(rows.length > shown.length ? [plural(rows.length - shown.length, 'row')] : []),
    ...(keys.length > columns.length ? [plural(keys.length - columns.length, 'column')] : []),
  ];
  return [
    table(
      columns.map((key) => (isNumber(key) ? { right: firstOf(key, 60) } : firstOf(key, 60))),
      shown.map((row) => columns.map((key) => cell(own(row, key)))),
    ),
    ...(left.length > 0 ? [paragraph(`${left.join(', ')} left out`)] : []),
  ];
}

/** A row's own value: a column may have the name of something that every object inherits. */
function own(row: Record<string, Scalar>, key: string): Scalar {
  return Object.hasOwn(row, key) ? (row[key] ?? null) : null;
}

function jsonView(value: Json): Block {
  return fence('json', firstLines(jsonExcerpt(value, BLOCK)));
}

type Scalar = string | number | boolean | null;

function scalar(value: Scalar, { folder }: ReportPlace): PhrasingContent[] {
  if (typeof value !== 'string') return [glue(plain(value))];
  const url = imagePath(value, folder);
  return [url === null ? text(value, LINE) : { type: 'image', url, alt: text(value, LINE).value }];
}

function cell(value: Scalar): Cell {
  return typeof value === 'string' ? [text(value, 60)] : plain(value);
}

function plain(value: number | boolean | null): string {
  if (value === null) return UNKNOWN;
  return typeof value === 'number' ? figure(value) : String(value);
}

function isScalar(value: Json): value is Scalar {
  return typeof value !== 'object' || value === null;
}

/** A scalar that fits in a line: any but a long string or one of several lines. */
function isShort(value: Json): value is Scalar {
  return (
    isScalar(value) &&
    (typeof value !== 'string' || (value.length <= LINE && !value.trimEnd().includes('\n')))
  );
}

/** An array of flat objects with at least one key; only the rows that are shown are checked. */
function isTable(value: Json): value is Record<string, Scalar>[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value
    .slice(0, ROWS)
    .every(
      (row) =>
        typeof row === 'object' &&
        row !== null &&
        !Array.isArray(row) &&
        Object.keys(row).length > 0 &&
        Object.values(row).every(isScalar),
    );
}

/** Longest path that is taken for one, in characters. */
const LONGEST = 500;

/**
 * The path of an image under the reports folder as a link in a report there, each part percent-encoded; null when the
 * value is no such path. Either may be relative to the current folder.
 */
function imagePath(value: string, reportsFolder: string): string | null {
  if (value.length > LONGEST || !/\.(?:png|svg|jpe?g|gif|webp)$/i.test(value)) return null;
  if (printable(value) !== value) return null;
  const path = relative(reportsFolder, value);
  if (path.split(sep)[0] === '..' || isAbsolute(path)) return null;
  return path.split(sep).map(encodeURIComponent).join('/');
}

const ITEMS = 30;
const DEPTH = 8;
const VALUES = 400;

/** A value as indented JSON of at most `limit` characters. What is left out is said, and costs nothing. */
function jsonExcerpt(value: Json, limit: number): string {
  return excerpt(JSON.stringify(abridged(value, limit), null, 2), limit, 'start');
}

/** A value of any size with its first items, its first levels, and `limit` characters of each text. */
export const abridged = (value: Json, limit: number): Json => abridge(value, limit, { left: VALUES }, 0);

function abridge(value: Json, limit: number, budget: { left: number }, depth: number): Json {
  budget.left -= 1;
  if (typeof value === 'string') return value.length <= limit ? value : `${firstOf(value, limit)}…`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH || budget.left <= 0) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS).map((item) => abridge(item, limit, budget, depth + 1));
    return value.length > ITEMS ? [...items, `… ${value.length - ITEMS} more`] : items;
  }
  const entries = Object.entries(value);
  const kept = entries
    .slice(0, ITEMS)
    .map(([key, item]): [string, Json] => [firstOf(key, 200), abridge(item, limit, budget, depth + 1)]);
  if (entries.length > ITEMS) kept.push(['…', `${entries.length - ITEMS} more`]);
  return Object.fromEntries(kept);
}
