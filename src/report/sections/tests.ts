import type { ConsolidatedResult, TestNote } from '../../domain/run-record.ts';
import { plural } from '../../support/plural.ts';
import { cappedTable } from '../capped.ts';
import { type Block, type Cell, code, heading, paragraph, prose, text } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in one table here. */
const LIMIT = 100;

/** The acceptance tests: totals, what did not pass, and apart from them the checks that a person has to make. */
export function tests(result: ConsolidatedResult): Block[] {
  const { tests: totals, failedTests, manualChecks, run, database } = result;
  const ran = totals.passed + totals.failed;
  if (ran === 0 && manualChecks.total === 0) return [];
  const rest = select(database, run.runId, 'workstream_id, test_results', 'agent_results');
  const blocks: Block[] = [heading(2, 'Tests')];
  blocks.push(
    paragraph(
      ran === 0
        ? 'No acceptance test was run.'
        : `${totals.passed} of ${plural(ran, 'acceptance test')} passed, ${totals.failed} failed.`,
    ),
    ...cappedTable(failedTests, {
      columns: ['Workstream', 'Failed test', 'What it said'],
      row: noteRow,
      limit: LIMIT,
      noun: 'failed test',
      rest,
    }),
  );
  if (manualChecks.shown.length > 0) {
    blocks.push(
      heading(3, 'To be checked by a person'),
      paragraph('Millrace does not run these and counts them neither as passed nor as failed.'),
      ...cappedTable(manualChecks, {
        columns: ['Workstream', 'Check'],
        row: ({ workstreamId, name }) => [[code(workstreamId)], [text(name, 400)]],
        limit: LIMIT,
        noun: 'manual check',
        rest,
      }),
    );
  }
  return blocks;
}

function noteRow({ workstreamId, name, detail }: TestNote): Cell[] {
  return [[code(workstreamId)], [code(name, 200)], detail === '' ? null : prose(detail, 300)];
}
