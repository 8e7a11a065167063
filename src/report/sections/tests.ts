import type { FailedCase, RunDocumentHead, TestNote } from '../../domain/run-record.ts';
import { plural } from '../../text/format.ts';
import { cappedTable } from '../cells.ts';
import { type Block, type Cell, code, glue, heading, paragraph, prose, text } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in one table here. */
const LIMIT = 100;

/** The acceptance tests: totals, and what did not pass. */
export function tests(result: RunDocumentHead): Block[] {
  const { tests: totals, failedTests } = result;
  const ran = totals.passed + totals.failed;
  if (ran === 0) return [];
  const blocks: Block[] = [heading(2, 'Tests')];
  blocks.push(
    paragraph(`${totals.passed} of ${plural(ran, 'acceptance test')} passed, ${totals.failed} failed.`),
    ...cappedTable(failedTests, {
      columns: ['Workstream', 'Failed test', 'What it said'],
      row: noteRow,
      limit: LIMIT,
      noun: 'failed test',
      rest: restOf(result),
    }),
    ...cases(result),
  );
  return blocks;
}

const restOf = ({ database, run }: RunDocumentHead): string =>
  select(database, run.runId, 'workstream_id, test_results', 'agent_results');

/** Checks that Millrace can't make. */
export function manualChecks(result: RunDocumentHead): Block[] {
  if (result.manualChecks.shown.length === 0) return [];
  return [
    heading(3, 'To be checked by a person'),
    paragraph('Millrace does not run these and counts them neither as passed nor as failed.'),
    ...cappedTable(result.manualChecks, {
      columns: ['Workstream', 'Check'],
      row: checkRow,
      limit: LIMIT,
      noun: 'manual check',
      rest: restOf(result),
    }),
  ];
}

/** The test cases that the acceptance tests ran, as far as these say. */
function cases({ testCases, failedCases, run, database }: RunDocumentHead): Block[] {
  if (testCases === null && failedCases.shown.length === 0) return [];
  const blocks: Block[] = [heading(3, 'Test cases')];
  if (testCases !== null) {
    const { total, passed, failed, skipped } = testCases;
    blocks.push(
      paragraph(
        `Those that say what they ran, ran ${plural(total, 'test case')}: ${passed} passed, ${failed} failed, ${skipped} skipped.`,
      ),
    );
  }
  const columns = 'workstream_id, acceptance_test, suite, name, message';
  blocks.push(
    ...cappedTable(failedCases, {
      columns: ['Workstream', 'Failed test case', 'What it said'],
      row: caseRow,
      limit: LIMIT,
      noun: 'failed test case',
      rest: select(database, run.runId, columns, 'test_cases', " AND status = 'failed'"),
    }),
  );
  return blocks;
}

function caseRow({ workstreamId, acceptanceTest, suite, name, message }: FailedCase): Cell[] {
  const where = [suite, name].filter((part) => part !== '').join(' > ');
  return [
    [code(workstreamId), glue(' '), code(acceptanceTest, 100)],
    [code(where, 300)],
    message === null ? null : [text(message, 300)],
  ];
}

function checkRow({ workstreamId, name, detail }: TestNote): Cell[] {
  return [
    [code(workstreamId)],
    detail === '' ? [text(name, 400)] : [text(name, 400), glue(': '), ...prose(detail, 300)],
  ];
}

function noteRow({ workstreamId, name, detail }: TestNote): Cell[] {
  return [[code(workstreamId)], [code(name, 200)], detail === '' ? null : prose(detail, 300)];
}
