/** The figures as a table, and where it stands in docs/benchmarks.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { median, versionOf } from './measure.mjs';

const document = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';
const HEAD = ['what', 'median', 'lowest – highest', 'n', 'target', 'met', 'of'];

/** A line of the log while it is measured. */
export const shown = (cells) => cells.filter((cell) => cell !== '').join(' | ');

export class Table {
  #rows = [];
  #quick;

  /** @param quick whether the parts are smaller than those that the targets are for. */
  constructor(quick) {
    this.#quick = quick;
  }

  /**
   * @param values one of each round.
   * @param target such as `≤ 1.5`; none for what is only of interest.
   * @param of what the figure was made of.
   * @returns the cells.
   */
  add({ what, values, unit = '', digits = 2, target = '', of = '' }) {
    const sorted = values.toSorted((a, b) => a - b);
    const written = (value) => `${value.toFixed(digits)}${unit}`;
    const spread = values.length === 1 ? '' : `${written(sorted[0])} – ${written(sorted.at(-1))}`;
    const middle = values.length === 0 ? 'not installed' : written(median(values));
    const cells = [what, middle, spread, values.length || '', target, this.#met(median(values), target), of];
    this.#rows.push(cells);
    return cells;
  }

  #met(value, target) {
    const [, sign, limit] = /^([≤≥<]) ([\d.]+)/.exec(target) ?? [];
    if (this.#quick || sign === undefined || Number.isNaN(value)) return '';
    return { '≤': value <= limit, '≥': value >= limit, '<': value < limit }[sign] ? 'yes' : '**no**';
  }

  markdown({ rounds, minutes }) {
    const machine = `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}`;
    const versions = [`Node ${process.version}`, ...['parallel', 'xargs', 'make'].map(versionOf)].join(', ');
    const size = this.#quick ? 'smaller parts, ' : '';
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [
      `Measured on ${new Date().toISOString().slice(0, 10)} in ${minutes.toFixed(0)} minutes, ${size}${rounds} rounds where \`n\` says nothing else, on ${machine}, load ${loadavg()[1]?.toFixed(1)} in the last five minutes; ${versions}.`,
      '',
      line(HEAD),
      line(HEAD.map(() => '---')),
      ...this.#rows.map(line),
    ].join('\n');
  }
}

/** Puts it into docs/benchmarks.md in place of the one before. */
export function writeTable(text) {
  const content = readFileSync(document, 'utf8');
  const begin = content.indexOf(BEGIN);
  const end = content.indexOf(END);
  if (begin === -1 || end === -1) throw new Error(`${document} has no place for the table`);
  writeFileSync(document, `${content.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${content.slice(end)}`);
}
