import Database from 'better-sqlite3';
import type { Connection } from './connection.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrate.ts';

/**
 * Lets a database of an older version be read as if it had been migrated, without writing to it: temporary views, seen
 * before the tables of the same names, add the columns and tables that it lacks, as null and empty.
 */
export function showAsNewest(connection: Connection): void {
  if (schemaVersion(connection) === SCHEMA_VERSION) return;
  const newest = new Database(':memory:');
  try {
    migrate(newest);
    for (const table of tables(newest)) {
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

function tables(connection: Connection): string[] {
  return connection
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .pluck()
    .all();
}

function columns(connection: Connection, table: string): string[] {
  return connection
    .prepare<[string], string>("SELECT name FROM pragma_table_info(?, 'main')")
    .pluck()
    .all(table);
}
