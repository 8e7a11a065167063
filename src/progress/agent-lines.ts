import { bar } from './bar.ts';
import { type Board, running, type Task } from './board.ts';
import { clock } from './clock.ts';
import type { FrameOptions } from './frame-options.ts';
import { clean, columnsOf, fit, Line } from './line.ts';

const BAR = 8;
const GAP = '  ';
/** With less room than this behind name and clock, there is only the label. */
const ROOM_FOR_PROGRESS = 24;

interface Row {
  name: string;
  /** How long it has been at it; empty for an agent that has nothing in hand. */
  clock: string;
  label: string;
  labelColumns: number;
  fraction: number | null;
  /** The share as a number, and what the workstream says about itself. */
  note: string;
  noteColumns: number;
}

/**
 * One line an agent, in the order of the agents. Where there are more agents than lines, the ones that have been at
 * their workstream for longest are shown, and the last line says how many are not.
 */
export function agentLines(board: Board, lines: number, options: FrameOptions): string[] {
  const all = [...board.agents];
  const chosen = all.length <= lines ? all : longest(all, lines - 1);
  const rows = chosen.map(([agentId, task]) => describe(agentId, task, options));
  const drawn = draw(rows, options);
  const hidden = all.length - chosen.length;
  return hidden === 0 ? drawn : [...drawn, others(board, chosen, hidden, options)];
}

type Entry = [agentId: string, task: Task | null];

function longest(all: readonly Entry[], count: number): Entry[] {
  const since = ([, task]: Entry): number => task?.since ?? Number.POSITIVE_INFINITY;
  const first = new Set(
    all.toSorted((a, b) => (since(a) === since(b) ? 0 : since(a) - since(b))).slice(0, count),
  );
  return all.filter((entry) => first.has(entry));
}

function others(board: Board, chosen: readonly Entry[], hidden: number, options: FrameOptions): string {
  const { columns, colour, glyphs } = options;
  const busy = running(board) - chosen.filter(([, task]) => task !== null).length;
  const state = busy === hidden ? '' : busy === 0 ? ', idle' : `, ${busy} of them busy`;
  const more = `${glyphs.ascii ? '...' : glyphs.ellipsis} and ${hidden} more agent${hidden === 1 ? '' : 's'}${state}`;
  return new Line(columns, glyphs).add(more, colour.dim).toString();
}

function describe(agentId: string, task: Task | null, options: FrameOptions): Row {
  const { columns, glyphs, now } = options;
  const name = clean(agentId, columns, glyphs);
  if (task === null)
    return { name, clock: '', label: 'idle', labelColumns: 4, fraction: null, note: '', noteColumns: 0 };
  const title = task.title === task.workstreamId ? '' : ` ${clean(task.title, columns, glyphs)}`.trimEnd();
  const attempt = task.attempt > 1 ? ` (attempt ${task.attempt})` : '';
  const label = clean(task.workstreamId, columns, glyphs) + attempt + title;
  const share = task.fraction === null ? '' : `${Math.floor(task.fraction * 100)} % `;
  const note = `${share}${clean(task.text, columns, glyphs)}`.trimEnd();
  return {
    name,
    clock: clock((now - task.since) / 1000),
    label,
    labelColumns: columnsOf(label),
    fraction: task.fraction,
    note,
    noteColumns: columnsOf(note),
  };
}

/** Names, clocks and progress stand in columns of their own; a long label gives way to progress, down to half. */
function draw(rows: readonly Row[], options: FrameOptions): string[] {
  const names = widest(rows, ({ name }) => columnsOf(name));
  const clocks = Math.max(
    3,
    widest(rows, ({ clock }) => clock.length),
  );
  const rest = Math.max(0, options.columns - names - clocks - 2 * GAP.length);
  const room = Math.max(Math.floor(rest / 2), rest - widest(rows, progressColumns) - GAP.length);
  const labels = Math.min(
    widest(rows, ({ labelColumns }) => labelColumns),
    room,
  );
  return rows.map((row) => {
    const line = new Line(options.columns, options.glyphs)
      .add(row.name + ' '.repeat(names - columnsOf(row.name)), options.colour.cyan)
      .add(GAP + row.clock.padStart(clocks) + GAP);
    if (progressColumns(row) > 0 && rest >= ROOM_FOR_PROGRESS) addWithProgress(line, row, labels, options);
    else line.add(row.label, row.clock === '' ? options.colour.dim : String, row.labelColumns);
    return line.toString();
  });
}

function addWithProgress(line: Line, row: Row, labels: number, { colour, glyphs }: FrameOptions): void {
  const label = row.labelColumns <= labels ? row.label : fit(row.label, labels, glyphs);
  line.add(label + ' '.repeat(Math.max(0, labels - columnsOf(label))) + GAP);
  if (row.fraction !== null) line.add(bar(row.fraction, BAR, glyphs), colour.green, BAR).add(' ');
  line.add(row.note, colour.dim, row.noteColumns);
}

function widest(rows: readonly Row[], columns: (row: Row) => number): number {
  return Math.max(0, ...rows.map(columns));
}

function progressColumns({ fraction, noteColumns }: Row): number {
  return noteColumns + (fraction === null ? 0 : BAR + 1);
}
