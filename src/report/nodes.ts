/**
 * The parts that reports are built of, as mdast nodes. Every string that goes in is taken as data: it is made
 * printable, put on one line where it is part of a line, and cut; the serialiser escapes what is left.
 */
import type {
  Code,
  Heading,
  InlineCode,
  List,
  Paragraph,
  PhrasingContent,
  RootContent,
  Strong,
  Table,
  TableRow,
  Text,
} from 'mdast';
import { oneLine } from '../text/printable.ts';

/** Shown for what is not known. */
export const UNKNOWN = '–';

/** Longest text of a line, in characters. */
const LINE = 2000;

/** Longest text of a table's cell, in characters. */
const CELL = 160;

/** A table's cell: text, a number, ready nodes, or null for what is not known. */
export type Cell = string | number | null | PhrasingContent[];

/** A column's title; `right` aligns its cells to the right. */
export type Column = string | { right: string };

/** A block of a report. */
export type Block = RootContent;

export function text(value: string, width = LINE): Text {
  return { type: 'text', value: oneLine(value, width) || UNKNOWN };
}

/** Text that joins other nodes: kept as it is, spaces at its ends too. For our own words only. */
export function glue(value: string): Text {
  return { type: 'text', value };
}

export function strong(value: string): Strong {
  return { type: 'strong', children: [text(value)] };
}

/** An identifier, path or command in a line. */
export function code(value: string, width = 400): InlineCode {
  return { type: 'inlineCode', value: oneLine(value, width) || UNKNOWN };
}

/** A sentence in which `backticks` mark code; a backtick without a partner is a plain character. */
export function prose(sentence: string, width = LINE): PhrasingContent[] {
  const line = oneLine(sentence, width) || UNKNOWN;
  const nodes: PhrasingContent[] = [];
  let end = 0;
  for (const match of line.matchAll(/(?<!`)`([^`]+)`(?!`)/g)) {
    if (match.index > end) nodes.push(glue(line.slice(end, match.index)));
    nodes.push({ type: 'inlineCode', value: match[1] ?? '' });
    end = match.index + match[0].length;
  }
  if (end < line.length) nodes.push(glue(line.slice(end)));
  return nodes;
}

export function heading(depth: 1 | 2 | 3, ...children: (string | PhrasingContent)[]): Heading {
  return { type: 'heading', depth, children: children.map(asNode) };
}

/** A paragraph; a plain string in it is our own text and may hold `code`. */
export function paragraph(...children: (string | PhrasingContent)[]): Paragraph {
  return { type: 'paragraph', children: children.map(asNode) };
}

export function list(ordered: boolean, items: PhrasingContent[][]): List {
  return {
    type: 'list',
    ordered,
    spread: false,
    children: items.map((children) => ({
      type: 'listItem',
      spread: false,
      children: [{ type: 'paragraph', children }],
    })),
  };
}

/** A fenced block. The content must be printable already (see `excerpt.ts`). */
export function fence(lang: string | null, value: string): Code {
  return { type: 'code', lang, value };
}

/**
 * Blocks that a reader opens, where the renderer knows HTML.
 * @param summary our own words.
 */
export function details(summary: string, blocks: readonly Block[]): Block[] {
  if (blocks.length === 0) return [];
  return [
    { type: 'html', value: `<details>\n<summary>${summary}</summary>` },
    ...blocks,
    { type: 'html', value: '</details>' },
  ];
}

/** Identifiers in a line, the first of them named; `total` where there are more than these. */
export function codes(names: readonly string[], limit: number, total = names.length): PhrasingContent[] {
  const shown = names.slice(0, limit);
  const left = total - shown.length;
  return [
    ...shown.flatMap((name, index) => (index === 0 ? [code(name)] : [glue(', '), code(name)])),
    ...(left > 0 ? [glue(` and ${left} more`)] : []),
  ];
}

/** A table in which every row has exactly one cell a column. */
export function table(columns: Column[], rows: Cell[][]): Table {
  const titles = columns.map((column) => (typeof column === 'string' ? column : column.right));
  return {
    type: 'table',
    align: columns.map((column) => (typeof column === 'string' ? null : 'right')),
    children: [titles, ...rows].map((cells) => tableRow(cells, columns.length)),
  };
}

function tableRow(cells: Cell[], width: number): TableRow {
  return {
    type: 'tableRow',
    children: Array.from({ length: width }, (_, index) => ({
      type: 'tableCell',
      children: cellContent(cells[index] ?? null),
    })),
  };
}

function cellContent(cell: Cell): PhrasingContent[] {
  if (cell === null) return [glue(UNKNOWN)];
  if (typeof cell === 'number') return [glue(String(cell))];
  return typeof cell === 'string' ? [text(cell, CELL)] : cell;
}

function asNode(child: string | PhrasingContent): PhrasingContent {
  return typeof child === 'string' ? glue(child) : child;
}
