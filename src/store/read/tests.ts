/** Reads the acceptance tests of a run, and the single tests that these ran, which have a table of their own. */
import { z } from 'zod';
import type { TestSummary } from '../../domain/agent-result.ts';
import type { Capped } from '../../domain/capped.ts';
import type { TestCase, TestCounts } from '../../domain/outcome.ts';
import type { FailedCase, TestNote, TestTotals } from '../../domain/run-record.ts';
import { numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { NO_TESTS } from '../schema/result-cells.ts';
import { testCaseTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { countOf, firstRow, rows } from './rows.ts';

/** `test_results` where it can be read; most workstreams have no tests, and their rows are not read. */
const SOURCE = `(
  SELECT id, workstream_id, test_results AS cell FROM agent_results
  WHERE run_id = ? AND test_results <> '${NO_TESTS}' AND json_valid(test_results))`;

const totalsRow = z.object({ total: numberCell, passed: numberCell, failed: numberCell, manual: numberCell });

const sum = (name: string): string => `SUM(json_extract(cell, '$.${name}')) AS ${name}`;

/** All tests of a run together. */
export function testTotals(connection: Connection, runId: string): TestTotals {
  const sql = `SELECT ${['total', 'passed', 'failed', 'manual'].map(sum).join(', ')} FROM ${SOURCE}`;
  const row = firstRow(connection, totalsRow, sql, runId);
  return {
    total: row?.total ?? 0,
    passed: row?.passed ?? 0,
    failed: row?.failed ?? 0,
    manual: row?.manual ?? 0,
  };
}

const casesRow = z.object({ total: numberCell, passed: numberCell, failed: numberCell, skipped: numberCell });

const sumOfCases = (name: string): string => `SUM(json_extract(cell, '$.cases.${name}')) AS ${name}`;

/** What the acceptance tests of a run ran, added up over those that say; null where none does. */
export function caseTotals(connection: Connection, runId: string): TestCounts | null {
  const columns = ['total', 'passed', 'failed', 'skipped'].map(sumOfCases).join(', ');
  const row = firstRow(connection, casesRow, `SELECT ${columns} FROM ${SOURCE}`, runId);
  if (row === null || row.total === null) return null;
  return { total: row.total, passed: row.passed ?? 0, failed: row.failed ?? 0, skipped: row.skipped ?? 0 };
}

const noteRow = z.object({ workstream_id: z.string(), name: textCell, detail: textCell, total: z.number() });

/** The tests of a run that failed, or that a person has to make, in the order in which their results arrived. */
export function testNotes(
  connection: Connection,
  runId: string,
  status: 'failed' | 'manual',
  limit: number,
): Capped<TestNote> {
  const sql = `
    SELECT workstream_id, json_extract(value, '$.name') AS name, json_extract(value, '$.detail') AS detail,
      COUNT(*) OVER () AS total
    FROM ${SOURCE} t, json_each(t.cell, '$.tests') e
    WHERE e.type = 'object' AND json_extract(value, '$.status') = ? ORDER BY t.id, e.key LIMIT ?`;
  const found = rows(connection, noteRow, sql, runId, status, limit);
  return {
    shown: found.map((row) => ({
      workstreamId: row.workstream_id,
      name: row.name ?? '',
      detail: row.detail ?? '',
    })),
    total: found[0]?.total ?? 0,
  };
}

// ── Single tests ──

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
