/** When each agent did what. Zooms with the wheel and Ctrl or the keys + and −, pans by dragging or arrow keys. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { count, duration, oneLine, percent, plural } from './model/format.ts';
import {
  type AgentLane,
  type Bar,
  BIN,
  barsIn,
  countIn,
  isBad,
  isDense,
  lanesOf,
  neighbour,
  shifted,
  type TimeWindow,
  zoomed,
} from './model/lanes.ts';
import { computedShare, MARK_WORDS, type Run } from './model/run.ts';
import {
  AgentName,
  Choice,
  MarkView,
  SectionView,
  Sentence,
  useWidth,
  Words,
  WorkstreamLink,
} from './parts.tsx';
import { adjust, announcement, go, place } from './state.ts';
import { Table } from './table.tsx';
import {
  Axis,
  ChartLegend,
  CriticalWaits,
  LaneView,
  Now,
  OVERVIEW,
  Overview,
  type Scale,
  scaleOf,
  TOP,
} from './timeline-lanes.tsx';

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
  const scale = scaleOf(window, width, lanes);
  useWheel(box, run, lanes, width);
  const load = run.document.aggregates?.load ?? null;
  const dense = load !== null || isDense(lanes, window, scale.width);
  const laneHeight = lanes.length > MANY ? 22 : 32;
  const height = TOP + lanes.length * laneHeight + OVERVIEW;
  const inView = lanes.reduce((sum, lane) => sum + countIn(lane, window), 0);
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

function zoomBy(run: Run, factor: number): void {
  const window = windowOf(run);
  show(zoomed(window, factor, (window[0] + window[1]) / 2, run.seconds), run);
}

/** Zooms around the pointer. The listener is not passive, since the page would zoom too. */
function useWheel(
  box: { current: HTMLDivElement | null },
  run: Run,
  lanes: readonly AgentLane[],
  width: number,
): void {
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const window = windowOf(run);
      const x = event.clientX - element.getBoundingClientRect().left;
      const around = Math.max(window[0], Math.min(window[1], scaleOf(window, width, lanes).at(x)));
      show(zoomed(window, event.deltaY > 0 ? 1.25 : 0.8, around, run.seconds), run);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [run, lanes, width]);
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
  const lane = lanes.findIndex(({ bars }) => bars.includes(bar));
  return { bar, x: left + scale.x(bar.from), y: top + TOP + (lane + 1) * laneHeight };
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
