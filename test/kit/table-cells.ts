import { fromMarkdown } from 'mdast-util-from-markdown';

/** The second line of a table: one dash at least for each column, with or without colons. */
const DELIMITERS = /^\|(?:\s*:?-+:?\s*\|)+$/;

/** A pipe that ends a cell to GitHub: one that stands behind no backslash. */
const PIPE = /(?<!\\)\|/;
/** To others a backslash that is escaped itself escapes nothing: one behind an even number of them. */
const PIPE_BY_PAIRS = /(?<=(?<!\\)(?:\\\\)*)\|/;

/** Reads the tables of a Markdown text as GitHub does. */
export function tableRows(markdown: string): string[][][] {
  return tables(markdown).map((lines) => lines.map((line) => cells(line, PIPE)));
}

/** The number of cells of each row of each table, as GitHub reads it and as others do. */
export function columnCounts(markdown: string): { github: string[]; others: string[] } {
  const count = (pipe: RegExp): string[] =>
    tables(markdown).map((lines) => lines.map((line) => cells(line, pipe).length).join(' '));
  return { github: count(PIPE), others: count(PIPE_BY_PAIRS) };
}

/** Where blocks begin and end is left to a parser of CommonMark, to which a table is a paragraph. */
function tables(markdown: string): string[][] {
  return fromMarkdown(markdown).children.flatMap(({ type, position }) => {
    if (type !== 'paragraph' || position === undefined) return [];
    const lines = markdown.slice(position.start.offset, position.end.offset).split('\n');
    return DELIMITERS.test(lines[1] ?? '') ? [lines] : [];
  });
}

function cells(line: string, pipe: RegExp): string[] {
  return line
    .split(pipe)
    .slice(1, -1)
    .map((cell) => cell.trim());
}
