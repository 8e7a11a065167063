/** What a command tells, made once and shown as text on a terminal, as Markdown, or as one JSON document. */
import { heading, table as markdownTable, paragraph, prose } from '../report/nodes.ts';
import { serialise } from '../report/serialise.ts';
import { columnsOf } from '../text/columns.ts';
import { oneLine } from '../text/printable.ts';
import { printJson, printText, table } from './print.ts';
import { print } from './standard-output.ts';

type PageCell = string | number | null;

/** A part of a page. Nothing in it is trusted: each format escapes it. */
export interface Section {
  /** Null for the part below the first sentence. */
  title: string | null;
  /** Sentences above the rows. */
  notes?: string[];
  head?: string[];
  rows?: PageCell[][];
  /** How many rows there are in all; by default those that are given. */
  total?: number;
}

export interface Page {
  /** The answer in a sentence. */
  answer: string;
  sections: Section[];
}

export interface PageFormat {
  json: boolean;
  /** Default: text. */
  format?: 'text' | 'md' | 'json' | undefined;
}

/** Longest sentence that is shown, in characters. */
const SENTENCE = 2_000;

/** Prints a page in the format that is asked for; as JSON the document. */
export async function printPage(
  { json, format }: PageFormat,
  page: Page,
  document: Record<string, unknown>,
): Promise<void> {
  if (json || format === 'json') return printJson(document);
  const shown = page.sections.filter(({ rows, notes }) => (rows ?? []).length + (notes ?? []).length > 0);
  if (format === 'md') return print(markdownOf({ ...page, sections: shown }));
  const blocks = [oneLine(page.answer, SENTENCE), ...shown.map(textOf)];
  return printText(blocks.join('\n\n'));
}

function textOf(section: Section): string {
  const { title, notes = [], head = [], rows = [] } = section;
  const lines = [
    ...(title === null ? [] : [title]),
    ...notes.map((note) => oneLine(note, SENTENCE)),
    ...(rows.length === 0 ? [] : [cutToWindow(table(head, rows))]),
    ...leftOut(section),
  ];
  return lines.join('\n');
}

function leftOut({ rows = [], total = rows.length }: Section): string[] {
  return total > rows.length ? [`and ${total - rows.length} more; all of them with --json`] : [];
}

/** On a terminal, rows are cut at its edge, so that columns stay columns. */
function cutToWindow(text: string): string {
  const { isTTY, columns } = process.stdout;
  if (!isTTY || columns === undefined || columns === 0) return text;
  return text
    .split('\n')
    .map((line) => (columnsOf(line) <= columns ? line : cut(line, columns)))
    .join('\n');
}

function cut(line: string, columns: number): string {
  let shown = line.slice(0, columns - 1);
  while (columnsOf(shown) >= columns) shown = shown.slice(0, -1);
  return `${shown}…`;
}

function markdownOf({ answer, sections }: Page): string {
  return serialise([
    paragraph(...prose(answer)),
    ...sections.flatMap((section) => [
      ...(section.title === null ? [] : [heading(2, section.title)]),
      ...(section.notes ?? []).map((note) => paragraph(...prose(note))),
      ...((section.rows ?? []).length === 0 ? [] : [markdownTable(section.head ?? [], section.rows ?? [])]),
      ...leftOut(section).map((note) => paragraph(...prose(note))),
    ]),
  ]);
}
