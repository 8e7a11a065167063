import Database from 'better-sqlite3';
import type { Connection } from './connection.ts';
import { migrations } from './migrations/all.ts';
import { storeError } from './store-error.ts';

/** The version that this code writes. */
export const SCHEMA_VERSION = migrations.length;

/** The version of a database; 0 for an empty one and for one of the older system. */
function schemaVersion(connection: Connection): number {
  return Number(connection.pragma('user_version', { simple: true }));
}

/** Whether nothing is in it yet: what has just been made has no schema before the first migration ends. */
export const isEmpty = (connection: Connection): boolean =>
  schemaVersion(connection) === 0 && tablesAndViews(connection).length === 0;

/** Throws `newer-version` for a database that this code would not understand. */
export function refuseNewer(connection: Connection): void {
  if (schemaVersion(connection) > SCHEMA_VERSION) throw storeError('newer-version', connection.name);
}

/**
 * Brings a database to `SCHEMA_VERSION`. Each migration and its version are one transaction, so that a process that
 * dies leaves the version before or after it; a second process that does the same at the same time waits and finds
 * it done. A new database is made in one, so that whoever reads it meanwhile sees none or all of it.
 */
export function migrate(connection: Connection): void {
  refuseNewer(connection);
  const step = connection.transaction(() => {
    const version = schemaVersion(connection);
    const steps = migrations.slice(version, isEmpty(connection) ? SCHEMA_VERSION : version + 1);
    for (const sql of steps) connection.exec(sql);
    if (steps.length > 0) connection.pragma(`user_version = ${version + steps.length}`);
  });
  while (schemaVersion(connection) < SCHEMA_VERSION) step.immediate();
}

/**
 * Lets a database of an older version be read as if it had been migrated, without writing to it: temporary views, seen
 * before the tables of the same names, add the columns and tables that it lacks, as null and empty. What is a view now
 * and was a table then is read from that.
 */
export function viewAsLatestSchema(connection: Connection): void {
  if (schemaVersion(connection) === SCHEMA_VERSION) return;
  const newest = new Database(':memory:');
  try {
    migrate(newest);
    for (const table of tablesAndViews(newest)) {
      const existing = new Set(columns(connection, table));
      connection.exec(viewOf(table, columns(newest, table), existing));
    }
  } finally {
    newest.close();
  }
}

function viewOf(table: string, wanted: string[], existing: ReadonlySet<string>): string {
  const cells = wanted.map((name) => (existing.has(name) ? name : `NULL AS ${name}`));
  // A view has none of its own, and the order of runs is that of their rows.
  if (table === 'consolidated_runs') cells.push(existing.size === 0 ? 'NULL AS rowid' : 'rowid AS rowid');
  const list = cells.join(', ');
  const source = existing.size === 0 ? '(SELECT 1) WHERE 0' : `main.${table}`;
  return `CREATE TEMP VIEW ${table} AS SELECT ${list} FROM ${source}`;
}

function tablesAndViews(connection: Connection): string[] {
  return connection
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'",
    )
    .pluck()
    .all();
}

function columns(connection: Connection, table: string): string[] {
  return connection
    .prepare<[string], string>("SELECT name FROM pragma_table_info(?, 'main')")
    .pluck()
    .all(table);
}
