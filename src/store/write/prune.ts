/** Removes the outputs of old runs, or the runs themselves. */
import { z } from 'zod';
import { completedEarlier } from '../read/durations.ts';
import { firstRow, rows } from '../read/rows.ts';
import type { Connection } from '../schema/connection.ts';
import { asStoreError } from '../schema/store-error.ts';

export interface StoredOutputs {
  count: number;
  bytes: number;
}

const outputRow = z.object({ id: z.number(), run_id: z.string(), workstream_id: z.string() });

const OUTPUTS = `
SELECT id, run_id, workstream_id FROM agent_results
WHERE run_id IN (SELECT value FROM json_each(?)) AND has_output = 1 AND json_valid(metadata)`;

/**
 * Numbers of the results with outputs, as JSON. Without those that a later run may need: of the run in which a
 * workstream last completed.
 */
function outputsOf(connection: Connection, runIds: readonly string[]): string {
  const all = rows(connection, outputRow, OUTPUTS, JSON.stringify(runIds));
  const needed = completedEarlier(connection, [...new Set(all.map((row) => row.workstream_id))]);
  const removable = all.filter((row) => needed.get(row.workstream_id)?.runId !== row.run_id);
  return JSON.stringify(removable.map(({ id }) => id));
}

const OF_THESE = 'FROM agent_results WHERE id IN (SELECT value FROM json_each(?))';

const measured = z.object({ count: z.number(), bytes: z.number() });

/** What `removeOutputs` would remove. */
export function measureOutputs(connection: Connection, runIds: readonly string[]): StoredOutputs {
  const sql = `SELECT COUNT(*) AS count,
    COALESCE(SUM(octet_length(metadata) - octet_length(json_remove(metadata, '$.output'))), 0) AS bytes
    ${OF_THESE}`;
  return firstRow(connection, measured, sql, outputsOf(connection, runIds)) ?? { count: 0, bytes: 0 };
}

/** Removes the outputs of these runs, and leaves their rows. Throws a `StoreError`. */
export function removeOutputs(connection: Connection, runIds: readonly string[]): void {
  const sql = `UPDATE agent_results SET metadata = json_remove(metadata, '$.output'), has_output = 0
    WHERE id IN (SELECT value FROM json_each(?))`;
  write(connection, () => connection.prepare(sql).run(outputsOf(connection, runIds)));
}

const named = z.object({ name: z.string() });

/** Every table with rows of runs. */
const TABLES = `
SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table' AND c.name = 'run_id' AND m.name <> 'consolidated_runs'`;

/** Shapes of which no error and no attempt is left, and patterns without shapes, also those that only led to one. */
const UNUSED_PATTERNS = [
  `DELETE FROM error_shapes WHERE NOT EXISTS (
     SELECT 1 FROM consolidated_errors e WHERE e.shape_id = error_shapes.shape_id)
   AND NOT EXISTS (
     SELECT 1 FROM workstream_attempts a WHERE a.shape_id = error_shapes.shape_id AND a.reason IS NOT NULL)`,
  `DELETE FROM error_patterns WHERE NOT EXISTS (
     SELECT 1 FROM error_shapes s WHERE s.pattern_id = COALESCE(error_patterns.merged_into, error_patterns.pattern_id))`,
] as const;

/** Removes every row of these runs, and the patterns that only they had. Throws a `StoreError`. */
export function removeRuns(connection: Connection, runIds: readonly string[]): void {
  const ids = JSON.stringify(runIds);
  const tables = [...rows(connection, named, TABLES).map(({ name }) => name), 'consolidated_runs'];
  const removeAll = connection.transaction(() => {
    for (const table of tables)
      connection.prepare(`DELETE FROM "${table}" WHERE run_id IN (SELECT value FROM json_each(?))`).run(ids);
    for (const sql of UNUSED_PATTERNS) connection.prepare(sql).run();
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
