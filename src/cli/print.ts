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
  const widths = head.map(columnsOf);
  const lines: (readonly string[])[] = [head];
  for (const row of rows) {
    const cells = row.map((cell) => oneLine(String(cell ?? '–'), MAX_CELL));
    for (let column = 0; column < widths.length; column += 1)
      widths[column] = Math.max(widths[column] ?? 0, columnsOf(cells[column] ?? ''));
    lines.push(cells);
  }
  return lines.map((cells) => lineOf(cells, widths)).join('\n');
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  let line = '';
  for (let column = 0; column < row.length; column += 1) {
    const cell = row[column] ?? '';
    line += cell + ' '.repeat((widths[column] ?? 0) - columnsOf(cell) + GAP);
  }
  return line.trimEnd();
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
