/** Reads the tables of a Markdown text as GitHub does: a pipe after a backslash does not end a cell. */
export function tableRows(markdown: string): string[][][] {
  const tables: string[][][] = [];
  let open: string[][] | null = null;
  let fence: string | null = null;
  for (const line of markdown.split('\n')) {
    const mark = /^`{3,}/.exec(line)?.[0] ?? null;
    if (fence !== null) {
      if (mark !== null && mark.length >= fence.length && line.trim() === mark) fence = null;
      continue;
    }
    if (mark !== null) fence = mark;
    if (!line.startsWith('|')) {
      open = null;
      continue;
    }
    if (open === null) tables.push((open = []));
    open.push(cells(line));
  }
  return tables;
}

function cells(line: string): string[] {
  return line
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}
