/** Removes the outputs of old runs, or the runs themselves. */
import { z } from 'zod';
import { firstRow, rows } from '../read/rows.ts';
import type { Connection } from '../schema/connection.ts';
import { asStoreError } from '../schema/store-error.ts';

export interface StoredOutputs {
  count: number;
  bytes: number;
}

/** Without those that a later run may need: of the run in which a workstream last completed. */
const OUTPUTS = `
FROM agent_results r WHERE r.run_id IN (SELECT value FROM json_each(?)) AND r.has_output = 1
  AND json_valid(r.metadata) AND NOT EXISTS (
    SELECT 1 FROM workstream_durations d WHERE d.workstream_id = r.workstream_id AND d.run_id = r.run_id)`;

const measured = z.object({ count: z.number(), bytes: z.number() });

/** What `removeOutputs` would remove. */
export function measureOutputs(connection: Connection, runIds: readonly string[]): StoredOutputs {
  const sql = `SELECT COUNT(*) AS count,
    COALESCE(SUM(octet_length(r.metadata) - octet_length(json_remove(r.metadata, '$.output'))), 0) AS bytes
    ${OUTPUTS}`;
  return firstRow(connection, measured, sql, JSON.stringify(runIds)) ?? { count: 0, bytes: 0 };
}

/** Removes the outputs of these runs, and leaves their rows. Throws a `StoreError`. */
export function removeOutputs(connection: Connection, runIds: readonly string[]): void {
  const sql = `UPDATE agent_results SET metadata = json_remove(metadata, '$.output'), has_output = 0
    WHERE id IN (SELECT r.id ${OUTPUTS})`;
  write(connection, () => connection.prepare(sql).run(JSON.stringify(runIds)));
}

const named = z.object({ name: z.string() });

/** Every table with rows of runs. */
const TABLES = `
SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table' AND c.name = 'run_id' AND m.name <> 'consolidated_runs'`;

/** Removes every row of these runs. Throws a `StoreError`. */
export function removeRuns(connection: Connection, runIds: readonly string[]): void {
  const ids = JSON.stringify(runIds);
  const tables = [...rows(connection, named, TABLES).map(({ name }) => name), 'consolidated_runs'];
  const removeAll = connection.transaction(() => {
    for (const table of tables)
      connection.prepare(`DELETE FROM "${table}" WHERE run_id IN (SELECT value FROM json_each(?))`).run(ids);
  });
  write(connection, () => removeAll.immediate());
}

/** Frees the disk space of what was removed. Throws a `StoreError`. */
export function compact(connection: Connection): void {
  write(connection, () => {
    connection.exec('VACUUM');
    connection.pragma('wal_checkpoint(TRUNCATE)');
  });
}

function write(connection: Connection, change: () => unknown): void {
  try {
    change();
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}
