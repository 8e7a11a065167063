/** When each agent did what. Zooms with the wheel and Ctrl or the keys + and −, pans by dragging or arrow keys. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { useStaggered } from '../drawing.tsx';
import { count, duration, oneLine, percent, plural } from '../model/format.ts';
import {
  type AgentLane,
  type Bar,
  BIN,
  barsIn,
  countIn,
  isDense,
  laneIndex,
  neighbour,
  shifted,
  type TimelineData,
  type TimeWindow,
  timelineOf,
  zoomed,
} from '../model/lanes.ts';
import { computedShare, isBad, MARK_WORDS, type Run } from '../model/run.ts';
import {
  AgentName,
  Choice,
  MarkView,
  SectionView,
  Sentence,
  useWidth,
  Words,
  WorkstreamLink,
} from '../parts.tsx';
import { adjust, announcement, go, place, visit } from '../state.ts';
import { Table } from '../table.tsx';
import {
  Axis,
  ChartLegend,
  CriticalWaits,
  LaneView,
  Now,
  Outline,
  OVERVIEW,
  Overview,
  Running,
  type Scale,
  scaleOf,
  TOP,
} from './lanes.tsx';

/** Of more agents the lanes are lower. */
const MANY = 12;

/** Lanes that are drawn again in one frame. */
const LANES_A_FRAME = 8;

/** Most executions in view that have their names in them where there is room. */
const MOST_NAMED = 600;

export function RunTimeline({ run }: { run: Run }) {
  const data = useMemo(() => timelineOf(run), [run]);
  return <Timeline data={data} />;
}

export function Timeline({ data }: { data: TimelineData }) {
  const { lanes, seconds } = data;
  const view = useSignal<'chart' | 'table'>('chart');
  if (seconds <= 0 || lanes.every(({ bars, running }) => bars.length + running.length === 0)) return null;
  return (
    <SectionView
      id="timeline"
      title="Timeline"
      note={`${plural(lanes.length, 'agent')}, ${duration(seconds)}`}
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
      <div class="card">{view.value === 'chart' ? <Chart data={data} /> : <TimeTable data={data} />}</div>
    </SectionView>
  );
}

function TimeTable({ data }: { data: TimelineData }) {
  const window = windowOf(data);
  const rows = data.lanes.flatMap((lane) => barsIn(lane, window).map((bar) => ({ lane, bar })));
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
        { key: 'agent', title: 'Agent', cell: ({ lane }) => <AgentName agentId={lane.agentId} /> },
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

function windowOf({ span }: TimelineData): TimeWindow {
  const { time } = place.value;
  if (time === null) return [0, span];
  return shifted([time[0], Math.max(time[0] + 0.001, time[1])], 0, span);
}

/** The whole run is no window. */
const show = (window: TimeWindow | null, { span }: TimelineData): void =>
  adjust({ time: window === null || (window[0] <= 0 && window[1] >= span) ? null : window });

interface Pointed {
  bar: Bar;
  x: number;
  y: number;
}

function Chart({ data }: { data: TimelineData }) {
  const { lanes, load } = data;
  const [box, width] = useWidth(800);
  const pointed = useSignal<Pointed | null>(null);
  const chosen = useSignal<Bar | null>(null);
  const window = windowOf(data);
  const scale = scaleOf(window, width, lanes);
  useWheel(box, data, width);
  const dense = load !== null || isDense(lanes, window, scale.width);
  const laneHeight = lanes.length > MANY ? 22 : 32;
  const inView = countOf(lanes, window);
  return (
    <>
      <div class="tl-head">
        <span>
          {dense
            ? `${load === null ? `${count(inView)} in view` : 'All workstreams'}, drawn as how busy each agent was in each ${BIN} pixels. ${load === null ? 'Zoom in for single ones.' : 'The page does not have each of them.'}`
            : `${plural(inView, 'execution')} in view. Ctrl and the wheel zoom, dragging moves.`}
        </span>
        <span class="grow" />
        <button type="button" class="b icon" aria-label="Zoom out" onClick={() => zoomBy(data, 2)}>
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
        <button type="button" class="b icon" aria-label="Zoom in" onClick={() => zoomBy(data, 0.5)}>
          +
        </button>
      </div>
      <div
        class="tl-box"
        ref={box}
        tabIndex={0}
        role="application"
        aria-label="Timeline. Arrow keys move from one execution to the next, plus and minus zoom, Enter opens. Everything in it is in its table."
        onKeyDown={(event) => onKey(event, data, chosen)}
        onBlur={() => (chosen.value = null)}
        onPointerDown={(event) => startPan(event, data, scale.width)}
        onPointerMove={(event) => (pointed.value = barAt(event, lanes, window, scale, laneHeight))}
        onPointerLeave={() => (pointed.value = null)}
        onClick={(event) => {
          const hit = barAt(event, lanes, window, scale, laneHeight);
          if (hit !== null && !wasPanned) visit({ view: { kind: 'workstream', id: hit.bar.workstream.id } });
        }}
      >
        <Drawing
          data={data}
          window={window}
          scale={scale}
          isDense={dense}
          laneHeight={laneHeight}
          width={width}
          pointed={dense ? null : (pointed.value?.bar ?? null)}
          chosen={chosen.value}
        />
        <Hover
          pointed={pointed.value ?? pointedAt(chosen.value, lanes, scale, laneHeight, box.current)}
          critical={data.critical}
        />
      </div>
      <ChartLegend data={data} />
    </>
  );
}

const countOf = (lanes: readonly AgentLane[], window: TimeWindow): number =>
  lanes.reduce((sum, lane) => sum + countIn(lane, window) + lane.running.length, 0);

interface DrawingProps {
  data: TimelineData;
  window: TimeWindow;
  scale: Scale;
  isDense: boolean;
  laneHeight: number;
  width: number;
  pointed: Bar | null;
  chosen: Bar | null;
}

function Drawing({ data, window, scale, isDense, laneHeight, width, pointed, chosen }: DrawingProps) {
  const { lanes, critical } = data;
  const where = `${window.join(' ')} ${scale.left} ${width} ${isDense}`;
  const { drawn, isWhole } = useStaggered(lanes, where, LANES_A_FRAME);
  const isNamed = countOf(lanes, window) <= MOST_NAMED;
  const height = TOP + lanes.length * laneHeight + OVERVIEW;
  const bottom = height - OVERVIEW;
  const place = useRef<HTMLDivElement>(null);
  // What is not in view is not painted, and has its room all the same.
  useLayoutEffect(() => {
    if (place.current !== null) place.current.style.containIntrinsicBlockSize = `${height}px`;
  }, [height]);
  return (
    <div class="tl-drawing" ref={place}>
      <svg class={pointed === null ? 'tl' : 'tl is-on'} width={width} height={height} aria-hidden="true">
        <Axis window={window} scale={scale} height={bottom + 6} />
        {drawn.map((lane, index) => (
          <LaneView
            key={lane.agentId}
            lane={lane}
            data={data}
            scale={scale}
            y={TOP + index * laneHeight}
            height={laneHeight}
            isDense={isDense}
            isNamed={isNamed}
          />
        ))}
        <Running lanes={lanes} scale={scale} laneHeight={laneHeight} isNamed={isNamed} />
        {!isDense && critical.length > 1 && (
          <CriticalWaits data={data} scale={scale} laneHeight={laneHeight} />
        )}
        <Now data={data} scale={scale} height={bottom + 6} />
        <Overview data={data} isWhole={isWhole} window={window} width={width} y={bottom + 10} />
        <Outline bar={pointed} is="pointed" {...{ lanes, scale, laneHeight }} />
        <Outline bar={chosen} is="chosen" {...{ lanes, scale, laneHeight }} />
      </svg>
    </div>
  );
}

function zoomBy(data: TimelineData, factor: number): void {
  const window = windowOf(data);
  show(zoomed(window, factor, (window[0] + window[1]) / 2, data.span), data);
}

/** Zooms around the pointer. The listener is not passive, since the page would zoom too. */
function useWheel(box: { current: HTMLDivElement | null }, data: TimelineData, width: number): void {
  const newest = useRef(data);
  newest.current = data;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { current } = newest;
      const window = windowOf(current);
      const x = event.clientX - element.getBoundingClientRect().left;
      const around = Math.max(window[0], Math.min(window[1], scaleOf(window, width, current.lanes).at(x)));
      show(zoomed(window, event.deltaY > 0 ? 1.25 : 0.8, around, current.span), current);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [width]);
}

/** Whether the last press of the pointer moved the window, so that its click opens nothing. */
let wasPanned = false;

function startPan(event: PointerEvent, data: TimelineData, width: number): void {
  wasPanned = false;
  if (event.button !== 0 || place.value.time === null) return;
  const start = windowOf(data);
  const from = event.clientX;
  const move = ({ clientX }: PointerEvent): void => {
    if (Math.abs(clientX - from) > 3) wasPanned = true;
    if (wasPanned) show(shifted(start, ((from - clientX) / width) * (start[1] - start[0]), data.span), data);
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

function onKey(event: KeyboardEvent, data: TimelineData, chosen: { value: Bar | null }): void {
  const { key } = event;
  const step = keySteps[key];
  if (key === '+' || key === '=') zoomBy(data, 0.5);
  else if (key === '-') zoomBy(data, 2);
  else if (key === '0') go({ time: null });
  else if (key === 'Enter' && chosen.value !== null)
    visit({ view: { kind: 'workstream', id: chosen.value.workstream.id } });
  else if (key === 'Escape' && chosen.value !== null) chosen.value = null;
  else if (step !== undefined) choose(data, neighbour(data.lanes, chosen.value, step), chosen);
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

function choose(data: TimelineData, bar: Bar | null, chosen: { value: Bar | null }): void {
  chosen.value = bar;
  if (bar === null) return;
  announcement.value = `${oneLine(bar.workstream.title, 80)}, ${MARK_WORDS[bar.mark]}, ${duration(bar.to - bar.from)}, attempt ${bar.attempt}`;
  const [from, to] = windowOf(data);
  if (bar.from >= from && bar.to <= to) return;
  const middle = (bar.from + bar.to) / 2;
  show(shifted([middle - (to - from) / 2, middle + (to - from) / 2], 0, data.span), data);
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
  if (lane === undefined || x < scale.left) return null;
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
  const lane = laneIndex(lanes, bar);
  return { bar, x: left + scale.x(bar.from), y: top + TOP + (lane + 1) * laneHeight };
}

function Hover({ pointed, critical }: { pointed: Pointed | null; critical: readonly string[] }) {
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
    ...(critical.includes(id) ? [['Critical path', 'yes'] as [string, string]] : []),
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
          <Sentence text={explanation} length={140} />
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
