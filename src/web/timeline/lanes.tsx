/** What is drawn of a timeline: lanes with bars, the critical path, the whole run below, and what the marks mean. */
import { useMemo, useRef } from 'preact/hooks';
import { drawnFor } from '../drawing.tsx';
import { agentParts, agentText, clock, oneLine } from '../model/format.ts';
import {
  type AgentLane,
  type Bar,
  BIN,
  barsIn,
  binsShown,
  gapsIn,
  laneIndex,
  type TimelineData,
  type TimeWindow,
  ticksOf,
} from '../model/lanes.ts';
import { isBad } from '../model/run.ts';
import { TONE_OF_MARK } from '../parts.tsx';

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
export function Now({ data: { now }, scale, height }: { data: TimelineData; scale: Scale; height: number }) {
  if (now === null || now < scale.window[0] || now > scale.window[1]) return null;
  return <line class="nowline" x1={scale.x(now)} x2={scale.x(now)} y1={TOP - 8} y2={height} />;
}

interface LaneProps {
  lane: AgentLane;
  data: Pick<TimelineData, 'load' | 'critical'>;
  scale: Scale;
  y: number;
  height: number;
  isDense: boolean;
  isNamed: boolean;
}

/** A bar is so much lower than its lane, and begins so much below its top. */
const LESS = 10;
const ABOVE = 3;

function Lane({ lane, data, scale, y, height, isDense, isNamed }: LaneProps) {
  const place = { y: y + ABOVE, height: height - LESS };
  return (
    <g>
      <text class="lane" x={16} y={y + height / 2 + 1}>
        {agentText(lane.agentId, Math.floor((scale.left - 16) / CHARACTER))}
      </text>
      <rect class="lanebg" x={scale.left} width={scale.width} rx={2} {...place} />
      {isDense ? (
        <DenseLane data={data} lane={lane} scale={scale} {...place} />
      ) : (
        <Bars lane={lane} critical={data.critical} scale={scale} isNamed={isNamed} {...place} />
      )}
    </g>
  );
}

/** Drawn again when something of the lane has changed, or where it is drawn. */
export const LaneView = drawnFor(Lane, ({ lane, data, scale, y, height, isDense, isNamed }: LaneProps) => [
  lane,
  data.load,
  data.critical.length,
  ...scale.window,
  scale.left,
  scale.width,
  y,
  height,
  isDense,
  isNamed,
]);

/** Where a bar is drawn. */
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

function boxOf({ from, to }: Bar, scale: Scale, { y, height }: Pick<Box, 'y' | 'height'>): Box {
  const left = Math.max(scale.left, scale.x(from));
  const right = Math.min(scale.left + scale.width, scale.x(to));
  return { x: left, y: y + 0.5, width: Math.max(1.5, right - left), height: height - 1 };
}

interface BarsProps extends Pick<Box, 'y' | 'height'> {
  lane: AgentLane;
  critical: readonly string[];
  scale: Scale;
  isNamed: boolean;
}

/** Bars of one tone are one path: of several thousands each would be an element otherwise. */
function Bars({ lane, critical, scale, isNamed, y, height }: BarsProps) {
  const bars = barsIn(lane, scale.window);
  const paths = new PathsByClass();
  for (const [from, to] of gapsIn(bars, (scale.window[1] - scale.window[0]) / (scale.width / 3)))
    paths.add('hatch', hatched(Math.max(scale.left, scale.x(from)), scale.x(to), y, height));
  const ended = bars.filter(({ mark }) => mark !== 'running');
  for (const bar of ended) {
    const box = boxOf(bar, scale, { y, height });
    paths.add(`t-${toneOf(bar)}`, rounded(box));
    if (isMarked(bar) && box.width > 12)
      paths.add(bar.isEarlier ? 'xf' : 'xw', `M${at(box.x + 5)} ${y + height / 2 - 3}l6 6m0-6l-6 6`);
    if (!bar.isEarlier && critical.includes(bar.workstream.id))
      paths.add('cp', `M${at(box.x)} ${y + height + 2.5}h${at(box.width)}`);
  }
  return (
    <>
      {paths.all.map(([name, path]) => (
        <path key={name} class={name} d={path} />
      ))}
      {isNamed &&
        ended.map((bar) => <NameOfBar key={keyOf(bar)} bar={bar} scale={scale} y={y} height={height} />)}
    </>
  );
}

const keyOf = ({ attempt, workstream }: Bar): string => `${attempt} ${workstream.id}`;

const toneOf = ({ isEarlier, mark }: Bar): string => (isEarlier ? 'attempt' : TONE_OF_MARK[mark]);

const isMarked = ({ isEarlier, mark }: Bar): boolean => isEarlier || isBad(mark);

/** What is drawn over others comes later: gaps, bars, crosses and lines. */
const ORDER = ['hatch', 't-done', 't-skip', 't-warn', 't-attempt', 't-odd', 't-fail', 'xf', 'xw', 'cp'];

/** Paths that are added to each other, by the class that draws them. */
class PathsByClass {
  readonly #paths = new Map<string, string>();

  add(name: string, path: string): void {
    this.#paths.set(name, (this.#paths.get(name) ?? '') + path);
  }

  get all(): [name: string, path: string][] {
    return [...this.#paths].toSorted(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
  }
}

/** A number of pixels as text: tenths are exact enough. */
const at = (pixels: number): number => Math.round(pixels * 10) / 10;

function rounded({ x, y, width, height }: Box): string {
  if (width < 6) return `M${at(x)} ${y}h${at(width)}v${height}h${at(-width)}z`;
  const [wide, high] = [at(width - 6), height - 6];
  return `M${at(x + 3)} ${y}h${wide}a3 3 0 0 1 3 3v${high}a3 3 0 0 1-3 3h${-wide}a3 3 0 0 1-3-3v${-high}a3 3 0 0 1 3-3z`;
}

/** Slanted lines in place of a pattern, which would need an id and a url. */
function hatched(left: number, to: number, y: number, height: number): string {
  const right = Math.min(to, left + 4000);
  let path = '';
  for (let from = left + 4; from < right && path.length < 4000; from += 7) {
    const end = Math.min(from + height / 2, right);
    path += `M${at(from)} ${y + height}L${at(end)} ${at(y + height - (end - from) * 2)}`;
  }
  return path;
}

/** Of a bar that is wider its name is in it; about a character each 6 pixels. */
const NAMED_FROM = 38;

interface BarProps extends Pick<Box, 'y' | 'height'> {
  bar: Bar;
  scale: Scale;
}

function NameOfBar({ bar, scale, y, height }: BarProps) {
  const { x, width } = boxOf(bar, scale, { y, height });
  const indent = isMarked(bar) ? 16 : 6;
  const name = width < NAMED_FROM ? '' : oneLine(bar.workstream.title, Math.floor((width - indent - 5) / 6));
  if (name.length < 3) return null;
  return (
    <text class={`on-${toneOf(bar)}`} x={x + indent} y={y + height / 2 + 3.5}>
      {name}
    </text>
  );
}

/** What is executed at the moment, in all lanes: its bars grow while nothing else changes. */
export function Running({
  lanes,
  scale,
  laneHeight,
  isNamed,
}: {
  lanes: readonly AgentLane[];
  scale: Scale;
  laneHeight: number;
  isNamed: boolean;
}) {
  return (
    <g>
      {lanes.map(({ agentId, running }, index) => {
        const place = { y: TOP + index * laneHeight + ABOVE, height: laneHeight - LESS };
        return running
          .filter(({ from, to }) => to >= scale.window[0] && from <= scale.window[1])
          .map((bar) => (
            <g key={`${agentId} ${keyOf(bar)}`}>
              <rect class="t-run" rx={2} {...boxOf(bar, scale, place)} />
              {isNamed && <NameOfBar bar={bar} scale={scale} {...place} />}
            </g>
          ));
      })}
    </g>
  );
}

/** A line around a bar, which the pointer is on or which was chosen by keys. */
export function Outline({
  bar,
  is,
  lanes,
  scale,
  laneHeight,
}: {
  bar: Bar | null;
  is: 'pointed' | 'chosen';
  lanes: readonly AgentLane[];
  scale: Scale;
  laneHeight: number;
}) {
  const lane = bar === null ? -1 : laneIndex(lanes, bar);
  if (bar === null || lane === -1) return null;
  const { x, y, width, height } = boxOf(bar, scale, {
    y: TOP + lane * laneHeight + ABOVE,
    height: laneHeight - LESS,
  });
  return <rect class={is} x={x - 2} y={y - 1.5} width={width + 4} height={height + 3} rx={4} />;
}

/** The waits between members of the critical path, from the end of one to the start of the next. */
export function CriticalWaits({
  data: { lanes, critical },
  scale,
  laneHeight,
}: {
  data: TimelineData;
  scale: Scale;
  laneHeight: number;
}) {
  const places = useMemo(() => placesOf(lanes, critical, laneHeight), [lanes, critical, laneHeight]);
  const members = critical.flatMap((id) => places.get(id) ?? []);
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

/** Where the attempts that count of these workstreams are drawn. */
function placesOf(
  lanes: readonly AgentLane[],
  ids: readonly string[],
  laneHeight: number,
): Map<string, { bar: Bar; y: number }> {
  const wanted = new Set(ids);
  const places = new Map<string, { bar: Bar; y: number }>();
  for (const [index, lane] of lanes.entries())
    for (const bar of lane.bars)
      if (!bar.isEarlier && wanted.has(bar.workstream.id))
        places.set(bar.workstream.id, { bar, y: TOP + index * laneHeight + laneHeight - 4.5 });
  return places;
}

interface DenseProps extends Pick<Box, 'y' | 'height'> {
  data: Pick<TimelineData, 'load'>;
  lane: AgentLane;
  scale: Scale;
}

function DenseLane({ data, lane, scale, y, height }: DenseProps) {
  const bins = Math.max(1, Math.floor(scale.width / BIN));
  const { busy, failed } = binsShown(data, lane, scale.window, bins);
  const wide = scale.width / bins;
  let marks = '';
  for (let bin = 0; bin < bins; bin++)
    if (failed[bin] === 1)
      marks += `M${at(scale.left + bin * wide)} ${y}h${at(Math.max(3, wide))}v${height}h${at(-Math.max(3, wide))}z`;
  return (
    <>
      <path class="t-done" d={areaOf(busy, scale, y, height)} />
      <path class="t-fail" d={marks} />
    </>
  );
}

/** Shares of bins as an area: bins of the same height are one step of it. */
function areaOf(shares: ArrayLike<number>, { left, width }: Scale, y: number, height: number): string {
  const wide = width / shares.length;
  let level = 0;
  let path = `M${left} ${y + height}`;
  for (let bin = 0; bin < shares.length; bin++) {
    const next = Math.round((shares[bin] ?? 0) * height * 2) / 2;
    if (next === level) continue;
    path += `H${at(left + bin * wide)}V${y + height - next}`;
    level = next;
  }
  return `${path}H${at(left + width)}V${y + height}Z`;
}

/** The whole run with a tick for each failure, and the window when it is a part. */
export function Overview({
  data,
  isWhole,
  window,
  width,
  y,
}: {
  data: TimelineData;
  /** Whether all lanes are drawn as they are now: until then this stays as it was. */
  isWhole: boolean;
  window: TimeWindow;
  width: number;
  y: number;
}) {
  const settled = useRef(data);
  if (isWhole || settled.current.span !== data.span) settled.current = data;
  const { current } = settled;
  const scale = scaleOf([0, data.span], width, data.lanes);
  const { area, ticks } = useMemo(
    () => overviewPaths(current, scale, y),
    [current.lanes, data.span, width, y],
  );
  const left = scale.x(window[0]);
  const isPart = window[0] > 0 || window[1] < data.span;
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

function overviewPaths(data: TimelineData, scale: Scale, y: number) {
  const height = 14;
  const bins = Math.max(1, Math.floor(scale.width / 6));
  const busy = new Float64Array(bins);
  const ends = new Set<number>();
  for (const lane of data.lanes) {
    const shares = binsShown(data, lane, scale.window, bins).busy;
    for (let bin = 0; bin < bins; bin++)
      busy[bin] = (busy[bin] ?? 0) + (shares[bin] ?? 0) / data.lanes.length;
    for (const { mark, isEarlier, to } of lane.bars)
      if (isBad(mark) && !isEarlier) ends.add(Math.round(scale.x(to)));
  }
  const ticks = [...ends].map((end) => `M${end - 2} ${y + height + 2}h2v4h-2z`).join('');
  return { area: areaOf(busy, scale, y, height), ticks };
}

export function ChartLegend({ data: { now, marks, hasEarlier, critical } }: { data: TimelineData }) {
  const box = (name: string) => <rect class={name} x={1} y={1} width={20} height={10} rx={2} />;
  const entries: [string, boolean, preact.ComponentChildren][] = [
    ['running; the line is now', now !== null, box('t-run')],
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
    ['critical path', critical.length > 1, <line class="cp" x1={1} x2={21} y1={6} y2={6} />],
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
