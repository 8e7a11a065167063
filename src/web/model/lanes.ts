/** The timeline's geometry: what each agent did when, in a window of time. In seconds and pixels, without drawing. */

import { type PageLoad, type PageWorkstream } from '../../domain/page-document.ts';
import { byNumber } from './rows.ts';
import { isBad, markOf, type Run, timesOf, type WorkMark } from './run.ts';

/** One execution: the attempt that counts, an earlier one, or one that is under way. */
export interface Bar {
  workstream: PageWorkstream;
  /** Counted from 1. */
  attempt: number;
  isEarlier: boolean;
  mark: WorkMark;
  /** Seconds since the start of the run. */
  from: number;
  to: number;
}

/** Another object whenever something of it has changed, but for the end of what is running. */
export interface AgentLane {
  agentId: string;
  /** What has ended, in the order of their starts. */
  bars: readonly Bar[];
  /** What is executed at the moment. */
  running: readonly Bar[];
}

/** A stretch of time in seconds since the start of the run. */
export type TimeWindow = readonly [from: number, to: number];

/** What a timeline shows. */
export interface TimelineData {
  /** In the order of the names of their agents. */
  lanes: readonly AgentLane[];
  /** Seconds from the start of the run to its last end, or to now. */
  seconds: number;
  /** Seconds that the whole chart is long. */
  span: number;
  /** Seconds from the start of the run to now; null of one that is not under way. */
  now: number | null;
  /** How the attempts that count ended. */
  marks: ReadonlySet<WorkMark>;
  hasEarlier: boolean;
  critical: readonly string[];
  /** How busy agents were, where the page does not have each workstream. */
  load: LoadFrom | null;
}

/** A load, and in seconds from the start of the run where its first bin begins. */
interface LoadFrom {
  load: PageLoad;
  offset: number;
}

export function timelineOf(run: Run): TimelineData {
  const lanes = new LaneSet(run.startedAt);
  for (const { agentId } of run.head.agents) lanes.know(agentId);
  for (const workstream of run.workstreams) lanes.add(workstream);
  const { seconds, critical } = run;
  const load = loadFrom(run.document.aggregates?.load ?? null, (time) => run.secondsAt(time));
  const { marks, hasEarlier } = lanes;
  return { lanes: lanes.all, seconds, span: seconds, now: null, marks, hasEarlier, critical, load };
}

export const loadFrom = (
  load: PageLoad | null,
  secondsAt: (iso: string) => number | null,
): LoadFrom | null => (load === null ? null : { load, offset: secondsAt(load.from) ?? 0 });

/** Beginnings of a decade of lengths, each a quarter longer than the one before or a little more. */
const SPANS = [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8, 10];

/**
 * How long the chart of a run is that has been under way for so many seconds: with room for what comes, so that what is
 * drawn stays where it is until that room is filled.
 */
export function roomySpan(seconds: number): number {
  const decade = 10 ** Math.floor(Math.log10(Math.max(1, seconds)));
  return decade * (SPANS.find((span) => span * decade >= seconds) ?? 10);
}

interface OpenLane {
  bars: Bar[];
  running: readonly Bar[];
  /** What others see of it; null when it has changed since. */
  lane: AgentLane | null;
  isSorted: boolean;
}

/** A lane for each agent. A workstream that is added changes the lanes of its agents, and no other. */
export class LaneSet {
  readonly #startedAt: number;
  readonly #lanes = new Map<string, OpenLane>();
  readonly #marks = new Map<WorkMark, number>();
  #earlier = 0;
  #all: readonly AgentLane[] | null = null;
  #order: readonly string[] = [];

  /** @param startedAt of the run, in milliseconds since 1970. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** An agent has a lane also while it has done nothing. */
  know(agentId: string): void {
    this.#laneOf(agentId);
  }

  add(workstream: PageWorkstream): void {
    for (const [agentId, bar] of barsOf(workstream, this.#startedAt)) {
      const lane = this.#change(this.#laneOf(agentId));
      lane.isSorted &&= (lane.bars.at(-1)?.from ?? -Infinity) <= bar.from;
      lane.bars.push(bar);
      this.#count(bar, 1);
    }
  }

  remove(workstream: PageWorkstream): void {
    for (const [agentId] of barsOf(workstream, this.#startedAt)) {
      const lane = this.#change(this.#laneOf(agentId));
      for (const bar of lane.bars) if (bar.workstream === workstream) this.#count(bar, -1);
      lane.bars = lane.bars.filter((bar) => bar.workstream !== workstream);
    }
  }

  /** @param running by agent: the same object for as long as the same is running. */
  run(running: ReadonlyMap<string, readonly Bar[]>): void {
    for (const agentId of running.keys()) this.know(agentId);
    for (const [agentId, lane] of this.#lanes) {
      const bars = running.get(agentId) ?? NOTHING;
      if (isSameList(lane.running, bars)) continue;
      this.#change(lane).running = bars;
    }
  }

  /** In the order of the names of their agents. */
  get all(): readonly AgentLane[] {
    if (this.#order.length !== this.#lanes.size) this.#order = [...this.#lanes.keys()].toSorted(byNumber);
    return (this.#all ??= this.#order.map((agentId) => this.#seen(agentId, this.#laneOf(agentId))));
  }

  get marks(): ReadonlySet<WorkMark> {
    return new Set([...this.#marks].flatMap(([mark, times]) => (times > 0 ? [mark] : [])));
  }

  get hasEarlier(): boolean {
    return this.#earlier > 0;
  }

  #laneOf(agentId: string): OpenLane {
    const known = this.#lanes.get(agentId);
    if (known !== undefined) return known;
    const lane: OpenLane = { bars: [], running: NOTHING, lane: null, isSorted: true };
    this.#lanes.set(agentId, lane);
    this.#all = null;
    return lane;
  }

  #change(lane: OpenLane): OpenLane {
    lane.lane = this.#all = null;
    return lane;
  }

  #seen(agentId: string, lane: OpenLane): AgentLane {
    if (!lane.isSorted) lane.bars.sort((a, b) => a.from - b.from);
    lane.isSorted = true;
    return (lane.lane ??= { agentId, bars: lane.bars, running: lane.running });
  }

  #count({ mark, isEarlier }: Bar, by: 1 | -1): void {
    if (isEarlier) this.#earlier += by;
    else this.#marks.set(mark, (this.#marks.get(mark) ?? 0) + by);
  }
}

const NOTHING: readonly Bar[] = [];

const isSameList = (a: readonly Bar[], b: readonly Bar[]): boolean =>
  a.length === b.length && a.every((bar, index) => bar === b[index]);

function barsOf(workstream: PageWorkstream, startedAt: number): (readonly [agentId: string, bar: Bar])[] {
  const { earlierAttempts, agentId, attemptCount } = workstream;
  return timesOf(workstream).starts.flatMap((start, index): [string, Bar][] => {
    if (start === null) return [];
    const from = (start - startedAt) / 1000;
    const earlier = earlierAttempts[index];
    const to = from + Math.max(0, (earlier ?? workstream).seconds ?? 0);
    const attempt = earlier?.attempt ?? attemptCount;
    const mark = earlier === undefined ? markOf(workstream) : 'failed';
    const isEarlier = earlier !== undefined;
    return [[earlier?.agentId ?? agentId, { workstream, attempt, isEarlier, mark, from, to }]];
  });
}

/** Index of the first bar for which something is so that is so for all after it: by halving. */
function firstWhere(bars: readonly Bar[], isSo: (bar: Bar) => boolean): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const bar = bars[middle];
    if (bar === undefined || isSo(bar)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Which bars of a lane that have ended are in the window: the bars of an agent do not overlap. */
const endedIn = ({ bars }: AgentLane, [from, to]: TimeWindow): [first: number, end: number] => [
  firstWhere(bars, (bar) => bar.to >= from),
  firstWhere(bars, (bar) => bar.from > to),
];

/** The bars of a lane that are in the window, in their order; last what is running. */
export function barsIn(lane: AgentLane, window: TimeWindow): Bar[] {
  const running = lane.running.filter(({ from, to }) => to >= window[0] && from <= window[1]);
  return [...lane.bars.slice(...endedIn(lane, window)), ...running];
}

/** How many bars of a lane are in the window that have ended. */
export function countIn(lane: AgentLane, window: TimeWindow): number {
  const [first, end] = endedIn(lane, window);
  return Math.max(0, end - first);
}

/** Of more bars than this for each pixel single ones are no longer seen. */
const DENSEST = 0.25;

/** Most bars in all lanes that are drawn one by one. */
const MOST_BARS = 5000;

/** Whether a window has too many bars to draw each of them. */
export function isDense(lanes: readonly AgentLane[], window: TimeWindow, width: number): boolean {
  const most = Math.max(120, width * DENSEST);
  const counts = lanes.map((lane) => countIn(lane, window));
  return counts.some((count) => count > most) || counts.reduce((sum, count) => sum + count, 0) > MOST_BARS;
}

/** Width of a bin in pixels. */
export const BIN = 3;

/** The share of each bin of the window in which the agent worked, from 0 to 1, and in which something failed. */
export interface Bins {
  busy: Float64Array;
  failed: Uint8Array;
}

/** Of what has ended. */
export function binsOf(lane: AgentLane, window: TimeWindow, bins: number): Bins {
  const [from, to] = window;
  const length = (to - from) / bins;
  const busy = new Float64Array(bins);
  const failed = new Uint8Array(bins);
  const [begin, end] = endedIn(lane, window);
  for (let index = begin; index < end; index++) {
    const bar = lane.bars[index];
    if (bar === undefined) break;
    const first = clampBin((bar.from - from) / length, bins);
    const last = clampBin((bar.to - from) / length, bins);
    for (let bin = first; bin <= last; bin++) {
      const start = from + bin * length;
      const within = Math.min(bar.to, start + length) - Math.max(bar.from, start);
      busy[bin] = Math.min(1, (busy[bin] ?? 0) + Math.max(0, within) / length);
      if (isBad(bar.mark)) failed[bin] = 1;
    }
  }
  return { busy, failed };
}

/** The bins of a lane: how busy it was with all workstreams of the run, and failures among those on the page. */
export function binsShown(
  { load }: Pick<TimelineData, 'load'>,
  lane: AgentLane,
  window: TimeWindow,
  bins: number,
): Bins {
  const own = binsOf(lane, window, bins);
  return load === null ? own : { ...own, busy: loadIn(load.load, load.offset, lane.agentId, window, bins) };
}

/**
 * The busy shares of an agent in the bins of a window, from those that the document has of all workstreams where the page
 * does not have each of them.
 * @param offset seconds from the start of the run to the first bin of the load.
 */
export function loadIn(
  load: PageLoad,
  offset: number,
  agentId: string,
  window: TimeWindow,
  bins: number,
): Float64Array {
  const busy = load.agents.find((each) => each.agentId === agentId)?.busy ?? [];
  const [from, to] = window;
  return Float64Array.from({ length: bins }, (_, bin) => {
    const time = from + ((bin + 0.5) / bins) * (to - from) - offset;
    return busy[Math.floor(time / load.seconds)] ?? 0;
  });
}

const clampBin = (at: number, bins: number): number => Math.max(0, Math.min(bins - 1, Math.floor(at)));

/** Time between two bars of an agent in which it did nothing. */
export function gapsIn(bars: readonly Bar[], least: number): TimeWindow[] {
  return bars.flatMap((bar, index): TimeWindow[] => {
    const next = bars[index + 1];
    return next !== undefined && next.from - bar.to >= least ? [[bar.to, next.from]] : [];
  });
}

/** Marks on the axis of time: 4 to 9 of them, at round seconds, minutes or hours. */
export function ticksOf([from, to]: TimeWindow, width: number): { step: number; at: number[] } {
  const wanted = Math.max(2, Math.min(9, Math.floor(width / 90)));
  const rough = (to - from) / wanted;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
  const decimal = 10 ** Math.floor(Math.log10(rough));
  const fine = [1, 2, 5, 10].map((factor) => factor * decimal).find((step) => step >= rough);
  const coarse = steps.find((step) => step >= rough) ?? 86_400 * Math.ceil(rough / 86_400);
  const step = rough < 1 ? (fine ?? coarse) : coarse;
  const at: number[] = [];
  for (let index = Math.ceil(from / step); index * step <= to; index++) at.push(index * step);
  return { step, at };
}

/** The window after zooming by a factor around a time, within the run and not below a millisecond. */
export function zoomed(
  [from, to]: TimeWindow,
  factor: number,
  around: number,
  whole: number,
): TimeWindow | null {
  const length = Math.max(Math.min(0.001, whole), (to - from) * factor);
  if (length >= whole) return null;
  const share = (around - from) / (to - from);
  return shifted([around - share * length, around + (1 - share) * length], 0, whole);
}

/** The window moved by seconds, within the run. */
export function shifted([from, to]: TimeWindow, by: number, whole: number): TimeWindow {
  const length = Math.min(whole, to - from);
  const start = Math.max(0, Math.min(whole - length, from + by));
  return [start, start + length];
}

/** Which lane a bar is in; -1 for none. */
export const laneIndex = (lanes: readonly AgentLane[], bar: Bar): number =>
  lanes.findIndex(({ bars, running }) => bars.includes(bar) || running.includes(bar));

/** The next bar of the lane, or the one of another lane at about the same time. */
export function neighbour(
  lanes: readonly AgentLane[],
  bar: Bar | null,
  [time, lane]: readonly [number, number],
): Bar | null {
  const filled = lanes.map(({ bars, running }) => [...bars, ...running]).filter((bars) => bars.length > 0);
  if (bar === null) return filled[0]?.[0] ?? null;
  const at = filled.findIndex((bars) => bars.includes(bar));
  if (time !== 0) {
    const bars = filled[at] ?? [];
    return bars[bars.indexOf(bar) + time] ?? bar;
  }
  const other = filled[at + lane] ?? [];
  return other.find(({ to }) => to >= bar.from) ?? other.at(-1) ?? bar;
}
