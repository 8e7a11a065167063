/** Reads the single tests that acceptance tests ran: a table of their own, beside the object in `test_results`. */
import type { TestSummary } from '../../domain/agent-result.ts';
import type { Capped } from '../../domain/capped.ts';
import type { TestCase } from '../../domain/outcome.ts';
import type { FailedCase } from '../../domain/run-record.ts';
import type { Connection } from '../schema/connection.ts';
import { testCaseTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { countOf, rows } from './rows.ts';

const caseRow = testCaseTable.row.pick({
  position: true,
  suite: true,
  name: true,
  status: true,
  duration_seconds: true,
  message: true,
});

const OF_WORKSTREAM = `
SELECT ${columnsOf(caseRow, 't')} FROM test_cases t
WHERE t.run_id = ? AND t.workstream_id = ? ORDER BY t.position, t.id`;

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

const failedRow = testCaseTable.row.pick({
  workstream_id: true,
  acceptance_test: true,
  suite: true,
  name: true,
  message: true,
});

const FAILED = "FROM test_cases t WHERE t.run_id = ? AND t.status = 'failed'";

/** The failed cases of a run, in the order in which their results arrived. `total` is of those that have rows. */
export function failedCases(connection: Connection, runId: string, limit: number): Capped<FailedCase> {
  const sql = `SELECT ${columnsOf(failedRow, 't')} ${FAILED} ORDER BY t.id LIMIT ?`;
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
