/** The results of a sweep as one table of parameters, outputs and metrics, and as a chart of two of its columns. */
import type { Json } from '../../domain/json.ts';
import type { PageWorkstream } from '../../domain/page-document.ts';
import { byNumber, compareKeys } from './rows.ts';
import type { Run } from './run.ts';

/** A value of a cell; objects and arrays are texts of JSON. */
type Value = string | number | boolean | null;

export interface SweepColumn {
  /** Its name with dots for what is inside of what; unlike that of any other column. */
  name: string;
  group: 'parameters' | 'outputs' | 'metrics';
  isNumber: boolean;
  /** Of the numbers in it; null where there is none. */
  least: number | null;
  most: number | null;
  /** How many different values it has, up to 50. */
  distinct: number;
}

export interface ResultRow {
  workstream: PageWorkstream;
  /** By the name of the column; absent where it has none. */
  values: ReadonlyMap<string, Value>;
}

export interface SweepResults {
  columns: readonly SweepColumn[];
  rows: readonly ResultRow[];
}

/** Most columns of a group. */
const COLUMNS = 16;

/** In front of a name that a column of another group has. */
const PREFIXES = { parameters: 'matrix', outputs: 'output', metrics: 'metric' };

/** How deep an output is looked into. */
const DEPTH = 3;

const made = new WeakMap<Run, SweepResults | null>();

/** Null for a run whose workstreams have nothing in common that a table could show. */
export function resultsOf(run: Run): SweepResults | null {
  const known = made.get(run);
  if (known !== undefined) return known;
  const results = makeResults(run);
  made.set(run, results);
  return results;
}

function makeResults(run: Run): SweepResults | null {
  const measured = run.workstreams.filter(({ metrics }) => Object.keys(metrics).length > 0).length;
  if (run.kind !== 'sweep' && (measured < 2 || measured * 2 < run.workstreams.length)) return null;
  const names = new Map<string, SweepColumn['group']>();
  const rows = run.workstreams.flatMap((workstream): ResultRow[] => {
    if (run.kind === 'sweep' && workstream.matrix === null) return [];
    const values = new Map<string, Value>();
    const put = (group: SweepColumn['group'], name: string, value: Value): void => {
      const free = names.has(name) && names.get(name) !== group ? `${PREFIXES[group]}.${name}` : name;
      names.set(free, group);
      values.set(free, value);
    };
    for (const [name, value] of Object.entries(workstream.matrix ?? {}))
      flatten(name, value, (at, each) => put('parameters', at, each));
    for (const [name, value] of Object.entries(workstream.metrics)) put('metrics', name, value);
    const { output } = workstream;
    if (typeof output === 'object' && output !== null && !Array.isArray(output)) {
      for (const [name, value] of Object.entries(output))
        if (workstream.metrics[name] !== value) flatten(name, value, (at, each) => put('outputs', at, each));
    } else if (output !== null) flatten('output', output, (at, each) => put('outputs', at, each));
    return [{ workstream, values }];
  });
  const columns = (['parameters', 'outputs', 'metrics'] as const).flatMap((group) =>
    [...names]
      .filter(([, each]) => each === group)
      .slice(0, COLUMNS)
      .map(([name]) => columnOf(name, group, rows)),
  );
  return rows.length < 2 || columns.length === 0 ? null : { columns, rows };
}

function flatten(name: string, value: Json, put: (name: string, value: Value) => void, depth = 1): void {
  if (typeof value !== 'object' || value === null) put(name, value);
  else if (Array.isArray(value) || depth >= DEPTH) put(name, JSON.stringify(value));
  else for (const [key, inner] of Object.entries(value)) flatten(`${name}.${key}`, inner, put, depth + 1);
}

function columnOf(name: string, group: SweepColumn['group'], rows: readonly ResultRow[]): SweepColumn {
  let [least, most] = [Infinity, -Infinity];
  let isNumber = true;
  const distinct = new Set<Value>();
  for (const { values } of rows) {
    const value = values.get(name);
    if (value === undefined || value === null) continue;
    if (distinct.size < 50) distinct.add(value);
    if (typeof value === 'number') {
      least = Math.min(least, value);
      most = Math.max(most, value);
    } else isNumber = false;
  }
  const has = least <= most;
  return {
    name,
    group,
    isNumber: isNumber && has,
    least: has ? least : null,
    most: has ? most : null,
    distinct: distinct.size,
  };
}

/** The order of two rows by their parameters, the leftmost first. */
export function byParameters(columns: readonly SweepColumn[], a: ResultRow, b: ResultRow): number {
  for (const { name, group } of columns) {
    if (group !== 'parameters') continue;
    const order = compareKeys(keyOf(a, name), keyOf(b, name), 1);
    if (order !== 0) return order;
  }
  return 0;
}

/** What a row is sorted by in a column. */
export function keyOf({ values }: ResultRow, column: string): string | number | null {
  const value = values.get(column) ?? null;
  return typeof value === 'boolean' ? String(value) : value;
}

/** What a chart shows: y against x, a line for each value of one parameter, a panel for each of another. */
export interface Axes {
  x: string;
  y: string;
  line: string | null;
  panel: string | null;
}

/** Most lines in a panel and most panels: more can't be told apart. */
const LINES = 6;
const PANELS = 6;

/** The axes that were asked for, and good ones for what was not; null where nothing can be drawn. */
export function axesOf(
  { columns, rows }: SweepResults,
  wanted: { x: string | null; y: string | null },
): Axes | null {
  const numbers = columns.filter(({ isNumber }) => isNumber);
  const found = numbers.filter(({ group }) => group !== 'parameters');
  const y =
    numbers.find(({ name }) => name === wanted.y) ??
    found.findLast(({ group, distinct }) => group === 'metrics' && distinct > 1) ??
    found.find(({ distinct }) => distinct > 1);
  if (y === undefined || rows.length < 3) return null;
  const parameters = columns.filter(({ group, distinct }) => group === 'parameters' && distinct > 1);
  const x =
    columns.find(({ name }) => name === wanted.x && name !== y.name) ??
    parameters.filter(({ isNumber }) => isNumber).toSorted((a, b) => b.distinct - a.distinct)[0] ??
    parameters.toSorted((a, b) => b.distinct - a.distinct)[0] ??
    found.find(({ name }) => name !== y.name);
  if (x === undefined) return null;
  const others = parameters.filter(
    ({ name, distinct }) => name !== x.name && distinct <= LINES && name !== y.name,
  );
  const [line, panel] = others.toSorted(
    (a, b) => Number(a.isNumber) - Number(b.isNumber) || b.distinct - a.distinct,
  );
  return {
    x: x.name,
    y: y.name,
    line: line?.name ?? null,
    panel: panel !== undefined && panel.distinct <= PANELS ? panel.name : null,
  };
}

interface Point {
  x: number;
  y: number;
  workstream: PageWorkstream;
}

export interface Line {
  name: string;
  points: readonly Point[];
  /** Mean of y at each x, from left to right. */
  means: readonly (readonly [x: number, y: number])[];
}

interface Panel {
  name: string | null;
  lines: readonly Line[];
}

export interface ChartData {
  panels: readonly Panel[];
  /** Values of the parameter that lines are for, in the order of their colours. */
  lineNames: readonly string[];
  x: ChartScale;
  y: ChartScale;
}

/** From values to a share of 0 to 1 of the axis. */
interface ChartScale {
  isLogarithmic: boolean;
  /** For an axis of names: the name of each position; null for numbers. */
  names: readonly string[] | null;
  ticks: readonly number[];
  share(value: number): number;
}

const text = (value: Value | undefined): string =>
  value === undefined || value === null ? '–' : String(value);

const distinctTexts = (rows: readonly ResultRow[], column: string): string[] =>
  [...new Set(rows.map(({ values }) => text(values.get(column))))].toSorted(byNumber);

export function chartOf({ columns, rows }: SweepResults, axes: Axes): ChartData {
  const isNumeric = columns.find(({ name }) => name === axes.x)?.isNumber === true;
  const names = isNumeric ? null : distinctTexts(rows, axes.x);
  const drawn = rows.flatMap((row) => {
    const x = row.values.get(axes.x);
    const y = row.values.get(axes.y);
    const at = names === null ? x : names.indexOf(text(x));
    return typeof at === 'number' && typeof y === 'number'
      ? [{ row, point: { x: at, y, workstream: row.workstream } }]
      : [];
  });
  const lineNames = axes.line === null ? [''] : distinctTexts(rows, axes.line);
  const panelNames = axes.panel === null ? [null] : distinctTexts(rows, axes.panel);
  const isIn = (row: ResultRow, column: string | null, name: string | null): boolean =>
    column === null || text(row.values.get(column)) === name;
  return {
    panels: panelNames.map((name) => ({
      name,
      lines: lineNames.map((lineName) => {
        const points = drawn
          .filter(({ row }) => isIn(row, axes.panel, name) && isIn(row, axes.line, lineName))
          .map(({ point }) => point);
        return { name: lineName, points, means: meansOf(points) };
      }),
    })),
    lineNames,
    x:
      names === null
        ? atValues(
            scaleFor(drawn.map(({ point }) => point.x)),
            drawn.map(({ point }) => point.x),
          )
        : namesScale(names),
    y: scaleFor(drawn.map(({ point }) => point.y)),
  };
}

/** Most values of a parameter that are the ticks of its axis themselves. */
const FEW_VALUES = 8;

function atValues(scale: ChartScale, values: readonly number[]): ChartScale {
  const distinct = [...new Set(values)].toSorted((a, b) => a - b);
  return distinct.length > FEW_VALUES || scale.isLogarithmic ? scale : { ...scale, ticks: distinct };
}

function meansOf(points: readonly Point[]): [number, number][] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { x, y } of points) {
    const at = sums.get(x) ?? { sum: 0, count: 0 };
    sums.set(x, { sum: at.sum + y, count: at.count + 1 });
  }
  return [...sums]
    .map(([x, { sum, count }]): [number, number] => [x, sum / count])
    .toSorted((a, b) => a[0] - b[0]);
}

const namesScale = (names: readonly string[]): ChartScale => ({
  isLogarithmic: false,
  names,
  ticks: names.map((_, index) => index),
  share: (value) => (value + 0.5) / names.length,
});

/** Values that are all positive and differ by more than this factor are drawn on a logarithmic axis. */
const WIDE = 100;

export function scaleFor(values: readonly number[]): ChartScale {
  const least = values.reduce((low, value) => Math.min(low, value), Infinity);
  const most = values.reduce((high, value) => Math.max(high, value), -Infinity);
  if (least > most) return { isLogarithmic: false, names: null, ticks: [], share: () => 0.5 };
  if (least > 0 && most / least > WIDE) {
    const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
    const powers = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
    const every = Math.ceil(powers.length / 6);
    return {
      isLogarithmic: true,
      names: null,
      ticks: powers.filter((_, index) => index % every === 0),
      share: (value) => (Math.log10(value) - low) / (high - low),
    };
  }
  const step = niceStep((most - least || Math.abs(most) || 1) / 5);
  const low = Math.floor(least / step) * step;
  const high = Math.max(low + step, Math.ceil(most / step) * step);
  const ticks: number[] = [];
  for (let index = 0; low + index * step <= high + step / 1e6; index++)
    ticks.push(Number((low + index * step).toPrecision(12)));
  return { isLogarithmic: false, names: null, ticks, share: (value) => (value - low) / (high - low) };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
}
