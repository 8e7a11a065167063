/** The figures as a table, and where it stands in docs/benchmarks.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { versionOf } from './measure.mjs';

const document = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/** What was measured where, with what, as Markdown. */
export function table(rows, rounds) {
  const machine = `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}`;
  const versions = [`Node ${process.version}`, ...['parallel', 'xargs', 'make'].map(versionOf)].join(', ');
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`);
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds (at least 7 of the CPU-bound work; at most 5 of loading and planning, and 3 of what follows the load, one no-op and a command among 100,000), on ${machine}; ${versions}.`,
    '',
    '| what | measured | target | medians |',
    '| --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** Puts it into docs/benchmarks.md in place of the one before. */
export function writeTable(text) {
  const content = readFileSync(document, 'utf8');
  const begin = content.indexOf(BEGIN);
  const end = content.indexOf(END);
  if (begin === -1 || end === -1) throw new Error(`${document} has no place for the table`);
  writeFileSync(document, `${content.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${content.slice(end)}`);
}
