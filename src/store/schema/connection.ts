import type Database from 'better-sqlite3';
import { shapeId, shapeOfError } from '../../analysis/patterns/error-shape.ts';

/** An open database. Code outside the store only passes it on and closes it. */
export type Connection = Database.Database;

const prepared = new WeakMap<Connection, Map<string, Database.Statement>>();

/** The statement for this SQL, prepared once a connection. Not for iterating: it can't be used twice at a time. */
export function statement(connection: Connection, sql: string): Database.Statement {
  let statements = prepared.get(connection);
  if (statements === undefined) prepared.set(connection, (statements = new Map()));
  let found = statements.get(sql);
  if (found === undefined) statements.set(sql, (found = connection.prepare(sql)));
  return found;
}

/**
 * Reads as of one moment. Each query alone would ask anew what other processes have written, which takes longer than most
 * queries that find few rows.
 */
export function asOfNow(connection: Connection, read: () => void): void {
  if (connection.inTransaction) return read();
  statement(connection, 'BEGIN').run();
  try {
    read();
  } finally {
    if (connection.inTransaction) statement(connection, 'COMMIT').run();
  }
}

/** Keeps pages of the file up to so many KiB, instead of all that were read. */
export const keepPages = (connection: Connection, kib: number): void => {
  connection.pragma(`cache_size = -${kib}`);
};

/** For what reads most rows once. */
export const keepFewPages = (connection: Connection): void => keepPages(connection, 16_384);

/** How long the main thread waits, in milliseconds, while all goes well. Limits and signals wait as long. */
export const USUAL_WAIT_MS = 500;

/** In milliseconds, as last set by `setBusyTimeout`. */
const busyTimeouts = new WeakMap<Connection, number>();

/**
 * Sets how long a connection waits for another process's lock. The pragma takes as long as to write a small batch, so
 * it is only run when the value changes: nothing else may set it on an open connection.
 */
export function setBusyTimeout(connection: Connection, milliseconds: number): void {
  if (busyTimeouts.get(connection) === milliseconds) return;
  connection.pragma(`busy_timeout = ${milliseconds}`);
  busyTimeouts.set(connection, milliseconds);
}

/**
 * Adds the functions that queries use beside those of SQLite.
 *
 * `pattern_of(reason, message, tail)`: the shape of an error, as the column `pattern` has it.
 *
 * `shape_id_of(reason, pattern)`: the id of that shape.
 *
 * `nearest_ranks(value)`: the median and the 95th percentile of the numbers as a JSON array, null for none. By nearest
 * rank: each is the least value that at least its share of them is not above. SQLite would sort all rows for that.
 */
export function addFunctions(connection: Connection): void {
  connection.function(
    'pattern_of',
    { deterministic: true },
    (type: unknown, message: unknown, tail: unknown) =>
      shapeOfError({
        type: textOf(type),
        message: textOf(message),
        tail: typeof tail === 'string' ? tail : null,
      }),
  );
  connection.function('shape_id_of', { deterministic: true }, (type: unknown, pattern: unknown) =>
    shapeId(textOf(type), textOf(pattern)),
  );
  connection.aggregate<number[]>('nearest_ranks', {
    start: () => [],
    step: (values, value: unknown) => {
      if (typeof value === 'number') values.push(value);
    },
    result: nearestRanks,
  });
}

const textOf = (cell: unknown): string => (typeof cell === 'string' ? cell : '');

const PERCENTS = [50, 95];

function nearestRanks(values: number[]): string | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).toSorted();
  return JSON.stringify(PERCENTS.map((percent) => sorted[Math.ceil((sorted.length * percent) / 100) - 1]));
}
