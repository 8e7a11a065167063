/** Reads what each tool did in a run. */
import { z } from 'zod';
import { FALSE_SUCCESSES } from '../../domain/failure.ts';
import type { ToolPerformance } from '../../domain/tool-record.ts';
import { numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { rows } from './rows.ts';

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

/** An attempt that completed is accepted when acceptance tests said so, and none of them failed. */
const PERFORMANCE = `
SELECT a.tool, a.model,
  COUNT(DISTINCT a.workstream_id) AS workstreams,
  COUNT(*) AS attempts,
  SUM(a.reason IS NULL) AS completed,
  SUM(a.reason IS NULL AND COALESCE(json_extract(r.test_results, '$.passed'), 0) > 0) AS accepted,
  SUM(a.reason IS 'acceptance-failed') AS not_accepted,
  SUM(a.reason IS NOT NULL AND a.reason IN (SELECT value FROM json_each(?))) AS false_successes,
  SUM(a.cost_usd IS NULL) AS unknown_costs,
  SUM(a.cost_usd) AS cost_usd,
  SUM(a.input_tokens) AS input_tokens,
  SUM(a.output_tokens) AS output_tokens,
  SUM(a.duration_seconds) AS duration_seconds
FROM workstream_attempts a
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
