/** The single tests that acceptance tests ran: a table of their own, beside the object in `test_results`. */
import { z } from 'zod';
import type { AgentResult, TestSummary } from '../../domain/agent-result.ts';
import type { Capped } from '../../domain/capped.ts';
import type { FailedCase } from '../../domain/run-record.ts';
import type { TestCase } from '../../domain/outcome.ts';
import type { Connection } from '../schema/connection.ts';
import { numberCell, textCell } from '../schema/cells.ts';
import { countOf, rows } from '../read/rows.ts';
import type { Statements } from './recorder-statements.ts';

/** A row for each case. Runs inside the recorder's transaction. */
export function writeTestCases(statements: Statements, result: AgentResult): void {
  for (const [position, test] of result.testResults.tests.entries()) {
    for (const { suite, name, status, durationSeconds, message } of test.cases) {
      const owner = [result.runId, result.workstreamId, test.name, position];
      statements.testCase.run(...owner, suite, name, status, durationSeconds, message);
    }
  }
}

const caseRow = z.object({
  position: z.number(),
  suite: z.string(),
  name: z.string(),
  status: z.enum(['passed', 'failed', 'skipped']),
  duration_seconds: numberCell,
  message: textCell,
});

const OF_WORKSTREAM = `
SELECT position, suite, name, status, duration_seconds, message FROM test_cases
WHERE run_id = ? AND workstream_id = ? ORDER BY position, id`;

/** The summary with the cases of each of its tests. Asks for nothing where no test has any. */
export function withCases(
  connection: Connection,
  runId: string,
  workstreamId: string,
  summary: TestSummary,
): TestSummary {
  if (summary.tests.every(({ format }) => format === null)) return summary;
  const cases = new Map<number, TestCase[]>();
  for (const row of rows(connection, caseRow, OF_WORKSTREAM, runId, workstreamId)) {
    const { position, duration_seconds: durationSeconds, ...fields } = row;
    const list = cases.get(position) ?? [];
    list.push({ ...fields, durationSeconds });
    cases.set(position, list);
  }
  const tests = summary.tests.map((test, position) => ({ ...test, cases: cases.get(position) ?? [] }));
  return { ...summary, tests };
}

const failedRow = z.object({
  workstream_id: z.string(),
  acceptance_test: z.string(),
  suite: z.string(),
  name: z.string(),
  message: textCell,
});

const FAILED = "FROM test_cases WHERE run_id = ? AND status = 'failed'";

/** The failed cases of a run, in the order in which their results arrived. `total` is of those that have rows. */
export function failedCases(connection: Connection, runId: string, limit: number): Capped<FailedCase> {
  const sql = `SELECT workstream_id, acceptance_test, suite, name, message ${FAILED} ORDER BY id LIMIT ?`;
  const found = rows(connection, failedRow, sql, runId, limit);
  return {
    shown: found.map(({ workstream_id: workstreamId, acceptance_test: acceptanceTest, ...row }) => ({
      workstreamId,
      acceptanceTest,
      ...row,
    })),
    total: found.length < limit ? found.length : countOf(connection, `SELECT COUNT(*) AS n ${FAILED}`, runId),
  };
}
