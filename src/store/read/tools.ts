/** Reads what each tool did in a run, and what became of each task. */
import { z } from 'zod';
import type { Capped } from '../../domain/capped.ts';
import { mergeSchema } from '../../domain/changes.ts';
import { FALSE_SUCCESSES } from '../../domain/tool.ts';
import type { ToolPerformance, ToolTask } from '../../domain/tool-record.ts';
import { numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { resultTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { maybeReviewed } from './attempts.ts';
import { rows } from './rows.ts';
import { runStatus } from './run-status.ts';

const performanceRow = z.object({
  tool: z.string(),
  model: textCell,
  workstreams: z.number(),
  attempts: z.number(),
  completed: z.number(),
  accepted: z.number(),
  not_accepted: z.number(),
  false_successes: z.number(),
  unknown_costs: z.number(),
  cost_usd: numberCell,
  input_tokens: numberCell,
  output_tokens: numberCell,
  duration_seconds: numberCell,
});

/** What tools were started for: attempts, and reviews of these. */
const WORK = `
SELECT run_id, workstream_id, 1 AS is_attempt, tool, model, reason, cost_usd, input_tokens, output_tokens, duration_seconds
FROM workstream_attempts
UNION ALL
SELECT r.run_id, r.workstream_id, 0, v.value ->> 'tool', v.value ->> 'model', NULL, v.value ->> 'costUsd',
  v.value ->> 'inputTokens', v.value ->> 'outputTokens', v.value ->> 'durationSeconds'
FROM agent_results r, json_each(CASE WHEN json_valid(r.metadata) THEN r.metadata ->> '$.reviews' END) v
WHERE ${maybeReviewed('r')} AND v.value ->> 'durationSeconds' > 0`;

/** An attempt that completed is accepted when acceptance tests said so, and none of them failed. */
const PERFORMANCE = `
SELECT a.tool, a.model,
  COUNT(DISTINCT a.workstream_id) AS workstreams,
  SUM(a.is_attempt) AS attempts,
  SUM(a.is_attempt AND a.reason IS NULL) AS completed,
  SUM(a.is_attempt AND a.reason IS NULL AND COALESCE(json_extract(r.test_results, '$.passed'), 0) > 0) AS accepted,
  SUM(a.reason IS 'acceptance-failed') AS not_accepted,
  SUM(a.reason IS NOT NULL AND a.reason IN (SELECT value FROM json_each(?))) AS false_successes,
  SUM(a.cost_usd IS NULL) AS unknown_costs,
  SUM(a.cost_usd) AS cost_usd,
  SUM(a.input_tokens) AS input_tokens,
  SUM(a.output_tokens) AS output_tokens,
  SUM(a.duration_seconds) AS duration_seconds
FROM (${WORK}) a
LEFT JOIN agent_results r ON r.run_id = a.run_id AND r.workstream_id = a.workstream_id
WHERE a.run_id = ? AND a.tool IS NOT NULL
GROUP BY a.tool, a.model ORDER BY a.tool, a.model`;

/** One entry for each tool and model that was asked, in the order of their names. */
export function toolPerformances(connection: Connection, runId: string): ToolPerformance[] {
  return rows(connection, performanceRow, PERFORMANCE, JSON.stringify(FALSE_SUCCESSES), runId).map((row) => ({
    tool: row.tool,
    model: row.model,
    workstreams: row.workstreams,
    attempts: row.attempts,
    completed: row.completed,
    accepted: row.accepted,
    notAccepted: row.not_accepted,
    falseSuccesses: row.false_successes,
    unknownCosts: row.unknown_costs,
    costUsd: row.cost_usd,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    seconds: row.duration_seconds ?? 0,
  }));
}

const cells = resultTable.row.pick({
  workstream_id: true,
  title: true,
  tool: true,
  model: true,
  status: true,
  reason: true,
  attempts: true,
  cost_usd: true,
  duration_seconds: true,
  branch: true,
});
const taskRow = cells.extend({
  merge_status: mergeSchema.shape.status.nullable().catch(null),
  passed: numberCell,
  failed: numberCell,
  files: numberCell,
  added: numberCell,
  removed: numberCell,
  total: z.number(),
});

/** `json_extract` of what is no JSON is an error, and an older system may have written anything. */
const inside = (column: string, path: string): string =>
  `CASE WHEN json_valid(r.${column}) THEN json_extract(r.${column}, '${path}') END`;
const lines = (which: string): string =>
  `(SELECT SUM(value ->> '${which}') FROM json_each(${inside('metadata', '$.changes.files')}))`;

const TASKS = `
SELECT ${columnsOf(cells, 'r')}, r.merge_status,
  ${inside('test_results', '$.passed')} AS passed, ${inside('test_results', '$.failed')} AS failed,
  json_array_length(${inside('metadata', '$.changes.files')}) AS files,
  ${lines('linesAdded')} AS added, ${lines('linesRemoved')} AS removed,
  COUNT(*) OVER () AS total
FROM agent_results r WHERE r.run_id = ? AND r.tool IS NOT NULL ORDER BY r.id LIMIT ?`;

/** What became of each workstream that a tool worked on, in the order in which their results arrived. */
export function toolTasks(connection: Connection, runId: string, limit: number): Capped<ToolTask> {
  const found = rows(connection, taskRow, TASKS, runId, limit);
  return { shown: found.map(toTask), total: found[0]?.total ?? 0 };
}

const toTask = (row: z.infer<typeof taskRow>): ToolTask => ({
  workstreamId: row.workstream_id,
  title: row.title ?? row.workstream_id,
  tool: row.tool ?? '',
  model: row.model,
  status: runStatus(row.status),
  reason: row.reason,
  attempts: row.attempts ?? 0,
  tests: { passed: row.passed ?? 0, failed: row.failed ?? 0 },
  costUsd: row.cost_usd,
  durationSeconds: row.duration_seconds,
  files: row.files,
  linesAdded: row.added,
  linesRemoved: row.removed,
  branch: row.branch,
  merge: row.merge_status,
});
