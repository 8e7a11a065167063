/** Reads whole results. */
import { z } from 'zod';
import type { AgentResult, FinalStatus } from '../../domain/agent-result.ts';
import type { Connection } from '../schema/connection.ts';
import { isoTime, eachRow, numberCell, textCell } from './rows.ts';
import { readErrors, readFailure, readMetadata, readReason, readTests, readTexts } from './result-cells.ts';
import { runStatus, unusualRunStatus } from './run-status.ts';
import { withCases } from '../write/test-cases.ts';

const resultRow = z.object({
  run_id: z.string(),
  agent_id: z.string(),
  workstream_id: z.string(),
  status: z.string(),
  start_time: textCell,
  end_time: textCell,
  duration_seconds: numberCell,
  files_modified: textCell,
  commits_created: textCell,
  errors: textCell,
  warnings: textCell,
  test_results: textCell,
  metadata: textCell,
  reason: textCell,
  explanation: textCell,
  failure: textCell,
  cpu_seconds: numberCell,
  cpu_wait_seconds: numberCell,
  attempts: numberCell,
  log_file: textCell,
  stack_trace: textCell,
  pattern: textCell,
});
type ResultRow = z.infer<typeof resultRow>;

const ofStatus = (status: FinalStatus | null): string => (status === null ? '' : 'AND status = ?');

/**
 * First the ids, then the rows in their order, so that sorting carries no rows; the first error of each result is
 * found in one pass.
 */
const select = (status: FinalStatus | null): string => `
WITH ids AS MATERIALIZED (SELECT id FROM agent_results WHERE run_id = ? ${ofStatus(status)} ORDER BY id),
first_errors AS MATERIALIZED (
  SELECT workstream_id, MIN(id) AS id FROM consolidated_errors WHERE run_id = ? GROUP BY workstream_id)
SELECT r.*, e.stack_trace, COALESCE(e.pattern, pattern_of(e.error_message)) AS pattern
FROM ids CROSS JOIN agent_results r ON r.id = ids.id
LEFT JOIN first_errors f ON r.status = 'failed' AND f.workstream_id = r.workstream_id
LEFT JOIN consolidated_errors e ON e.id = f.id
ORDER BY ids.id`;

/**
 * The results of a run in the order in which they arrived, one by one, so that any number of them fits in memory.
 * @param status only these; null for all.
 */
export function* readResults(
  connection: Connection,
  runId: string,
  status: FinalStatus | null,
): Generator<AgentResult, void, undefined> {
  const parameters = status === null ? [runId, runId] : [runId, status, runId];
  for (const row of eachRow(connection, resultRow, select(status), ...parameters)) {
    const result = toResult(row);
    const testResults = withCases(connection, runId, result.workstreamId, result.testResults);
    yield { ...result, testResults };
  }
}

function toResult(row: ResultRow): AgentResult {
  const status = runStatus(row.status);
  return {
    runId: row.run_id,
    agentId: row.agent_id,
    workstreamId: row.workstream_id,
    status,
    startTime: isoTime(row.start_time),
    endTime: isoTime(row.end_time),
    durationSeconds: row.duration_seconds,
    filesModified: readTexts(row.files_modified),
    commitsCreated: readTexts(row.commits_created),
    errors: readErrors(row.errors),
    warnings: readTexts(row.warnings),
    testResults: readTests(row.test_results),
    metadata: readMetadata(row.metadata, row.workstream_id),
    reason: readReason(row.reason),
    explanation: row.explanation ?? unusualRunStatus(row.status),
    failure: readFailure(row.failure),
    cpuSeconds: row.cpu_seconds,
    cpuWaitSeconds: row.cpu_wait_seconds,
    attempts: row.attempts ?? 0,
    logFile: row.log_file,
    stack: row.stack_trace,
    pattern: row.pattern === '' ? null : row.pattern,
  };
}
