/** The timeline's geometry: what each agent did when, in a window of time. In seconds and pixels, without drawing. */

import { type PageLoad, type PageWorkstream, PLAIN_WORKSTREAM } from '../../domain/page-document.ts';
import { byNumber } from './rows.ts';
import { markOf, type Run, type WorkMark } from './run.ts';

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

export interface AgentLane {
  agentId: string;
  /** In the order of their starts. */
  bars: readonly Bar[];
  /** Seconds in which it worked. */
  busy: number;
}

/** A stretch of time in seconds since the start of the run. */
export type TimeWindow = readonly [from: number, to: number];

/** A lane for each agent, in the order of their names. */
export function lanesOf(run: Run): AgentLane[] {
  const byAgent = new Map<string, Bar[]>(run.head.agents.map(({ agentId }) => [agentId, []]));
  const add = (agentId: string, bar: Bar): void => {
    const bars = byAgent.get(agentId);
    if (bars === undefined) byAgent.set(agentId, [bar]);
    else bars.push(bar);
  };
  for (const workstream of run.workstreams)
    for (const [agentId, bar] of barsOf(run, workstream)) add(agentId, bar);
  for (const [agentId, bar] of runningBars(run)) add(agentId, bar);
  return [...byAgent]
    .toSorted(([a], [b]) => byNumber(a, b))
    .map(([agentId, bars]) => ({
      agentId,
      bars: bars.toSorted((a, b) => a.from - b.from),
      busy: bars.reduce((sum, { from, to }) => sum + to - from, 0),
    }));
}

type AgentBar = readonly [agentId: string, bar: Bar];

/** Kept by the row, which is the same object from one drawing of a run under way to the next. */
const known = new WeakMap<PageWorkstream, { startedAt: number; bars: readonly AgentBar[] }>();

function barsOf(run: Run, workstream: PageWorkstream): readonly AgentBar[] {
  const before = known.get(workstream);
  if (before?.startedAt === run.startedAt) return before.bars;
  const bars = newBars(run, workstream);
  known.set(workstream, { startedAt: run.startedAt, bars });
  return bars;
}

function newBars(run: Run, workstream: PageWorkstream): AgentBar[] {
  const { earlierAttempts, agentId, attemptCount } = workstream;
  return run.startsOf(workstream).flatMap((from, index): AgentBar[] => {
    if (from === null) return [];
    const earlier = earlierAttempts[index];
    const to = from + Math.max(0, (earlier ?? workstream).seconds ?? 0);
    const attempt = earlier?.attempt ?? attemptCount;
    const mark = earlier === undefined ? markOf(workstream) : 'failed';
    const isEarlier = earlier !== undefined;
    return [[earlier?.agentId ?? agentId, { workstream, attempt, isEarlier, mark, from, to }]];
  });
}

/** Of what is executed at the moment: until now. */
function runningBars(run: Run): AgentBar[] {
  const { live } = run;
  const now = run.secondsAt(live?.now ?? null);
  if (live === null || now === null) return [];
  return live.running.map(({ workstreamId: id, title, agentId, attempt, since }): AgentBar => {
    const from = Math.min(now, run.secondsAt(since) ?? now);
    const workstream = { ...PLAIN_WORKSTREAM, id, title, agentId, start: since, attemptCount: attempt };
    return [agentId, { workstream, attempt, isEarlier: false, mark: 'running', from, to: now }];
  });
}

/** Index of the first bar that ends after a time: by halving, since the bars of an agent do not overlap. */
function firstAfter(bars: readonly Bar[], time: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bars[middle]?.to ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The bars of a lane that are in the window, in their order. */
export function barsIn({ bars }: AgentLane, [from, to]: TimeWindow): Bar[] {
  const found: Bar[] = [];
  for (let index = firstAfter(bars, from); index < bars.length; index++) {
    const bar = bars[index];
    if (bar === undefined || bar.from > to) break;
    found.push(bar);
  }
  return found;
}

/** How many bars of a lane are in the window. */
export function countIn({ bars }: AgentLane, [from, to]: TimeWindow): number {
  const first = firstAfter(bars, from);
  let index = first;
  while (index < bars.length && (bars[index]?.from ?? 0) <= to) index += 1;
  return index - first;
}

/** Of more bars than this for each pixel single ones are no longer seen. */
const DENSEST = 0.25;

/** Whether a window has too many bars to draw each of them. */
export function isDense(lanes: readonly AgentLane[], window: TimeWindow, width: number): boolean {
  const most = Math.max(120, width * DENSEST);
  return lanes.some((lane) => countIn(lane, window) > most);
}

/** Width of a bin in pixels. */
export const BIN = 3;

/** The share of each bin of the window in which the agent worked, from 0 to 1, and in which something failed. */
export interface Bins {
  busy: Float64Array;
  failed: Uint8Array;
}

export function binsOf(lane: AgentLane, window: TimeWindow, bins: number): Bins {
  const [from, to] = window;
  const length = (to - from) / bins;
  const busy = new Float64Array(bins);
  const failed = new Uint8Array(bins);
  for (const bar of barsIn(lane, window)) {
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

/** Whether a person has to look at it. */
export const isBad = (mark: WorkMark): boolean =>
  mark === 'failed' || mark === 'odd' || mark === 'conflict' || mark === 'wait';

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

/** The next bar of the lane, or the one of another lane at about the same time. */
export function neighbour(
  lanes: readonly AgentLane[],
  bar: Bar | null,
  [time, lane]: readonly [number, number],
): Bar | null {
  const filled = lanes.filter(({ bars }) => bars.length > 0);
  if (bar === null) return filled[0]?.bars[0] ?? null;
  const at = filled.findIndex(({ bars }) => bars.includes(bar));
  if (time !== 0) {
    const bars = filled[at]?.bars ?? [];
    return bars[bars.indexOf(bar) + time] ?? bar;
  }
  const other = filled[at + lane]?.bars ?? [];
  return other.find(({ to }) => to >= bar.from) ?? other.at(-1) ?? bar;
}
