/** Charts over runs. Own SVG: it has the colours of the sheet, prints, and each point is a link that keys can reach. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { PatternState } from '../../domain/history/history.ts';
import { type Glyph, Icon } from '../icons.tsx';
import { plural } from '../model/format.ts';
import { Block, Choice, useWidth } from '../parts.tsx';

export interface ChartPoint {
  key: string;
  /** Null where it is not known. */
  value: number | null;
  tone: 'done' | 'fail' | 'skip' | 'run' | 'warn';
  href: string;
  /** All that is known of the point, on hover. */
  title: string;
}

interface ChartProps {
  label: string;
  kind: 'line' | 'bars';
  points: readonly ChartPoint[];
  format: (value: number) => string;
  /** Whether values are whole numbers. */
  isCount?: boolean;
  /** Drawn behind the points: where most of them lie. */
  band?: readonly [low: number, high: number] | null;
}

const HEIGHT = 132;
/** Beside the labels of the axis, and width of one of their characters. */
const MARGIN = 12;
const CHARACTER = 6.2;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 10;

/** A value of each run, the oldest first. */
export function RunChart({ label, kind, points, format, isCount = false, band = null }: ChartProps) {
  const [box, width] = useWidth(360);
  const known = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const most = Math.max(...known, band?.[1] ?? 0);
  const top = isCount ? Math.max(2, Math.ceil(most / 2) * 2) : most > 0 ? 2 * roundUp(most / 2) : 1;
  const axis = [0, top / 2, top];
  const left = MARGIN + Math.ceil(CHARACTER * Math.max(...axis.map((value) => format(value).length)));
  const step = (width - left - RIGHT) / Math.max(1, points.length);
  const x = (index: number): number => left + (index + 0.5) * step;
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const line = points.flatMap(({ value }, index) => (value === null ? [] : [[x(index), y(value)] as const]));
  return (
    <div ref={box}>
      <svg class="chart" width={width} height={HEIGHT} role="group" aria-label={label}>
        {axis.map((value) => (
          <g key={value} aria-hidden="true">
            <line class="gr" x1={left} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
            <text x={left - 8} y={y(value) + 4} text-anchor="end">
              {format(value)}
            </text>
          </g>
        ))}
        {band !== null && (
          <rect
            class="band"
            x={left}
            width={Math.max(0, width - left - RIGHT)}
            y={y(band[1])}
            height={Math.max(1, y(band[0]) - y(band[1]))}
          />
        )}
        {kind === 'line' && (
          <path
            class="ser"
            d={line
              .map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`)
              .join('')}
          />
        )}
        {points.map(({ key, value, tone, href, title }, index) =>
          value === null ? null : (
            <a key={key} href={href} aria-label={title}>
              <title>{title}</title>
              <rect class="hit" x={x(index) - step / 2} y={TOP} width={step} height={HEIGHT - TOP - BOTTOM} />
              {kind === 'bars' ? (
                <rect
                  class={`f-${tone}`}
                  x={x(index) - Math.min(14, step * 0.4)}
                  width={Math.min(28, step * 0.8)}
                  y={Math.min(y(value), HEIGHT - BOTTOM - 2)}
                  height={Math.max(2, HEIGHT - BOTTOM - y(value))}
                />
              ) : (
                <PointMark tone={tone} x={x(index)} y={y(value)} size={Math.max(3, Math.min(10, step))} />
              )}
            </a>
          ),
        )}
      </svg>
    </div>
  );
}

const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10];

/** The next round number, of minutes from 60 on and of hours from 3600 on. */
function roundUp(value: number): number {
  const unit = value >= 3600 ? 3600 : value >= 60 ? 60 : 1;
  const power = 10 ** Math.floor(Math.log10(value / unit)) * unit;
  return power * (ROUND.find((each) => each * power >= value) ?? 10);
}

/** Of a smaller mark the cross in it is not seen. */
const CROSSED_FROM = 8;

interface MarkProps {
  tone: ChartPoint['tone'];
  x: number;
  y: number;
  /** Width, so that marks beside each other do not cover each other. */
  size: number;
}

/** A dot; a cross in a box for what failed. */
function PointMark({ tone, x, y, size }: MarkProps) {
  return tone === 'fail' ? (
    <>
      <rect class="f-fail" x={x - size / 2} y={y - size / 2} width={size} height={size} rx={size / 5} />
      {size >= CROSSED_FROM && <path class="xw" d={`M${x - 2.5} ${y - 2.5}l5 5m0-5l-5 5`} />}
    </>
  ) : (
    <circle class={`f-${tone}`} cx={x} cy={y} r={Math.max(1.5, size * 0.35)} />
  );
}

interface ChartOrTableProps {
  title: string;
  note: string;
  chart: ComponentChildren;
  table: ComponentChildren;
}

/** A chart with the table behind it. */
export function ChartOrTable({ title, note, chart, table }: ChartOrTableProps) {
  const view = useSignal<'chart' | 'table'>('chart');
  return (
    <Block
      title={title}
      note={note}
      actions={
        <Choice
          label={`${title} as`}
          value={view.value}
          choices={[
            ['chart', 'Chart'],
            ['table', 'Table'],
          ]}
          onChoice={(choice) => (view.value = choice)}
        />
      }
    >
      {view.value === 'chart' ? chart : <div class="card">{table}</div>}
    </Block>
  );
}

export type HistoryMark = 'passed' | 'failed' | 'not-run';

const MARK = { width: 7, height: 18 };

/** What became of something in the last runs, the oldest first: high for failed, low for passed, a dash for not run. */
export function HistoryMarks({ marks }: { marks: readonly HistoryMark[] }) {
  const failed = marks.filter((mark) => mark === 'failed').length;
  const ran = marks.filter((mark) => mark !== 'not-run').length;
  return (
    <svg
      class="marks"
      width={Math.max(1, marks.length * MARK.width)}
      height={MARK.height}
      role="img"
      aria-label={`Failed in ${failed} of the last ${plural(ran, 'run')}`}
    >
      {marks.map((mark, index) => (
        <rect
          key={index}
          class={mark === 'failed' ? 'f-fail' : mark === 'passed' ? 'f-done' : 'f-skip'}
          x={index * MARK.width}
          y={mark === 'failed' ? 0 : mark === 'passed' ? 9 : 16}
          width={MARK.width - 2}
          height={mark === 'failed' ? MARK.height : mark === 'passed' ? 9 : 2}
        />
      ))}
    </svg>
  );
}

const STATES: Record<PatternState, [badge: string, glyph: Glyph]> = {
  new: ['new', 'star'],
  regressed: ['regressed', 'back'],
  recurring: ['recurring', 'again'],
  flaky: ['flaky', 'wave'],
  passing: ['plain', 'half'],
  fixed: ['plain', 'tick'],
  unknown: ['plain', 'dash'],
};

/** How a pattern stands. */
export function StateBadge({ state }: { state: PatternState }) {
  const [badge, glyph] = STATES[state];
  return (
    <span class={`badge ${badge}`}>
      <Icon glyph={glyph} />
      {state}
    </span>
  );
}
