/** Reads what workstreams gave. */
import { z } from 'zod';
import type { Json } from '../domain/json.ts';
import type { Capped, WorkstreamOutput } from '../domain/run-record.ts';
import type { Connection } from './connection.ts';
import { countOf, rows, textCell } from './read.ts';
import { readMetadata } from './result-cells.ts';

const outputRow = z.object({ workstream_id: z.string(), metadata: textCell });

/** Longer than this no person reads it in a report; the query in the report's end gives it. */
const LONGEST_BYTES = 65_536;

/** Outputs and metrics of a run in the order in which they arrived. Very long ones are counted and not shown. */
export function shownOutputs(connection: Connection, runId: string, limit: number): Capped<WorkstreamOutput> {
  const where = 'FROM agent_results WHERE run_id = ? AND has_output = 1';
  const sql = `
    SELECT r.workstream_id, r.metadata FROM (SELECT id ${where} ORDER BY id) i
    CROSS JOIN agent_results r ON r.id = i.id
    WHERE octet_length(r.metadata) <= ${LONGEST_BYTES} ORDER BY i.id LIMIT ?`;
  const shown = rows(connection, outputRow, sql, runId, limit).map((row) => {
    const { title, output, metrics } = readMetadata(row.metadata, row.workstream_id);
    return { workstreamId: row.workstream_id, title, output, metrics };
  });
  return { shown, total: countOf(connection, `SELECT COUNT(*) AS n ${where}`, runId) };
}

/**
 * The output of each of these workstreams in this run, or, for those that are no part of it, in the run in which they
 * last completed; null for one that gave none.
 */
export function outputsOf(
  connection: Connection,
  runId: string,
  ids: readonly string[],
): Record<string, Json> {
  // `attempts` is never null in rows that have an output; saying so lets the index on both ids be used.
  const sql = `
    SELECT r.workstream_id, r.metadata FROM json_each(?) wanted
    LEFT JOIN workstream_durations d ON d.workstream_id = wanted.value
    CROSS JOIN agent_results r ON r.workstream_id = wanted.value AND r.attempts IS NOT NULL
      AND r.run_id = COALESCE((SELECT run_id FROM agent_results
        WHERE run_id = ? AND workstream_id = wanted.value AND attempts IS NOT NULL), d.run_id)`;
  const outputs = new Map<string, Json>(ids.map((id) => [id, null]));
  for (const row of rows(connection, outputRow, sql, JSON.stringify(ids), runId)) {
    outputs.set(row.workstream_id, readMetadata(row.metadata, row.workstream_id).output);
  }
  return Object.fromEntries(outputs);
}
