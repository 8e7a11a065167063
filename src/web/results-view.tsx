/** The results of a sweep: a chart of two columns, and the table behind it. */
import { useMemo } from 'preact/hooks';
import { duration, figure, oneLine, plural } from './model/format.ts';
import type { Sort } from './model/place.ts';
import {
  type Axes,
  axesOf,
  byParameters,
  type ChartData,
  chartOf,
  keyOf,
  type Line,
  type ResultRow,
  resultsOf,
  type SweepColumn,
  type SweepResults,
} from './model/results.ts';
import { compareKeys, matches } from './model/rows.ts';
import { MARKS, markOf, type Run } from './model/run.ts';
import {
  Bar,
  CopyButton,
  MarkView,
  SectionView,
  TONE_OF_MARK,
  useWidth,
  Words,
  WorkstreamLink,
} from './parts.tsx';
import { go, hrefOf, place } from './state.ts';
import { csvOf, type PageColumn, Table } from './table.tsx';

export function ResultsView({ run }: { run: Run }) {
  const results = resultsOf(run);
  if (results === null) return null;
  const { query, resultsSort, x, y } = place.value;
  const columns = columnsOf(results);
  const found = results.rows.filter(({ workstream }) => matches(run, workstream, query));
  const rows = sorted(results, found, resultsSort);
  const axes = axesOf(results, { x, y });
  return (
    <SectionView
      id="results"
      title="Results"
      note={`${groupNote(results)}${query === '' ? '' : `; ${plural(rows.length, 'row')} for “${oneLine(query, 30)}”`}`}
      actions={
        <>
          {axes !== null && <AxisChoice results={results} axes={axes} />}
          <CopyButton glyph="copy" text={() => csvOf(columns, rows)}>
            Copy CSV
          </CopyButton>
        </>
      }
    >
      <div class="stacked">
        {axes !== null && <Chart results={results} axes={axes} />}
        <div class="card">
          <Table
            label="Table of results"
            columns={columns}
            rows={rows}
            keyOf={({ workstream }) => workstream.id}
            rowClass={({ workstream }) => `is-${TONE_OF_MARK[markOf(workstream)]}`}
            sort={resultsSort}
            onSort={(next) => go({ resultsSort: next })}
          />
        </div>
      </div>
    </SectionView>
  );
}

function groupNote({ columns, rows }: SweepResults): string {
  const of = (group: SweepColumn['group']): number =>
    columns.filter((column) => column.group === group).length;
  const parts = [
    plural(rows.length, 'row'),
    ...(of('parameters') > 0 ? [plural(of('parameters'), 'parameter')] : []),
    ...(of('outputs') > 0 ? [plural(of('outputs'), 'output')] : []),
    ...(of('metrics') > 0 ? [plural(of('metrics'), 'metric')] : []),
  ];
  return parts.join(', ');
}

/** In their own order: what failed first, then by their parameters from left to right. */
function sorted(
  { columns }: SweepResults,
  rows: readonly ResultRow[],
  sort: Sort | null,
): readonly ResultRow[] {
  if (sort === null) return rows.toSorted((a, b) => rank(a) - rank(b) || byParameters(columns, a, b));
  const direction = sort.descending ? -1 : 1;
  const sortKey = (row: ResultRow): string | number | null => {
    const { workstream } = row;
    if (sort.column === 'state') return MARKS.indexOf(markOf(workstream));
    if (sort.column === 'took') return workstream.seconds;
    if (sort.column === 'id') return workstream.id;
    return keyOf(row, sort.column.replace(/^=/, ''));
  };
  return rows.toSorted((a, b) => compareKeys(sortKey(a), sortKey(b), direction));
}

const rank = ({ workstream }: ResultRow): number => (workstream.status === 'completed' ? 1 : 0);

function columnsOf({ columns }: SweepResults): PageColumn<ResultRow>[] {
  const own: PageColumn<ResultRow>[] = [
    {
      key: 'state',
      title: 'State',
      canSort: true,
      cell: ({ workstream }) => (
        <a
          class="plain-link"
          href={hrefOf({ kind: 'workstream', id: workstream.id })}
          title={oneLine(workstream.id, 200)}
        >
          <MarkView mark={markOf(workstream)} />
        </a>
      ),
      csv: ({ workstream }) => workstream.status,
    },
  ];
  const hasParameters = columns.some(({ group }) => group === 'parameters');
  if (!hasParameters)
    own.push({
      key: 'id',
      title: 'Workstream',
      canSort: true,
      class: 'full',
      cell: ({ workstream }) => <WorkstreamLink id={workstream.id} />,
      csv: ({ workstream }) => workstream.id,
    });
  const firstFound = columns.find(({ group }) => group !== 'parameters')?.name;
  return [
    ...own,
    ...columns.map(
      (column): PageColumn<ResultRow> => ({
        key: `=${column.name}`,
        title: column.name,
        group: column.group,
        canSort: true,
        isNumber: column.isNumber,
        class: column.group === 'parameters' ? 'param' : 'found',
        cell: (row) => <Cell row={row} column={column} isFirstFound={column.name === firstFound} />,
        csv: ({ values }) => values.get(column.name) ?? null,
      }),
    ),
    {
      key: 'took',
      title: 'Took',
      isNumber: true,
      canSort: true,
      class: 'm-end',
      cell: ({ workstream }) => duration(workstream.seconds),
      csv: ({ workstream }) => workstream.seconds,
    },
    {
      key: 'reason',
      title: 'Reason',
      class: 'off',
      cell: () => null,
      csv: ({ workstream }) => workstream.reason,
    },
    ...(hasParameters
      ? [
          {
            key: 'id',
            title: 'Id',
            class: 'off',
            cell: () => null,
            csv: ({ workstream }: ResultRow) => workstream.id,
          },
        ]
      : []),
  ];
}

/** What a failed row has in place of its first result is its reason. */
function Cell({
  row: { workstream, values },
  column,
  isFirstFound,
}: {
  row: ResultRow;
  column: SweepColumn;
  isFirstFound: boolean;
}) {
  const value = values.get(column.name);
  if (isFirstFound && workstream.status !== 'completed' && value === undefined)
    return <span class={TONE_OF_MARK[markOf(workstream)]}>{workstream.reason ?? workstream.status}</span>;
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number') return <Words text={String(value)} length={80} />;
  if (column.group === 'parameters' || column.least === null || column.most === null || column.least < 0)
    return <>{figure(value)}</>;
  return (
    <span class="dbar">
      <Bar share={column.most === 0 ? 0 : value / column.most} />
      <span>{figure(value)}</span>
    </span>
  );
}

function AxisChoice({ results, axes }: { results: SweepResults; axes: Axes }) {
  const numbers = results.columns.filter(({ isNumber }) => isNumber);
  return (
    <>
      <label class="axis">
        y{' '}
        <select class="in" value={axes.y} onChange={({ currentTarget }) => go({ y: currentTarget.value })}>
          {numbers.map(({ name }) => (
            <option key={name} value={name}>
              {oneLine(name, 40)}
            </option>
          ))}
        </select>
      </label>
      <label class="axis">
        x{' '}
        <select class="in" value={axes.x} onChange={({ currentTarget }) => go({ x: currentTarget.value })}>
          {results.columns
            .filter(({ name, isNumber, group }) => name !== axes.y && (isNumber || group === 'parameters'))
            .map(({ name }) => (
              <option key={name} value={name}>
                {oneLine(name, 40)}
              </option>
            ))}
        </select>
      </label>
    </>
  );
}

const PLOT = { left: 56, right: 14, top: 26, bottom: 26, height: 210 };

/** A panel is at least so wide, and there are at most three beside each other. */
const PANEL = 300;

function Chart({ results, axes }: { results: SweepResults; axes: Axes }) {
  const [box, width] = useWidth(900);
  const data = useMemo(() => chartOf(results, axes), [results, axes.x, axes.y, axes.line, axes.panel]);
  const along = results.columns.find(({ name }) => name === axes.x);
  const isOrdered = along?.group === 'parameters' && along.isNumber;
  const across = Math.max(1, Math.min(data.panels.length, 3, Math.floor(width / PANEL)));
  const panelWidth = Math.floor((width - (across - 1) * 16) / across);
  return (
    <div class="card pad">
      <p class="legend">
        <span>
          <b>{oneLine(axes.y, 40)}</b> against <b>{oneLine(axes.x, 40)}</b>
          {axes.line !== null && `, a ${isOrdered ? 'line' : 'colour'} for each ${oneLine(axes.line, 40)}`}
          {axes.panel !== null && `, a panel for each ${oneLine(axes.panel, 40)}`}
          {isOrdered &&
            data.panels.some(({ lines }) =>
              lines.some(({ points, means }) => points.length > means.length),
            ) &&
            '; lines go through the means'}
        </span>
        {axes.line !== null &&
          data.lineNames.map((name, index) => (
            <span class="st" key={name}>
              <svg class="plot key" viewBox="0 0 26 14" aria-hidden="true">
                <path class={`ser se${index}`} d="M1 7H25" />
                <Marker shape={index} x={13} y={7} />
              </svg>
              <bdi>{oneLine(name, 30)}</bdi>
            </span>
          ))}
      </p>
      <div class="panels" ref={box}>
        {data.panels.map((panel) => (
          <svg
            class="plot"
            key={panel.name ?? ''}
            width={panelWidth}
            height={PLOT.height}
            role="group"
            aria-label={`${axes.y} against ${axes.x}${panel.name === null ? '' : `, ${axes.panel} ${panel.name}`}. Its numbers are in the table.`}
          >
            <PanelView
              lines={panel.lines}
              name={panel.name === null ? null : `${axes.panel} ${panel.name}`}
              data={data}
              width={panelWidth}
              isOrdered={isOrdered}
            />
          </svg>
        ))}
      </div>
    </div>
  );
}

interface PanelProps {
  lines: readonly Line[];
  name: string | null;
  data: ChartData;
  width: number;
  /** Whether x is a parameter of numbers, so that points that follow each other are a line; names have no order. */
  isOrdered: boolean;
}

/** Most points that are drawn one by one. */
const POINTS = 1500;

function PanelView({ lines, name, data, width, isOrdered }: PanelProps) {
  const wide = width - PLOT.left - PLOT.right;
  const high = PLOT.height - PLOT.top - PLOT.bottom;
  const x = (value: number): number => PLOT.left + data.x.share(value) * wide;
  const y = (value: number): number => PLOT.top + (1 - data.y.share(value)) * high;
  return (
    <>
      {name !== null && (
        <text class="lbl" x={PLOT.left} y={12}>
          {oneLine(name, 40)}
        </text>
      )}
      {data.y.ticks.map((tick) => (
        <g key={tick}>
          <line class="gr" x1={PLOT.left} x2={width - PLOT.right} y1={y(tick)} y2={y(tick)} />
          <text x={PLOT.left - 8} y={y(tick) + 4} text-anchor="end">
            {figure(tick)}
          </text>
        </g>
      ))}
      {apart(data.x.ticks, x).map((tick) => (
        <text key={tick} x={x(tick)} y={PLOT.height - 8} text-anchor="middle">
          {data.x.names === null ? figure(tick) : oneLine(data.x.names[tick] ?? '', 12)}
        </text>
      ))}
      {(isOrdered ? lines : []).map(({ means, name: line }, index) => (
        <path
          key={line}
          class={`ser se${index}`}
          d={means
            .map(([at, mean], point) => `${point === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(mean).toFixed(1)}`)
            .join('')}
        />
      ))}
      {lines.map(({ points, name: line }, index) =>
        points.slice(0, Math.ceil(POINTS / lines.length)).map(({ x: at, y: value, workstream }) => (
          <a
            key={`${line} ${workstream.id}`}
            href={hrefOf({ kind: 'workstream', id: workstream.id })}
            tabIndex={-1}
          >
            <title>{`${oneLine(workstream.id, 100)}: ${figure(value)}`}</title>
            <Marker shape={index} x={x(at)} y={y(value)} />
          </a>
        )),
      )}
    </>
  );
}

/** Room for the label of a tick, in pixels. */
const LABEL = 52;

/** The ticks whose labels do not overlap, from the first on. */
function apart(ticks: readonly number[], x: (tick: number) => number): number[] {
  let end = -Infinity;
  return ticks.filter((tick) => {
    const isFree = x(tick) >= end;
    if (isFree) end = x(tick) + LABEL;
    return isFree;
  });
}

/** Lines differ in the shape of their points before they differ in colour. */
function Marker({ shape, x, y }: { shape: number; x: number; y: number }) {
  const name = `mk se${shape}`;
  switch (shape % 6) {
    case 0:
      return <circle class={name} cx={x} cy={y} r={4} />;
    case 1:
      return <rect class={name} x={x - 3.6} y={y - 3.6} width={7.2} height={7.2} />;
    case 2:
      return <path class={name} d={`M${x} ${y - 4.6}l4.4 7.8h-8.8z`} />;
    case 3:
      return <path class={name} d={`M${x} ${y - 5}l5 5-5 5-5-5z`} />;
    case 4:
      return <path class={name} d={`M${x - 3.6} ${y - 3.6}l7.2 7.2m0-7.2l-7.2 7.2`} />;
    default:
      return <path class={name} d={`M${x} ${y - 4.6}v9.2m-4.6-4.6h9.2`} />;
  }
}
