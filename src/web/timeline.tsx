/** When each agent did what. Zooms with the wheel and Ctrl or the keys + and −, pans by dragging or arrow keys. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { clock, count, duration, oneLine, percent, plural } from './model/format.ts';
import {
  type AgentLane,
  type Bar,
  BIN,
  type Bins,
  barsIn,
  binsOf,
  gapsIn,
  isBad,
  isDense,
  lanesOf,
  loadIn,
  neighbour,
  shifted,
  type TimeWindow,
  ticksOf,
  zoomed,
} from './model/lanes.ts';
import { computedShare, MARK_WORDS, type Run } from './model/run.ts';
import { Choice, MarkView, SectionView, TONE_OF_MARK, useWidth, Words, WorkstreamLink } from './parts.tsx';
import { adjust, announcement, go, place } from './state.ts';
import { Table } from './table.tsx';

const GUTTER = 92;
const RIGHT = 16;
const TOP = 26;
const OVERVIEW = 40;

/** Of more agents the lanes are lower. */
const MANY = 12;

export function Timeline({ run }: { run: Run }) {
  const lanes = useMemo(() => lanesOf(run), [run]);
  const view = useSignal<'chart' | 'table'>('chart');
  const bars = lanes.reduce((sum, lane) => sum + lane.bars.length, 0);
  if (bars === 0 || run.seconds <= 0) return null;
  return (
    <SectionView
      id="timeline"
      title="Timeline"
      note={`${plural(lanes.length, 'agent')}, ${duration(run.seconds)}`}
      actions={
        <Choice
          label="Timeline as"
          value={view.value}
          choices={[
            ['chart', 'Chart'],
            ['table', 'Table'],
          ]}
          onChoice={(choice) => (view.value = choice)}
        />
      }
    >
      <div class="card">
        {view.value === 'chart' ? <Chart run={run} lanes={lanes} /> : <TimeTable run={run} lanes={lanes} />}
      </div>
    </SectionView>
  );
}

function TimeTable({ run, lanes }: { run: Run; lanes: readonly AgentLane[] }) {
  const window = windowOf(run);
  const rows = lanes.flatMap((lane) => barsIn(lane, window).map((bar) => ({ lane, bar })));
  return (
    <Table
      label="Table of the timeline"
      columns={[
        { key: 'start', title: 'Start', isNumber: true, cell: ({ bar }) => duration(bar.from) },
        {
          key: 'took',
          title: 'Took',
          isNumber: true,
          class: 'm-end',
          cell: ({ bar }) => duration(bar.to - bar.from),
        },
        { key: 'agent', title: 'Agent', cell: ({ lane }) => <Words text={lane.agentId} length={40} /> },
        {
          key: 'id',
          title: 'Workstream',
          class: 'full',
          cell: ({ bar }) => <WorkstreamLink id={bar.workstream.id} />,
        },
        { key: 'attempt', title: 'Attempt', isNumber: true, cell: ({ bar }) => bar.attempt },
        { key: 'state', title: 'State', cell: ({ bar }) => <MarkView mark={bar.mark} /> },
      ]}
      rows={rows.toSorted((a, b) => a.bar.from - b.bar.from)}
      keyOf={({ bar }) => `${bar.attempt} ${bar.workstream.id}`}
    />
  );
}

function windowOf(run: Run): TimeWindow {
  const { time } = place.value;
  if (time === null) return [0, run.seconds];
  return shifted([time[0], Math.max(time[0] + 0.001, time[1])], 0, run.seconds);
}

/** The whole run is no window. */
const show = (window: TimeWindow | null, run: Run): void =>
  adjust({ time: window === null || (window[0] <= 0 && window[1] >= run.seconds) ? null : window });

interface Pointed {
  bar: Bar;
  x: number;
  y: number;
}

function Chart({ run, lanes }: { run: Run; lanes: readonly AgentLane[] }) {
  const [box, width] = useWidth(800);
  const pointed = useSignal<Pointed | null>(null);
  const chosen = useSignal<Bar | null>(null);
  const window = windowOf(run);
  const scale = scaleOf(window, width);
  useWheel(box, run, width);
  const load = run.document.aggregates?.load ?? null;
  const dense = load !== null || isDense(lanes, window, scale.width);
  const laneHeight = lanes.length > MANY ? 22 : 32;
  const height = TOP + lanes.length * laneHeight + OVERVIEW;
  const inView = lanes.reduce((sum, lane) => sum + barsIn(lane, window).length, 0);
  return (
    <>
      <div class="tl-head">
        <span>
          {dense
            ? `${load === null ? `${count(inView)} in view` : 'All workstreams'}, drawn as how busy each agent was in each ${BIN} pixels. ${load === null ? 'Zoom in for single ones.' : 'The page does not have each of them.'}`
            : `${plural(inView, 'execution')} in view. Ctrl and the wheel zoom, dragging moves.`}
        </span>
        <span class="grow" />
        <button type="button" class="b icon" aria-label="Zoom out" onClick={() => zoomBy(run, 2)}>
          −
        </button>
        <button
          type="button"
          class="b"
          aria-pressed={place.value.time === null}
          onClick={() => go({ time: null })}
        >
          Whole run
        </button>
        <button type="button" class="b icon" aria-label="Zoom in" onClick={() => zoomBy(run, 0.5)}>
          +
        </button>
      </div>
      <div
        class="tl-box"
        ref={box}
        tabIndex={0}
        role="application"
        aria-label="Timeline. Arrow keys move from one execution to the next, plus and minus zoom, Enter opens. Everything in it is in its table."
        onKeyDown={(event) => onKey(event, run, lanes, chosen)}
        onBlur={() => (chosen.value = null)}
        onPointerDown={(event) => startPan(event, run, scale.width)}
        onPointerMove={(event) => (pointed.value = barAt(event, lanes, window, scale, laneHeight))}
        onPointerLeave={() => (pointed.value = null)}
        onClick={(event) => {
          const hit = barAt(event, lanes, window, scale, laneHeight);
          if (hit !== null && !wasPanned) go({ view: { kind: 'workstream', id: hit.bar.workstream.id } });
        }}
      >
        <svg class="tl" width={width} height={height} aria-hidden="true">
          <Axis window={window} scale={scale} height={height - OVERVIEW + 6} />
          {lanes.map((lane, index) => (
            <LaneView
              key={lane.agentId}
              lane={lane}
              run={run}
              window={window}
              scale={scale}
              y={TOP + index * laneHeight}
              height={laneHeight}
              dense={dense}
              chosen={chosen.value}
            />
          ))}
          {!dense && <CriticalWaits run={run} lanes={lanes} scale={scale} laneHeight={laneHeight} />}
          <Now run={run} scale={scale} height={height - OVERVIEW + 6} />
          <Overview run={run} lanes={lanes} window={window} width={width} y={height - OVERVIEW + 10} />
        </svg>
        <Hover
          pointed={pointed.value ?? pointedAt(chosen.value, lanes, scale, laneHeight, box.current)}
          run={run}
        />
      </div>
      <ChartLegend run={run} lanes={lanes} />
    </>
  );
}

interface Scale {
  window: TimeWindow;
  width: number;
  x(seconds: number): number;
  /** Seconds at a distance from the left edge of the chart. */
  at(x: number): number;
}

function scaleOf(window: TimeWindow, chartWidth: number): Scale {
  const width = Math.max(80, chartWidth - GUTTER - RIGHT);
  const [from, to] = window;
  return {
    window,
    width,
    x: (seconds) => GUTTER + ((seconds - from) / (to - from)) * width,
    at: (x) => from + ((x - GUTTER) / width) * (to - from),
  };
}

function zoomBy(run: Run, factor: number): void {
  const window = windowOf(run);
  show(zoomed(window, factor, (window[0] + window[1]) / 2, run.seconds), run);
}

/** Zooms around the pointer. The listener is not passive, since the page would zoom too. */
function useWheel(box: { current: HTMLDivElement | null }, run: Run, width: number): void {
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const window = windowOf(run);
      const x = event.clientX - element.getBoundingClientRect().left;
      const around = Math.max(window[0], Math.min(window[1], scaleOf(window, width).at(x)));
      show(zoomed(window, event.deltaY > 0 ? 1.25 : 0.8, around, run.seconds), run);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [run, width]);
}

/** Whether the last press of the pointer moved the window, so that its click opens nothing. */
let wasPanned = false;

function startPan(event: PointerEvent, run: Run, width: number): void {
  wasPanned = false;
  if (event.button !== 0 || place.value.time === null) return;
  const start = windowOf(run);
  const from = event.clientX;
  const move = ({ clientX }: PointerEvent): void => {
    if (Math.abs(clientX - from) > 3) wasPanned = true;
    if (wasPanned) show(shifted(start, ((from - clientX) / width) * (start[1] - start[0]), run.seconds), run);
  };
  const end = (): void => {
    removeEventListener('pointermove', move);
    removeEventListener('pointerup', end);
    removeEventListener('pointercancel', end);
  };
  addEventListener('pointermove', move);
  addEventListener('pointerup', end);
  addEventListener('pointercancel', end);
}

function onKey(
  event: KeyboardEvent,
  run: Run,
  lanes: readonly AgentLane[],
  chosen: { value: Bar | null },
): void {
  const { key } = event;
  const step = keySteps[key];
  if (key === '+' || key === '=') zoomBy(run, 0.5);
  else if (key === '-') zoomBy(run, 2);
  else if (key === '0') go({ time: null });
  else if (key === 'Enter' && chosen.value !== null)
    go({ view: { kind: 'workstream', id: chosen.value.workstream.id } });
  else if (key === 'Escape' && chosen.value !== null) chosen.value = null;
  else if (step !== undefined) choose(run, neighbour(lanes, chosen.value, step), chosen);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

const keySteps: Record<string, readonly [time: number, lane: number]> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
};

function choose(run: Run, bar: Bar | null, chosen: { value: Bar | null }): void {
  chosen.value = bar;
  if (bar === null) return;
  announcement.value = `${oneLine(bar.workstream.title, 80)}, ${MARK_WORDS[bar.mark]}, ${duration(bar.to - bar.from)}, attempt ${bar.attempt}`;
  const [from, to] = windowOf(run);
  if (bar.from >= from && bar.to <= to) return;
  const middle = (bar.from + bar.to) / 2;
  show(shifted([middle - (to - from) / 2, middle + (to - from) / 2], 0, run.seconds), run);
}

function barAt(
  event: MouseEvent,
  lanes: readonly AgentLane[],
  window: TimeWindow,
  scale: Scale,
  laneHeight: number,
): Pointed | null {
  const box = event.currentTarget instanceof Element ? event.currentTarget.getBoundingClientRect() : null;
  if (box === null) return null;
  const lane = lanes[Math.floor((event.clientY - box.top - TOP) / laneHeight)];
  const x = event.clientX - box.left;
  if (lane === undefined || x < GUTTER) return null;
  const time = scale.at(x);
  const near = (3 / scale.width) * (window[1] - window[0]);
  const hits = barsIn(lane, [time - near, time + near]);
  const bar =
    hits.find(({ mark }) => isBad(mark)) ??
    hits.find(({ from, to }) => from <= time && time <= to) ??
    hits[0];
  return bar === undefined ? null : { bar, x: event.clientX, y: event.clientY };
}

/** Where the hover card of a bar stands that was chosen by keys. */
function pointedAt(
  bar: Bar | null,
  lanes: readonly AgentLane[],
  scale: Scale,
  laneHeight: number,
  box: HTMLElement | null,
): Pointed | null {
  if (bar === null || box === null) return null;
  const { left, top } = box.getBoundingClientRect();
  const lane = lanes.findIndex(({ bars }) => bars.includes(bar));
  return { bar, x: left + scale.x(bar.from), y: top + TOP + (lane + 1) * laneHeight };
}

function Axis({ window, scale, height }: { window: TimeWindow; scale: Scale; height: number }) {
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
function Now({ run, scale, height }: { run: Run; scale: Scale; height: number }) {
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

function LaneView({ lane, run, window, scale, y, height, dense, chosen }: LaneProps) {
  const barHeight = height - 10;
  const bars = dense ? [] : barsIn(lane, window);
  const perPixel = (window[1] - window[0]) / scale.width;
  return (
    <g>
      <text class="lane" x={16} y={y + height / 2 + 1}>
        {oneLine(lane.agentId, 12)}
      </text>
      <rect class="lanebg" x={GUTTER} y={y + 3} width={scale.width} height={barHeight} rx={2} />
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
function Hatched({ x, width, y, height }: { x: number; width: number; y: number; height: number }) {
  const left = Math.max(x, GUTTER);
  const right = Math.min(x + width, GUTTER + 4000);
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
  const left = Math.max(GUTTER, scale.x(bar.from));
  const right = Math.min(GUTTER + scale.width, scale.x(bar.to));
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
function CriticalWaits({
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
    Math.max(GUTTER, Math.min(GUTTER + scale.width, scale.x(seconds)));
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
  let area = `M${GUTTER} ${y + height}`;
  let marks = '';
  for (let bin = 0; bin < bins; bin++) {
    const top = y + height - (busy[bin] ?? 0) * height;
    const left = GUTTER + bin * wide;
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
function Overview({
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
  const scale = scaleOf([0, run.seconds], width);
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
  let area = `M${GUTTER} ${y + height}`;
  for (let bin = 0; bin < bins; bin++) {
    const busy = all.reduce((sum, each) => sum + (each.busy[bin] ?? 0), 0) / Math.max(1, lanes.length);
    const left = GUTTER + bin * wide;
    area += `V${(y + height - busy * height).toFixed(1)}H${(left + wide).toFixed(1)}`;
  }
  const ends = new Set(
    lanes.flatMap(({ bars }) =>
      bars.flatMap(({ mark, isEarlier, to }) => (isBad(mark) && !isEarlier ? [Math.round(scale.x(to))] : [])),
    ),
  );
  const ticks = [...ends].map((at) => `M${at - 2} ${y + height + 2}h2v4h-2z`).join('');
  return { area: `${area}V${y + height}Z`, ticks };
}

function Hover({ pointed, run }: { pointed: Pointed | null; run: Run }) {
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = card.current;
    if (element === null || pointed === null) return;
    const { offsetWidth: wide, offsetHeight: high } = element;
    const left = Math.min(pointed.x + 14, innerWidth - wide - 8);
    const top = pointed.y + 18 + high > innerHeight ? pointed.y - high - 12 : pointed.y + 18;
    element.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
  });
  if (pointed === null) return null;
  const { workstream, mark, from, to, attempt } = pointed.bar;
  const { title, id, dependsOn, explanation, cpuWaitSeconds, attemptCount } = workstream;
  const computed = computedShare(workstream);
  const rows: [string, string][] = [
    ['Took', duration(to - from)],
    ['Began after', duration(from)],
    ...(attemptCount > 1 ? [['Attempt', `${attempt} of ${attemptCount}`] as [string, string]] : []),
    ...(computed === null ? [] : [['Computed', percent(computed)] as [string, string]]),
    ...(cpuWaitSeconds !== null && cpuWaitSeconds > 0.05
      ? [['Waited for a processor', duration(cpuWaitSeconds)] as [string, string]]
      : []),
    ...(dependsOn.length > 0 ? [['Needs', oneLine(dependsOn.join(', '), 60)] as [string, string]] : []),
    ...(run.critical.includes(id) ? [['Critical path', 'yes'] as [string, string]] : []),
  ];
  return (
    <div class="hover" ref={card} aria-hidden="true">
      <h4>
        <Words text={title} length={120} />
      </h4>
      {title !== id && (
        <p class="id q">
          <Words text={id} length={80} />
        </p>
      )}
      <p>
        <MarkView mark={mark} />
      </p>
      {explanation !== null && mark !== 'completed' && (
        <p class="q2">
          <Words text={explanation} length={140} />
        </p>
      )}
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function ChartLegend({ run, lanes }: { run: Run; lanes: readonly AgentLane[] }) {
  const bars = lanes.flatMap((lane) => lane.bars);
  const has = (test: (bar: Bar) => boolean): boolean => bars.some(test);
  const box = (name: string) => <rect class={name} x={1} y={1} width={20} height={10} rx={2} />;
  const entries: [string, boolean, preact.ComponentChildren][] = [
    ['running; the line is now', run.live !== null, box('t-run')],
    ['completed', has(({ mark }) => mark === 'completed' || mark === 'retried'), box('t-done')],
    [
      'failed',
      has(({ mark, isEarlier }) => mark === 'failed' && !isEarlier),
      <>
        {box('t-fail')}
        <path class="xw" d="M8 3l6 6m0-6l-6 6" />
      </>,
    ],
    ['false success, conflict', has(({ mark }) => mark === 'odd' || mark === 'conflict'), box('t-odd')],
    [
      'attempt that failed',
      has(({ isEarlier }) => isEarlier),
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
