/** Makes the table of a run's results, and divides it as it is shown. */
import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import type { ResultsRow, ResultsTable } from '../domain/run-record.ts';
import { firstOf } from '../text/cut-text.ts';

/** A result as the table takes it. */
export interface TabledResult
  extends Pick<ResultsRow, 'workstreamId' | 'base' | 'status' | 'reason' | 'seconds'> {
  /** The file of its definition, and the position there. */
  file: string;
  position: number;
  matrix: JsonObject | null;
  /** Null for none. */
  output: Json;
  metrics: Record<string, number>;
}

/** Objects with more fields, or nested deeper, are one value. */
const MOST_FIELDS = 100;
const DEEPEST = 6;

/** Takes the values of an object by their dotted names; those of anything else by the name that is given. */
function eachValue(value: Json, name: string, take: (name: string, value: Json) => void, depth = 0): void {
  if (!isSpread(value, depth)) {
    if (value !== null) take(name, value);
    return;
  }
  for (const key of Object.keys(value))
    eachValue(value[key] ?? null, depth === 0 ? key : `${name}.${key}`, take, depth + 1);
}

function isSpread(value: Json, depth: number): value is JsonObject {
  if (!isObject(value) || depth === DEEPEST) return false;
  const fields = Object.keys(value).length;
  return fields > 0 && fields <= MOST_FIELDS;
}

/** The columns of one kind, in the order in which they first occur. */
class Columns {
  readonly names: string[] = [];
  readonly #most: number;
  readonly #indices = new Map<string, number>();
  readonly #leftOut = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  get leftOut(): number {
    return this.#leftOut.size;
  }

  /** Writes a value into the cell of its column. Of two with one name the first counts. */
  put<T extends Json>(cells: (T | null)[], name: string, value: T): void {
    const index = this.#indexOf(name);
    if (index !== null) cells[index] ??= value;
  }

  #indexOf(name: string): number | null {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    if (this.names.length === this.#most) {
      // What is counted is bounded too: a name may be a value.
      if (this.#leftOut.size < MOST_COUNTED) this.#leftOut.add(name);
      return null;
    }
    this.#indices.set(name, this.names.length);
    return this.names.push(name) - 1;
  }
}

const MOST_COUNTED = 10_000;

/** A row, and the place of its definition. */
interface PlacedRow extends Pick<TabledResult, 'file' | 'position'> {
  row: ResultsRow;
}

/** How large a table may get. */
export interface TableLimits {
  /** Most columns of each kind. */
  columns: number;
  /** Longest cell in characters of its JSON; what is longer is cut text. */
  cell: number;
}

/** Makes the table of results, which are added in any order. A row takes no more memory than its cells. */
export class ResultsTableBuilder {
  readonly #parameters: Columns;
  readonly #outputs: Columns;
  readonly #metrics: Columns;
  readonly #longest: number;
  readonly #rows: PlacedRow[] = [];

  constructor({ columns, cell }: TableLimits) {
    this.#parameters = new Columns(columns);
    this.#outputs = new Columns(columns);
    this.#metrics = new Columns(columns);
    this.#longest = cell;
  }

  add({ workstreamId, base, status, reason, seconds, file, position, ...found }: TabledResult): void {
    const parameters = this.#cellsOf(found.matrix, 'matrix', this.#parameters);
    const outputs = this.#cellsOf(found.output, 'output', this.#outputs);
    const metrics: (number | null)[] = [];
    for (const name of Object.keys(found.metrics)) this.#metrics.put(metrics, name, found.metrics[name] ?? 0);
    const row = { workstreamId, base, status, reason, seconds, parameters, outputs, metrics };
    this.#rows.push({ file, position, row });
  }

  #cellsOf(value: Json, name: string, columns: Columns): Json[] {
    const cells: Json[] = [];
    eachValue(value, name, (path, field) => columns.put(cells, path, cut(field, this.#longest)));
    return cells;
  }

  /**
   * The table. Nothing may be added afterwards.
   * @param total how many rows there are in all, if not all were added.
   */
  table(total = this.#rows.length): ResultsTable {
    const [parameters, outputs, metrics] = [this.#parameters, this.#outputs, this.#metrics];
    const rows = this.#rows.toSorted(byDefinitionAndValues).map(({ row }) => row);
    for (const row of rows) {
      complete(row.parameters, parameters.names.length);
      complete(row.outputs, outputs.names.length);
      complete(row.metrics, metrics.names.length);
    }
    return {
      parameters: parameters.names,
      outputs: outputs.names,
      metrics: metrics.names,
      rows,
      total,
      columnsLeftOut: parameters.leftOut + outputs.leftOut + metrics.leftOut,
    };
  }
}

function complete(cells: (Json | null)[], length: number): void {
  for (let index = 0; index < length; index += 1) cells[index] ??= null;
}

function cut(value: Json, longest: number): Json {
  if (typeof value === 'string') return value.length > longest ? `${firstOf(value, longest - 1)}…` : value;
  if (typeof value !== 'object') return value;
  const text = JSON.stringify(value);
  return text.length > longest ? `${firstOf(text, longest - 1)}…` : value;
}

const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** The order of a definition's members is that of their values, numbers by size. */
function byDefinitionAndValues(first: PlacedRow, second: PlacedRow): number {
  const byDefinition = byText(first.file, second.file) || first.position - second.position;
  if (byDefinition !== 0) return byDefinition;
  const [one, other] = [first.row, second.row];
  const columns = Math.max(one.parameters.length, other.parameters.length);
  for (let index = 0; index < columns; index += 1) {
    const order = byValue(one.parameters[index] ?? null, other.parameters[index] ?? null);
    if (order !== 0) return order;
  }
  return byText(one.workstreamId, other.workstreamId);
}

/** The kinds of values in their order. */
const KINDS = ['number', 'boolean', 'string', 'object'];

const kindOf = (value: Json): number => (value === null ? KINDS.length : KINDS.indexOf(typeof value));

function byValue(one: Json, other: Json): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  if (typeof one === 'string' && typeof other === 'string') return byText(one, other);
  const kinds = kindOf(one) - kindOf(other);
  return kinds === 0 ? byText(JSON.stringify(one), JSON.stringify(other)) : kinds;
}

// How the table is shown.

/** What each row has beside its columns. */
const FIXED = ['workstream', 'status', 'reason', 'seconds'];

/**
 * The names of all columns of the table as a file of rows has them: no two are alike, also not in case, which SQLite does
 * not tell apart. Where an output is called as a parameter is, its column is called `output.NAME`, and so on.
 */
export function headOf({
  parameters,
  outputs,
  metrics,
}: Pick<ResultsTable, 'parameters' | 'outputs' | 'metrics'>): string[] {
  const taken = new Set(FIXED);
  const unlike =
    (kind: string) =>
    (name: string): string => {
      const isFree = (wanted: string): boolean => wanted !== '' && !taken.has(wanted.toLowerCase());
      let free = isFree(name) ? name : `${kind}.${name}`;
      for (let copy = 2; !isFree(free); copy += 1) free = `${kind}.${name} ${copy}`;
      taken.add(free.toLowerCase());
      return free;
    };
  return [
    ...FIXED,
    ...parameters.map(unlike('matrix')),
    ...outputs.map(unlike('output')),
    ...metrics.map(unlike('metric')),
  ];
}

/** The cells of a row, in the order of the head. */
export function cellsOf({
  workstreamId,
  status,
  reason,
  seconds,
  parameters,
  outputs,
  metrics,
}: ResultsRow): Json[] {
  return [workstreamId, status, reason, seconds, ...parameters, ...outputs, ...metrics];
}

/** A part of the table with the columns that some of its rows have a value in. */
export interface ResultsGroup {
  /** The id that all rows have before their matrix; null for rows of several definitions. */
  base: string | null;
  rows: ResultsRow[];
  /** The names of its columns, and where each is among the cells of a row. */
  columns: { name: string; index: number }[];
}

/** The table in parts that are alike: the members of each matrix, and others that have values in the same columns. */
export function groupsOf(table: ResultsTable): ResultsGroup[] {
  const head = headOf(table);
  const groups = new Map<string, ResultsRow[]>();
  for (const row of table.rows) {
    const cells = cellsOf(row);
    const isMember = row.parameters.some((cell) => cell !== null);
    const filled = cells.flatMap((cell, index) => (index >= FIXED.length && cell !== null ? [index] : []));
    const key = isMember ? `member of ${row.base}` : JSON.stringify(filled);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()].map((rows) => {
    const [first] = rows;
    const columns = head.flatMap((name, index) => {
      const isThere = index >= FIXED.length && rows.some((row) => (cellsOf(row)[index] ?? null) !== null);
      return isThere ? [{ name, index }] : [];
    });
    const isOne = first?.parameters.some((cell) => cell !== null) ?? false;
    return { base: isOne ? (first?.base ?? null) : null, rows, columns };
  });
}
