/** Copies whole runs, with all their rows, from one database into another. */
import { z } from 'zod';
import { countOf, firstRow, rows } from '../read/rows.ts';
import { textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { openDatabase } from '../schema/database.ts';
import { asStoreError } from '../schema/store-error.ts';
import { WalFile } from './wal-file.ts';

/** What was copied; the rest was in this database already. */
export interface CopiedRuns {
  /** Ids of the runs that were copied, in the order in which they were recorded. */
  runIds: string[];
  /** Results that this database did not have. */
  results: number;
}

const nameRow = z.object({ name: z.string() });
const columnRow = z.object({ name: z.string(), pk: z.number(), type: z.string() });
const runRow = z.object({ run_id: z.string(), state: textCell, resumed_at: textCell });
type CopiedRunRow = z.infer<typeof runRow>;

const RUNS = 'consolidated_runs';

/**
 * Copies from the database at `path` the runs that this one does not have, and those that were recorded further there:
 * resumed later, or with more results. All of it is on the disk when this returns, in one transaction; doing it again
 * changes nothing.
 * @throws StoreError when either of the two can't be used.
 */
export function copyRuns(connection: Connection, path: string): CopiedRuns {
  try {
    // Migrates it, so that both have the same columns.
    openDatabase(path).close();
    connection.prepare('ATTACH ? AS copied').run(path);
    try {
      return copyAttached(connection);
    } finally {
      connection.exec('DETACH copied');
    }
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}

function copyAttached(connection: Connection): CopiedRuns {
  const copied = connection
    .transaction((): CopiedRuns => {
      const all = rows(connection, runRow, `SELECT * FROM copied.${RUNS} ORDER BY rowid`);
      const runIds = all.filter((run) => isLater(connection, run)).map(({ run_id: id }) => id);
      const ids = JSON.stringify(runIds);
      const before = countOf(connection, countIn('main'), ids);
      const tables = tablesOfRuns(connection);
      for (const table of tables.toReversed()) {
        connection.prepare(`DELETE FROM main."${table}" WHERE ${OF_THESE}`).run(ids);
      }
      for (const table of tables) copyTable(connection, table, ids);
      return { runIds, results: countOf(connection, countIn('main'), ids) - before };
    })
    .immediate();
  const wal = new WalFile(connection);
  try {
    wal.syncNow();
  } finally {
    wal.close();
  }
  return copied;
}

const OF_THESE = 'run_id IN (SELECT value FROM json_each(?))';
const countIn = (database: string): string =>
  `SELECT COUNT(*) AS n FROM ${database}.agent_results WHERE ${OF_THESE}`;

/** Whether a run was recorded further in the other database than in this one. */
function isLater(connection: Connection, there: CopiedRunRow): boolean {
  const id = there.run_id;
  const here = firstRow(connection, runRow, `SELECT * FROM main.${RUNS} WHERE run_id = ?`, id);
  if (here === null) return true;
  const [resumedThere, resumedHere] = [there.resumed_at ?? '', here.resumed_at ?? ''];
  if (resumedThere !== resumedHere) return resumedThere > resumedHere;
  const ids = JSON.stringify([id]);
  const [more, less] = [
    countOf(connection, countIn('copied'), ids),
    countOf(connection, countIn('main'), ids),
  ];
  return more === less ? here.state === 'running' : more > less;
}

/** Tables with rows of runs, that of the runs themselves first. */
function tablesOfRuns(connection: Connection): string[] {
  const sql = `
    SELECT t.name FROM main.sqlite_schema t JOIN copied.sqlite_schema c ON c.name = t.name AND c.type = 'table'
    WHERE t.type = 'table' AND t.name <> '${RUNS}'
      AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE name = 'run_id')`;
  return [RUNS, ...rows(connection, nameRow, sql).map(({ name }) => name)];
}

/** Rows get new numbers where a table counts them, in the order that they had. */
function copyTable(connection: Connection, table: string, ids: string): void {
  const all = rows(connection, columnRow, `SELECT name, pk, type FROM pragma_table_info(?)`, table);
  const isCounted = (column: z.infer<typeof columnRow>): boolean =>
    column.pk === 1 && column.type === 'INTEGER';
  const columns = all.filter((column) => !isCounted(column)).map(({ name }) => `"${name}"`);
  const counted = all.find(isCounted);
  const order =
    counted === undefined ? (table === RUNS ? 'ORDER BY rowid' : '') : `ORDER BY "${counted.name}"`;
  const list = columns.join(', ');
  connection
    .prepare(
      `INSERT INTO main."${table}" (${list}) SELECT ${list} FROM copied."${table}" WHERE ${OF_THESE} ${order}`,
    )
    .run(ids);
}
