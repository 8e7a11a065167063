import type { AwaitedLimit, HostPerformance, RunSummary } from '../domain/run-record.ts';
import { columnsOf } from '../text/columns.ts';
import { seconds } from '../text/format.ts';
import { oneLine, printable, printableJson } from '../text/printable.ts';
import { print } from './standard-output.ts';

/** Prints text in which nothing is for the terminal: what a terminal would act on is shown instead. */
export async function printText(text: string): Promise<void> {
  await print(printable(text));
}

/** Prints a value as one JSON document, on which no terminal acts. */
export async function printJson(value: unknown): Promise<void> {
  await print(printableJson(value));
}

/** Tells a person who waits; standard output has the result alone. */
export function notify(sentence: string): void {
  process.stderr.write(`millrace: ${printable(sentence)}.\n`);
}

/** The command that goes on with a run, as lines; none where everything completed or is under way. */
export function next(run: RunSummary): string[] {
  const { runId, state, totals } = run;
  const limit = limitOf(run);
  if (limit !== null) return [`Go on after ${limit.until} with: millrace run --resume ${runId}`];
  if (state === 'interrupted') return [`Go on with: millrace run --resume ${runId}`];
  if (state === 'ended' && totals.failed > 0) return [`Try again with: millrace run --retry-failed ${runId}`];
  return [];
}

/** The usage limit that what is left of a run waits for; null where it is under way, ended, or was interrupted. */
const limitOf = ({ state, executionSummary }: RunSummary): AwaitedLimit | null =>
  state === 'interrupted' ? (executionSummary?.waitsForLimit ?? null) : null;

/** How a run stands, in a word or a few. */
export function stateWords(run: RunSummary): string {
  const limit = limitOf(run);
  return limit === null ? run.state : `waits for the usage limit of ${oneLine(limit.tool, MAX_CELL)}`;
}

/** Widest cell; ids may have 100 characters and messages any number. */
const MAX_CELL = 100;

/** Columns between two columns. */
const GAP = 2;

/** Rows under a head, in columns, without lines: for a terminal and for `grep` alike. */
export function table(head: readonly string[], rows: Iterable<readonly (string | number | null)[]>): string {
  // Of all rows one after the other: an array for each of 100,000 is most of what there is to collect.
  const cells = [...head];
  const columns = head.map((cell) => new PrintedColumn(cell));
  for (const row of rows) {
    for (let index = 0; index < columns.length; index += 1) {
      const cell = oneLine(String(row[index] ?? '–'), MAX_CELL);
      columns[index]?.add(cell);
      cells.push(cell);
    }
  }
  const lines: string[] = [];
  for (let start = 0; start < cells.length; start += columns.length) {
    let line = '';
    const last = columns.length - 1;
    for (let index = 0; index < last; index += 1) line += columns[index]?.padded(cells[start + index] ?? '');
    line += cells[start + last] ?? '';
    lines.push(line.endsWith(' ') ? line.trimEnd() : line);
  }
  return lines.join('\n');
}

/** How wide a column is, on a terminal. */
class PrintedColumn {
  #width = 0;
  /** Whether each of its cells takes as many columns as it has characters. */
  #isSimple = true;

  constructor(head: string) {
    this.add(head);
  }

  add(cell: string): void {
    const width = columnsOf(cell);
    if (width !== cell.length) this.#isSimple = false;
    if (width > this.#width) this.#width = width;
  }

  /** The cell, and the gap to the next column. */
  padded(cell: string): string {
    const wider = this.#isSimple ? 0 : cell.length - columnsOf(cell);
    return cell.padEnd(this.#width + GAP + wider);
  }
}

const HOSTS_HEAD = ['host', 'agents', 'workstreams', 'completed', 'failed', 'worked', 'lost'];

/** What each host of a queue did in a run, as a table; nothing for a run that was executed on this machine. */
export function hostsText(hosts: readonly HostPerformance[]): string[] {
  if (hosts.length === 0) return [];
  const rows = hosts.map(({ host, agents, workstreams, completed, failed, busySeconds, lost }) => [
    host,
    agents,
    workstreams,
    completed,
    failed,
    seconds(busySeconds),
    lost,
  ]);
  return [table(HOSTS_HEAD, rows)];
}
