import { columnsOf } from '../text/columns.ts';
import { plural } from '../text/format.ts';
import {
  type AgentActivity,
  type Board,
  busyAgents,
  type FailureNote,
  finished,
  type RunningWorkstream,
} from './board.ts';
import { bar, clean, clock, type FrameOptions, fit, StyledLine } from './style.ts';

/**
 * The run as lines for a terminal: how far it is, what each agent does, and the newest failures. No line is wider
 * than `columns` and there are at most `rows` of them. Empty before the run has started.
 */
export function frame(board: Board, options: FrameOptions): string[] {
  const { columns, rows } = options;
  if (board.startedAt === null || columns < 1 || rows < 1) return [];
  const notes = [
    ...interruptionLines(board, options),
    ...waitingLines(board, options),
    ...parkedLines(board, options),
    ...hostLines(board, options),
  ];
  const top = [headline(board, board.startedAt, options), ...notes].slice(0, rows);
  const failures = board.failures.map((note) => failureLine(note, options));
  const room = rows - top.length;
  // The agents get what the failures leave, and half of the room at least.
  const forAgents = Math.min(board.agents.size, Math.max(room - failures.length, Math.ceil(room / 2)));
  const agents = forAgents > 0 ? agentLines(board, forAgents, options) : [];
  const forFailures = room - agents.length;
  return [...top, ...agents, ...(forFailures > 0 ? failures.slice(-forFailures) : [])];
}

const BAR = 8;
const GAP = '  ';
/** With less room than this behind name and clock, there is only the label. */
const ROOM_FOR_PROGRESS = 24;

interface Row {
  name: string;
  /** How long its workstream has been running; empty for an idle agent. */
  clock: string;
  label: string;
  labelColumns: number;
  fraction: number | null;
  /** The share as a number, and the text of the progress. */
  note: string;
  noteColumns: number;
}

/**
 * One line for each agent, in the order of the agents. Where there are more agents than lines, those whose workstream
 * has been running for longest are shown, and the last line says how many others there are.
 */
function agentLines(board: Board, lines: number, options: FrameOptions): string[] {
  const all = [...board.agents];
  const chosen = all.length <= lines ? all : longest(all, lines - 1);
  const rows = chosen.map(([agentId, task]) => describe(agentId, task, options));
  const drawn = draw(rows, options);
  const hidden = all.length - chosen.length;
  return hidden === 0 ? drawn : [...drawn, others(board, chosen, hidden, options)];
}

type AgentEntry = [agentId: string, task: RunningWorkstream | null];

function longest(all: readonly AgentEntry[], count: number): AgentEntry[] {
  const since = ([, task]: AgentEntry): number =>
    task === null ? Number.POSITIVE_INFINITY : Date.parse(task.startedAt);
  const first = new Set(
    all.toSorted((a, b) => (since(a) === since(b) ? 0 : since(a) - since(b))).slice(0, count),
  );
  return all.filter((entry) => first.has(entry));
}

function others(board: Board, chosen: readonly AgentEntry[], hidden: number, options: FrameOptions): string {
  const { columns, colour, glyphs } = options;
  const busy = busyAgents(board) - chosen.filter(([, task]) => task !== null).length;
  const state = busy === hidden ? '' : busy === 0 ? ', idle' : `, ${busy} of them busy`;
  const more = `${glyphs.ascii ? '...' : glyphs.ellipsis} and ${hidden} more agent${hidden === 1 ? '' : 's'}${state}`;
  return new StyledLine(columns, glyphs).add(more, colour.dim).toString();
}

function describe(agentId: string, task: RunningWorkstream | null, options: FrameOptions): Row {
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
    clock: clock((now - Date.parse(task.startedAt)) / 1000),
    label,
    labelColumns: columnsOf(label),
    fraction: task.fraction,
    note,
    noteColumns: columnsOf(note),
  };
}

/** Names, clocks and progress have columns of their own; a long label is shortened for progress, to half at most. */
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
    const line = new StyledLine(options.columns, options.glyphs)
      .add(row.name + ' '.repeat(names - columnsOf(row.name)), options.colour.cyan)
      .add(GAP + row.clock.padStart(clocks) + GAP);
    if (progressColumns(row) > 0 && rest >= ROOM_FOR_PROGRESS) addWithProgress(line, row, labels, options);
    else line.add(row.label, row.clock === '' ? options.colour.dim : String, row.labelColumns);
    return line.toString();
  });
}

function addWithProgress(line: StyledLine, row: Row, labels: number, { colour, glyphs }: FrameOptions): void {
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

const WIDEST_BAR = 30;
const NARROWEST_BAR = 5;

interface HeadlinePart {
  text: string;
  /** The lower, the more important where there is no room for all. */
  rank: number;
  paint: (text: string) => string;
}

/** How far the run is: a bar, the share and the counts, the time so far and the estimated time left. */
export function headline(board: Board, startedAt: number, options: FrameOptions): string {
  const { columns, colour, glyphs } = options;
  const share = board.total === 0 ? 1 : Math.min(1, finished(board) / board.total);
  const all = pieces(board, share, startedAt, options);
  const shown = fitting(all, columns, glyphs.separator.length);
  const line = new StyledLine(columns, glyphs);
  const needed = widthOf(shown, glyphs.separator.length);
  const free = Math.min(WIDEST_BAR, columns - needed - 1);
  if (free >= NARROWEST_BAR) {
    line.add(bar(share, free, glyphs), colour.green, free).add(' ');
  }
  for (const [index, { text, paint }] of shown.entries()) {
    if (index > 0) line.add(glyphs.separator, colour.dim, glyphs.separator.length);
    line.add(text, paint);
  }
  return line.toString();
}

function pieces(board: Board, share: number, startedAt: number, options: FrameOptions): HeadlinePart[] {
  const { colour, now } = options;
  const { failed, skipped } = board.counts;
  const left = timeLeft(board, now);
  const all: (HeadlinePart | null)[] = [
    { text: `${Math.floor(share * 100)} %`, rank: 0, paint: colour.bold },
    { text: `${finished(board)} of ${board.total}`, rank: 1, paint: String },
    failed === 0 ? null : { text: `${failed} failed`, rank: 2, paint: colour.red },
    skipped === 0 ? null : { text: `${skipped} skipped`, rank: 5, paint: colour.yellow },
    { text: clock((now - startedAt) / 1000), rank: 4, paint: String },
    left === null ? null : { text: `about ${clock(Math.max(1, left))} left`, rank: 3, paint: String },
  ];
  return all.filter((piece) => piece !== null);
}

/** The most important pieces, as many as fit, in their own order. The first one is always included. */
function fitting(all: readonly HeadlinePart[], columns: number, separator: number): HeadlinePart[] {
  const chosen = new Set<HeadlinePart>();
  let width = -separator;
  for (const piece of all.toSorted((a, b) => a.rank - b.rank)) {
    width += separator + piece.text.length;
    if (width > columns && chosen.size > 0) break;
    chosen.add(piece);
  }
  return all.filter((piece) => chosen.has(piece));
}

function widthOf(shown: readonly HeadlinePart[], separator: number): number {
  return shown.reduce((width, { text }) => width + text.length + separator, -separator);
}

type Look = Omit<FrameOptions, 'rows' | 'now'>;

/** A failure on one line: the workstream, the reason, and what happened. */
export function failureLine(note: FailureNote, { columns, colour, glyphs }: Look): string {
  return new StyledLine(columns, glyphs)
    .add(`${glyphs.cross} `, colour.red, 2)
    .add(`${clean(note.workstreamId, columns, glyphs)} `)
    .add(`${clean(note.reason, columns, glyphs)} `, colour.red)
    .add(clean(note.line, columns, glyphs), colour.dim)
    .toString();
}

/** That the run ends early, and what it waits for; none where it does not. */
function interruptionLines(board: Board, { columns, colour, glyphs }: Look): string[] {
  if (board.interruptedBy === null) return [];
  const busy = busyAgents(board);
  const rest = busy === 0 ? 'ending' : `ending ${plural(busy, 'workstream')}`;
  const text = `Interrupted by ${clean(board.interruptedBy, columns, glyphs)}, ${rest}`;
  return [new StyledLine(columns, glyphs).add(text, colour.yellow).toString()];
}

/** What the run waits for of other runs; none where it waits for nothing. */
function waitingLines(board: Board, { columns, colour, glyphs }: Look): string[] {
  const newest = board.waits.at(-1);
  if (newest === undefined || board.interruptedBy !== null) return [];
  const more = board.waits.length === 1 ? '' : ` (and ${board.waits.length - 1} more)`;
  const text = `Waiting for another run: ${clean(newest, columns, glyphs)}${more}`;
  return [new StyledLine(columns, glyphs).add(text, colour.yellow).toString()];
}

/** Tools that wait for their usage limits, each with the time that is left; none while the run ends early. */
export function parkedLines(
  board: Board,
  { columns, colour, glyphs, now }: Look & { now: number },
): string[] {
  if (board.interruptedBy !== null) return [];
  return [...board.parked].map(([tool, until]) => {
    const left = (until - now) / 1000;
    const name = clean(tool, columns, glyphs);
    const text =
      left > 0
        ? `${name} waits for its usage limit, ${clock(Math.ceil(left))} left (until ${localTime(until, now)})`
        : `${name} is tried again after its usage limit`;
    return new StyledLine(columns, glyphs).add(text, colour.yellow).toString();
  });
}

/** How many agents of each host of a queue are busy; none for a run on this machine. */
function hostLines({ agents }: Board, { columns, colour, glyphs }: Look): string[] {
  const hosts = new Map<string, { agents: number; busy: number }>();
  for (const [agentId, task] of agents) {
    const end = agentId.lastIndexOf('/');
    if (end === -1) continue;
    const host = agentId.slice(0, end);
    const entry = hosts.get(host) ?? { agents: 0, busy: 0 };
    entry.agents += 1;
    if (task !== null) entry.busy += 1;
    hosts.set(host, entry);
  }
  if (hosts.size === 0) return [];
  const parts = [...hosts].map(
    ([host, { agents: lent, busy }]) => `${clean(host, columns, glyphs)} ${busy} of ${lent} busy`,
  );
  return [new StyledLine(columns, glyphs).add(`Hosts ${parts.join(', ')}`, colour.dim).toString()];
}

/** A time of this day as clocks here show it; of another day with its date. */
function localTime(at: number, now: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const isToday = new Date(now).toDateString() === date.toDateString();
  return isToday ? time : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** Below this share progress says nothing about the rest. */
const LEAST_FRACTION = 0.01;

/**
 * The estimated time left in seconds; null as long as nothing is known that it could be estimated from.
 *
 * The work left is what waits plus what is left of what is running:
 * - for what waits, the durations from history; without history, the average of those measured in this run, as soon as
 *   there are as many of them as agents;
 * - for a running workstream that reports progress, the rest that follows from its time so far; for another one, the
 *   expected (or average) duration less that time. One that has already taken longer adds nothing.
 *
 * It is divided by the number of agents that were busy on average since the start of the run, so that waiting for
 * dependencies, conflicts and the coordinator counts. It is never less than the rest of any one running workstream.
 */
export function timeLeft(board: Board, now: number): number | null {
  if (board.startedAt === null || board.interruptedBy !== null || board.ended) return null;
  const average = averageSeconds(board.activity, board.agents.size);
  const waiting = waitingSeconds(board.activity, average);
  if (waiting === null) return null;
  let work = waiting;
  let longest = 0;
  let done = board.activity.measuredSeconds;
  for (const task of board.agents.values()) {
    if (task === null) continue;
    const elapsed = Math.max(0, now - Date.parse(task.startedAt)) / 1000;
    const left = taskSeconds(task, elapsed, average);
    work += left;
    longest = Math.max(longest, left);
    done += elapsed;
  }
  const wall = (now - board.startedAt) / 1000;
  if (work === 0 || done === 0 || wall <= 0) return null;
  const agents = Math.min(board.agents.size, done / wall);
  const left = Math.max(
    work / agents,
    longest,
    ...[...board.parked.values()].map((until) => (until - now) / 1000),
  );
  // Not finite where the durations are nearly 0.
  return Number.isFinite(left) ? left : null;
}

function averageSeconds({ measured, measuredSeconds }: AgentActivity, agents: number): number | null {
  return measured === 0 || measured < agents ? null : measuredSeconds / measured;
}

function waitingSeconds(activity: AgentActivity, average: number | null): number | null {
  const { planned, started, dropped, expectedSeconds } = activity;
  const waiting = planned - started - dropped;
  if (waiting <= 0) return 0;
  if (expectedSeconds === null) return average === null ? null : waiting * average;
  return Math.max(0, expectedSeconds - activity.startedExpectedSeconds - activity.droppedExpectedSeconds);
}

function taskSeconds(task: RunningWorkstream, elapsed: number, average: number | null): number {
  const { fraction, expectedSeconds } = task;
  if (fraction !== null && fraction >= LEAST_FRACTION) return (elapsed * (1 - fraction)) / fraction;
  return Math.max(0, (expectedSeconds ?? average ?? 0) - elapsed);
}
