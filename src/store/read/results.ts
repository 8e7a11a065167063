/** Reads whole results. */
import type { z } from 'zod';
import { type AgentResult, COORDINATOR } from '../../domain/agent-result.ts';
import { reasonSchema } from '../../domain/failure.ts';
import { textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { resultTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { eachRow } from './rows.ts';
import { runStatus, unusualRunStatus } from './run-status.ts';
import { withCases } from './test-cases.ts';

const cells = resultTable.row.omit({
  title: true,
  has_output: true,
  tool: true,
  model: true,
  cost_usd: true,
  input_tokens: true,
  output_tokens: true,
  branch: true,
  merge_status: true,
});
const resultRow = cells.extend({
  // Null for a word that is no reason of this version.
  reason: reasonSchema.nullable().catch(null),
  stack_trace: textCell,
  pattern: textCell,
});

/**
 * First the ids, then the rows in their order, so that sorting carries no rows; the first error of each result is
 * found in one pass.
 */
const RESULTS = `
WITH ids AS MATERIALIZED (SELECT id FROM agent_results WHERE run_id = ? ORDER BY id),
first_errors AS MATERIALIZED (
  SELECT workstream_id, MIN(id) AS id FROM consolidated_errors WHERE run_id = ? GROUP BY workstream_id)
SELECT ${columnsOf(cells, 'r')}, e.stack_trace, COALESCE(e.pattern, pattern_of(e.error_message)) AS pattern
FROM ids CROSS JOIN agent_results r ON r.id = ids.id
LEFT JOIN first_errors f ON r.status = 'failed' AND f.workstream_id = r.workstream_id
LEFT JOIN consolidated_errors e ON e.id = f.id
ORDER BY ids.id`;

/**
 * The results of a run in the order in which they arrived, one by one, so that any number of them fits in memory. While
 * that is under way nothing can be written through the same connection.
 */
export function* readResults(connection: Connection, runId: string): Generator<AgentResult, void, undefined> {
  for (const row of eachRow(connection, resultRow, RESULTS, runId, runId)) {
    const result = toResult(row);
    const testResults = withCases(connection, runId, result.workstreamId, result.testResults);
    yield { ...result, testResults };
  }
}

function toResult(row: z.infer<typeof resultRow>): AgentResult {
  return {
    runId: row.run_id,
    agentId: row.agent_id ?? COORDINATOR,
    workstreamId: row.workstream_id,
    status: runStatus(row.status),
    startTime: row.start_time,
    endTime: row.end_time,
    durationSeconds: row.duration_seconds,
    filesModified: row.files_modified,
    commitsCreated: row.commits_created,
    errors: row.errors,
    warnings: row.warnings,
    testResults: row.test_results,
    metadata: { ...row.metadata, title: row.metadata.title ?? row.workstream_id },
    reason: row.reason,
    explanation: row.explanation ?? unusualRunStatus(row.status),
    failure: row.failure,
    cpuSeconds: row.cpu_seconds,
    cpuWaitSeconds: row.cpu_wait_seconds,
    attempts: row.attempts ?? 0,
    definitionHash: row.definition_hash,
    logFile: row.log_file,
    stack: row.stack_trace,
    pattern: row.pattern === '' ? null : row.pattern,
  };
}
