/** Rows out of the database, each checked against the shape that it is used with. */
import { z } from 'zod';
import { type Connection, statement } from '../schema/connection.ts';
import { asStoreError } from '../schema/store-error.ts';

type Parameters = readonly (string | number | null)[];

/** All rows of a query. */
export function rows<T>(
  connection: Connection,
  shape: z.ZodType<T>,
  sql: string,
  ...parameters: Parameters
): T[] {
  const found = refusalsNamed(connection, () => statement(connection, sql).all(...parameters));
  return found.map((row) => shape.parse(row));
}

/** The first row of a query; null for none. */
export function firstRow<T>(
  connection: Connection,
  shape: z.ZodType<T>,
  sql: string,
  ...parameters: Parameters
): T | null {
  const row = refusalsNamed(connection, () => statement(connection, sql).get(...parameters));
  return row === undefined ? null : shape.parse(row);
}

/** The rows of a query one by one. Nothing can be written through the connection while it is under way. */
export function* eachRow<T>(
  connection: Connection,
  shape: z.ZodType<T>,
  sql: string,
  ...parameters: Parameters
): Generator<T, void, undefined> {
  try {
    for (const row of connection.prepare(sql).iterate(...parameters)) yield shape.parse(row);
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}

/**
 * The cells of a query's rows, row by row, for many rows of which few cells are needed: each is to be checked by its use.
 * Nothing can be written through the connection while it is under way.
 */
export function* eachCells(
  connection: Connection,
  sql: string,
  ...parameters: Parameters
): Generator<readonly unknown[], void, undefined> {
  try {
    const all = connection.prepare<(string | number | null)[], readonly unknown[]>(sql).raw();
    yield* all.iterate(...parameters);
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}

/** How many rows `columnsOfMany` reads at a time. */
const MANY = 1_000;

/**
 * Columns of nearly all rows of a run, of some rows at a time: for each column an array of its cells, null for bytes. It
 * takes half of the time of `eachCells`, because SQLite passes a text for each column. Numbers have 15 digits.
 * @param from what follows the columns, of a table with an `id`; without an order or groups.
 */
export function* columnsOfMany(
  connection: Connection,
  columns: readonly string[],
  from: string,
  ...parameters: Parameters
): Generator<(readonly unknown[])[], void, undefined> {
  const lists = columns.map((name) => `json_group_array(iif(typeof(${name}) = 'blob', NULL, ${name}))`);
  const sql = `SELECT ${lists.join(', ')} ${from} GROUP BY id / ${MANY}`;
  for (const cells of allCells(connection, sql, ...parameters)) yield cells.map(listIn);
}

function listIn(cell: unknown): readonly unknown[] {
  const list: unknown = JSON.parse(String(cell));
  return Array.isArray(list) ? list : [];
}

/** The cells of all rows of a query that is asked many times, with few rows each. */
export function allCells(
  connection: Connection,
  sql: string,
  ...parameters: Parameters
): (readonly unknown[])[] {
  return refusalsNamed(connection, () => {
    const all: unknown[] = statement(connection, sql)
      .raw()
      .all(...parameters);
    return all.filter(Array.isArray);
  });
}

/** Throws what SQLite refuses as a `StoreError`. */
function refusalsNamed<T>(connection: Connection, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}

const count = z.object({ n: z.number().nullable() });

/** The number in the column `n`; 0 for null. */
export function countOf(connection: Connection, sql: string, ...parameters: Parameters): number {
  return firstRow(connection, count, sql, ...parameters)?.n ?? 0;
}
