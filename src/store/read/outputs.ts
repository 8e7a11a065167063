/** Reads the outputs of workstreams. */
import { z } from 'zod';
import type { Capped } from '../../domain/capped.ts';
import { isObject, type Json } from '../../domain/json.ts';
import type { WorkstreamOutput } from '../../domain/run-record.ts';
import type { ToolReport } from '../../domain/tool-report.ts';
import type { Connection } from '../schema/connection.ts';
import { resultTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { completedEarlier } from './durations.ts';
import { countOf, rows } from './rows.ts';
import { runStatus } from './run-status.ts';

const outputRow = resultTable.row.pick({ workstream_id: true, metadata: true });

const shownCells = resultTable.row.pick({
  workstream_id: true,
  metadata: true,
  status: true,
  reason: true,
  explanation: true,
});
const shownRow = shownCells.extend({
  passed: z.number(),
  failed: z.number(),
});

/** The cell of an older system may hold anything. */
const testsThat = (how: 'passed' | 'failed'): string =>
  `CASE WHEN json_valid(r.test_results) THEN COALESCE(json_extract(r.test_results, '$.${how}'), 0) ELSE 0 END AS ${how}`;

/** The tool whose last message the output is; null for none. */
function toolOfOutput(output: Json, tools: readonly ToolReport[]): string | null {
  if (!isObject(output)) return null;
  return tools.findLast(({ text }) => text === output['text'])?.tool ?? null;
}

/** A longer output is not shown in a report; the query at the report's end prints it. */
const LONGEST_BYTES = 65_536;

/** Outputs and metrics of a run in the order in which they arrived. Very long ones are counted and not shown. */
export function shownOutputs(connection: Connection, runId: string, limit: number): Capped<WorkstreamOutput> {
  const where = 'FROM agent_results WHERE run_id = ? AND has_output = 1';
  // Rows are read until enough are found: an order of these would read all of them first.
  const sql = `
    WITH i AS MATERIALIZED (SELECT id ${where} ORDER BY id),
    enough AS MATERIALIZED (
      SELECT r.id FROM i CROSS JOIN agent_results r ON r.id = i.id
      WHERE octet_length(r.metadata) <= ${LONGEST_BYTES} LIMIT ?)
    SELECT ${columnsOf(shownCells, 'r')},
      ${testsThat('passed')}, ${testsThat('failed')}
    FROM enough CROSS JOIN agent_results r ON r.id = enough.id ORDER BY r.id`;
  const shown = rows(connection, shownRow, sql, runId, limit).map((row) => {
    const { title, output, metrics, tools } = row.metadata;
    const { workstream_id: workstreamId, reason, explanation, passed, failed } = row;
    const status = runStatus(row.status);
    const tool = toolOfOutput(output, tools);
    return {
      workstreamId,
      title: title ?? workstreamId,
      status,
      reason,
      explanation,
      tool,
      tests: { passed, failed },
      output,
      metrics,
    };
  });
  return { shown, total: countOf(connection, `SELECT COUNT(*) AS n ${where}`, runId) };
}

/** Output of one of these workstreams in this run; the condition on `attempts` lets SQLite use the index. */
const OUTPUTS = `
  SELECT ${columnsOf(outputRow, 'r')} FROM json_each(?) wanted
  CROSS JOIN agent_results r ON r.run_id = ? AND r.workstream_id = wanted.value AND r.attempts IS NOT NULL`;

const COMPLETED = " WHERE r.status = 'completed'";

/**
 * The output of each of these workstreams in this run, or, for those that are no part of it, in the one whose failures
 * it tries again, or else in the run in which they last completed; null for one without an output.
 */
export function outputsOf(
  connection: Connection,
  runId: string,
  ids: readonly string[],
  retryOf: string | null = null,
): Record<string, Json> {
  const outputs = new Map<string, Json>();
  addOutputs(connection, runId, ids, outputs);
  const rest = ids.filter((id) => !outputs.has(id));
  if (retryOf !== null && rest.length > 0) addOutputs(connection, retryOf, rest, outputs, COMPLETED);
  const elsewhere = ids.filter((id) => !outputs.has(id));
  if (elsewhere.length > 0) {
    for (const [id, earlier] of completedEarlier(connection, elsewhere)) {
      addOutputs(connection, earlier.runId, [id], outputs);
    }
  }
  return Object.fromEntries(ids.map((id) => [id, outputs.get(id) ?? null]));
}

function addOutputs(
  connection: Connection,
  runId: string,
  ids: readonly string[],
  outputs: Map<string, Json>,
  condition = '',
): void {
  const sql = `${OUTPUTS}${condition}`;
  for (const row of rows(connection, outputRow, sql, JSON.stringify(ids), runId)) {
    outputs.set(row.workstream_id, row.metadata.output);
  }
}
