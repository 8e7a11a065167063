/** What is drawn of a timeline: lanes with bars, the critical path, the whole run below, and what the marks mean. */
import { useMemo } from 'preact/hooks';
import { agentParts, agentText, clock, oneLine } from './model/format.ts';
import {
  type AgentLane,
  type Bar,
  BIN,
  type Bins,
  barsIn,
  binsOf,
  gapsIn,
  isBad,
  loadIn,
  type TimeWindow,
  ticksOf,
} from './model/lanes.ts';
import type { Run, WorkMark } from './model/run.ts';
import { TONE_OF_MARK } from './parts.tsx';

/** Pixels beside, above and below the lanes. */
const GUTTER = { plain: 92, hosts: 190 };
const RIGHT = 16;
export const TOP = 26;
export const OVERVIEW = 40;

/** Of a chart that is narrower the names of hosts get no more room than those of agents. */
const ROOMY = 720;
/** Width of a character of a lane's name. */
const CHARACTER = 6.4;

/** Seconds as pixels. */
export interface Scale {
  window: TimeWindow;
  /** Where the lanes begin, behind the names of their agents. */
  left: number;
  width: number;
  x(seconds: number): number;
  /** Seconds at a distance from the left edge of the chart. */
  at(x: number): number;
}

export function scaleOf(window: TimeWindow, chartWidth: number, lanes: readonly AgentLane[]): Scale {
  const hasHosts = chartWidth >= ROOMY && lanes.some(({ agentId }) => agentParts(agentId).host !== null);
  const left = hasHosts ? GUTTER.hosts : GUTTER.plain;
  const width = Math.max(80, chartWidth - left - RIGHT);
  const [from, to] = window;
  return {
    window,
    left,
    width,
    x: (seconds) => left + ((seconds - from) / (to - from)) * width,
    at: (x) => from + ((x - left) / width) * (to - from),
  };
}

export function Axis({ window, scale, height }: { window: TimeWindow; scale: Scale; height: number }) {
  const { step, at } = ticksOf(window, scale.width);
  return (
    <g>
      {at.map((seconds) => (
        <g key={seconds}>
          <line class="grid" x1={scale.x(seconds)} x2={scale.x(seconds)} y1={TOP - 6} y2={height} />
          <text x={scale.x(seconds)} y={13} text-anchor={seconds === window[0] ? 'start' : 'middle'}>
            {clock(seconds, step)}
          </text>
        </g>
      ))}
    </g>
  );
}

/** Where the run is at the moment. */
export function Now({ run, scale, height }: { run: Run; scale: Scale; height: number }) {
  const now = run.secondsAt(run.live?.now ?? null);
  if (now === null || now < scale.window[0] || now > scale.window[1]) return null;
  return <line class="nowline" x1={scale.x(now)} x2={scale.x(now)} y1={TOP - 8} y2={height} />;
}

interface LaneProps {
  lane: AgentLane;
  run: Run;
  window: TimeWindow;
  scale: Scale;
  y: number;
  height: number;
  dense: boolean;
  chosen: Bar | null;
}

export function LaneView({ lane, run, window, scale, y, height, dense, chosen }: LaneProps) {
  const barHeight = height - 10;
  const bars = dense ? [] : barsIn(lane, window);
  const perPixel = (window[1] - window[0]) / scale.width;
  return (
    <g>
      <text class="lane" x={16} y={y + height / 2 + 1}>
        {agentText(lane.agentId, Math.floor((scale.left - 16) / CHARACTER))}
      </text>
      <rect class="lanebg" x={scale.left} y={y + 3} width={scale.width} height={barHeight} rx={2} />
      {dense && (
        <DenseLane run={run} lane={lane} window={window} scale={scale} y={y + 3} height={barHeight} />
      )}
      {!dense &&
        gapsIn(bars, perPixel * 3).map(([from, to]) => (
          <Hatched
            key={from}
            x={scale.x(from)}
            width={scale.x(to) - scale.x(from)}
            y={y + 3}
            height={barHeight}
            from={scale.left}
          />
        ))}
      {bars.map((bar) => (
        <BarView
          key={`${bar.attempt} ${bar.workstream.id}`}
          bar={bar}
          scale={scale}
          y={y + 3}
          height={barHeight}
          isCritical={!bar.isEarlier && run.critical.includes(bar.workstream.id)}
          isChosen={bar === chosen}
        />
      ))}
    </g>
  );
}

/** Slanted lines in place of a pattern, which would need an id and a url. */
function Hatched({
  x,
  width,
  y,
  height,
  from,
}: {
  x: number;
  width: number;
  y: number;
  height: number;
  /** Where the lanes begin. */
  from: number;
}) {
  const left = Math.max(x, from);
  const right = Math.min(x + width, from + 4000);
  let path = '';
  for (let at = left + 4; at < right && path.length < 4000; at += 7) {
    const end = Math.min(at + height / 2, right);
    path += `M${at.toFixed(1)} ${y + height}L${end.toFixed(1)} ${(y + height - (end - at) * 2).toFixed(1)}`;
  }
  return <path class="hatch" d={path} />;
}

interface BarProps {
  bar: Bar;
  scale: Scale;
  y: number;
  height: number;
  isCritical: boolean;
  isChosen: boolean;
}

/** Of a bar that is wider its name is in it; about a character each 6 pixels. */
const NAMED_FROM = 38;

function BarView({ bar, scale, y, height, isCritical, isChosen }: BarProps) {
  const left = Math.max(scale.left, scale.x(bar.from));
  const right = Math.min(scale.left + scale.width, scale.x(bar.to));
  const width = Math.max(1.5, right - left);
  const tone = bar.isEarlier ? 'attempt' : TONE_OF_MARK[bar.mark];
  const middle = y + height / 2;
  const isMarked = bar.isEarlier || isBad(bar.mark);
  const name =
    width < NAMED_FROM ? '' : oneLine(bar.workstream.title, Math.floor((width - (isMarked ? 22 : 10)) / 6));
  return (
    <g class={isMarked ? 'bar-g bad' : 'bar-g'}>
      <rect
        class={`t-${tone}`}
        x={left}
        y={y + 0.5}
        width={width}
        height={height - 1}
        rx={Math.min(3, width / 3)}
      />
      {isMarked && width > 12 && (
        <path class={bar.isEarlier ? 'xf' : 'xw'} d={`M${left + 5} ${middle - 3}l6 6m0-6l-6 6`} />
      )}
      {name.length > 2 && (
        <text class={`on-${tone}`} x={left + (isMarked ? 16 : 6)} y={middle + 3.5}>
          {name}
        </text>
      )}
      {isCritical && (
        <line class="cp" x1={left} x2={left + width} y1={y + height + 2.5} y2={y + height + 2.5} />
      )}
      {isChosen && (
        <rect class="chosen" x={left - 2} y={y - 1} width={width + 4} height={height + 2} rx={4} />
      )}
    </g>
  );
}

/** The waits between members of the critical path, from the end of one to the start of the next. */
export function CriticalWaits({
  run,
  lanes,
  scale,
  laneHeight,
}: {
  run: Run;
  lanes: readonly AgentLane[];
  scale: Scale;
  laneHeight: number;
}) {
  const places = new Map<string, { bar: Bar; y: number }>();
  for (const [index, lane] of lanes.entries())
    for (const bar of lane.bars)
      if (!bar.isEarlier)
        places.set(bar.workstream.id, { bar, y: TOP + index * laneHeight + laneHeight - 4.5 });
  const members = run.critical.flatMap((id) => places.get(id) ?? []);
  const inside = (seconds: number): number =>
    Math.max(scale.left, Math.min(scale.left + scale.width, scale.x(seconds)));
  return (
    <g>
      {members.slice(1).map((next, index) => {
        const before = members[index];
        if (before === undefined || next.bar.from < scale.window[0] || before.bar.to > scale.window[1])
          return null;
        const from = inside(before.bar.to);
        const to = inside(next.bar.from);
        return <path key={next.bar.workstream.id} class="cpw" d={`M${from} ${before.y}V${next.y}H${to}`} />;
      })}
    </g>
  );
}

function DenseLane({
  run,
  lane,
  window,
  scale,
  y,
  height,
}: {
  run: Run;
  lane: AgentLane;
  window: TimeWindow;
  scale: Scale;
  y: number;
  height: number;
}) {
  const bins = Math.max(1, Math.floor(scale.width / BIN));
  const { busy, failed } = shownBins(run, lane, window, bins);
  const wide = scale.width / bins;
  let area = `M${scale.left} ${y + height}`;
  let marks = '';
  for (let bin = 0; bin < bins; bin++) {
    const top = y + height - (busy[bin] ?? 0) * height;
    const left = scale.left + bin * wide;
    area += `V${top.toFixed(1)}H${(left + wide).toFixed(1)}`;
    if (failed[bin] === 1)
      marks += `M${left.toFixed(1)} ${y}h${Math.max(3, wide).toFixed(1)}v${height}h-${Math.max(3, wide).toFixed(1)}z`;
  }
  return (
    <>
      <path class="t-done" d={`${area}V${y + height}Z`} />
      <path class="t-fail" d={marks} />
    </>
  );
}

/** Busy shares of all workstreams, and failures among those on the page. */
function shownBins(run: Run, lane: AgentLane, window: TimeWindow, bins: number): Bins {
  const own = binsOf(lane, window, bins);
  const load = run.document.aggregates?.load ?? null;
  if (load === null) return own;
  return { ...own, busy: loadIn(load, run.secondsAt(load.from) ?? 0, lane.agentId, window, bins) };
}

/** The whole run with a tick for each failure, and the window when it is a part. */
export function Overview({
  run,
  lanes,
  window,
  width,
  y,
}: {
  run: Run;
  lanes: readonly AgentLane[];
  window: TimeWindow;
  width: number;
  y: number;
}) {
  const scale = scaleOf([0, run.seconds], width, lanes);
  const bins = Math.max(1, Math.floor(scale.width / 6));
  const { area, ticks } = useMemo(() => overviewPaths(run, lanes, scale, bins, y), [lanes, width, y]);
  const left = scale.x(window[0]);
  const isPart = window[0] > 0 || window[1] < run.seconds;
  return (
    <g>
      <text x={16} y={y + 12}>
        whole run
      </text>
      <path class="whole" d={area} />
      <path class="t-fail" d={ticks} />
      {isPart && (
        <rect
          class="mini"
          x={left}
          y={y - 2}
          width={Math.max(3, scale.x(window[1]) - left)}
          height={22}
          rx={2}
        />
      )}
    </g>
  );
}

function overviewPaths(run: Run, lanes: readonly AgentLane[], scale: Scale, bins: number, y: number) {
  const height = 14;
  const all = lanes.map((lane) => shownBins(run, lane, [0, run.seconds], bins));
  const wide = scale.width / bins;
  let area = `M${scale.left} ${y + height}`;
  for (let bin = 0; bin < bins; bin++) {
    const busy = all.reduce((sum, each) => sum + (each.busy[bin] ?? 0), 0) / Math.max(1, lanes.length);
    const left = scale.left + bin * wide;
    area += `V${(y + height - busy * height).toFixed(1)}H${(left + wide).toFixed(1)}`;
  }
  const ends = new Set(
    lanes.flatMap(({ bars }) =>
      bars
        .filter(({ mark, isEarlier }) => isBad(mark) && !isEarlier)
        .map(({ to }) => Math.round(scale.x(to))),
    ),
  );
  const ticks = [...ends].map((at) => `M${at - 2} ${y + height + 2}h2v4h-2z`).join('');
  return { area: `${area}V${y + height}Z`, ticks };
}

/** Marks of the attempts that count, and whether there are others. */
function marksIn(lanes: readonly AgentLane[]): { marks: ReadonlySet<WorkMark>; hasEarlier: boolean } {
  const marks = new Set<WorkMark>();
  let hasEarlier = false;
  for (const { bars } of lanes)
    for (const { mark, isEarlier } of bars) {
      if (isEarlier) hasEarlier = true;
      else marks.add(mark);
    }
  return { marks, hasEarlier };
}

export function ChartLegend({ run, lanes }: { run: Run; lanes: readonly AgentLane[] }) {
  const { marks, hasEarlier } = useMemo(() => marksIn(lanes), [lanes]);
  const box = (name: string) => <rect class={name} x={1} y={1} width={20} height={10} rx={2} />;
  const entries: [string, boolean, preact.ComponentChildren][] = [
    ['running; the line is now', run.live !== null, box('t-run')],
    ['completed', marks.has('completed') || marks.has('retried'), box('t-done')],
    [
      'failed',
      marks.has('failed'),
      <>
        {box('t-fail')}
        <path class="xw" d="M8 3l6 6m0-6l-6 6" />
      </>,
    ],
    ['false success, conflict', marks.has('odd') || marks.has('conflict'), box('t-odd')],
    [
      'attempt that failed',
      hasEarlier,
      <>
        {box('t-attempt')}
        <path class="xf" d="M8 3l6 6m0-6l-6 6" />
      </>,
    ],
    ['nothing to do', true, <path class="hatch" d="M2 11l5-10M8 11l5-10M14 11l5-10" />],
    ['critical path', run.critical.length > 1, <line class="cp" x1={1} x2={21} y1={6} y2={6} />],
  ];
  return (
    <div class="tl-foot tl">
      {entries.flatMap(([name, isThere, drawing]) =>
        isThere
          ? [
              <span key={name}>
                <svg viewBox="0 0 22 12" aria-hidden="true">
                  {drawing}
                </svg>
                {name}
              </span>,
            ]
          : [],
      )}
    </div>
  );
}
