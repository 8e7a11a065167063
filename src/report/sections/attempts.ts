import type { Candidate } from '../../domain/attempt.ts';
import type { RunDocumentHead } from '../../domain/run-record.ts';
import type { Retried } from '../../domain/tool-record.ts';
import { dollars, seconds } from '../../text/format.ts';
import { cappedTable } from '../cells.ts';
import { type Block, type Cell, type Column, code, heading, paragraph, table } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in the table. */
const LIMIT = 100;

/** What was tried more than once, and why it was not tried again. */
export function attempts({ retried, run, database }: RunDocumentHead): Block[] {
  if (retried.total === 0) return [];
  return [
    heading(2, 'Tried more than once'),
    ...cappedTable(retried, {
      columns: ['Workstream', { right: 'Attempts' }, 'Failed with', 'In the end', 'Given up because'],
      row: retriedRow,
      limit: LIMIT,
      noun: 'workstream',
      rest: select(database, run.runId, '*', 'workstream_attempts'),
    }),
  ];
}

function retriedRow({ workstreamId, attempts: count, reasons, status, gaveUp }: Retried): Cell[] {
  return [[code(workstreamId)], count, reasons.join(', '), status, gaveUp];
}

/** Most workstreams here. */
const COMPETITION_LIMIT = 50;
/** Characters of a commit's hash that are shown. */
const HASH = 12;

const COLUMNS: Column[] = [
  'Workstream',
  'Tool',
  'Kept',
  'Outcome',
  { right: 'Tests passed' },
  { right: 'Cost' },
  { right: 'Took' },
  { right: 'Lines changed' },
  'Commit',
];

/** What several tools made of the same workstreams, and whose work was kept. */
export function competitions({ competitions: all }: RunDocumentHead): Block[] {
  if (all.shown.length === 0) return [];
  return [
    heading(2, 'Best of several tools'),
    paragraph(
      'Kept is the first that was accepted, then the one with more tests passed, less cost, less time, fewer lines changed. ',
      code('git show'),
      ' shows the commits of the others.',
    ),
    table(
      COLUMNS,
      all.shown
        .slice(0, COMPETITION_LIMIT)
        .flatMap(({ workstreamId, candidates }) =>
          candidates.map((candidate) => row(workstreamId, candidate)),
        ),
    ),
  ];
}

function row(workstreamId: string, candidate: Candidate): Cell[] {
  const { tool, chosen, accepted, completed, reason, testsPassed, costUsd, durationSeconds, changedLines } =
    candidate;
  return [
    [code(workstreamId)],
    tool,
    chosen ? 'yes' : 'no',
    accepted ? 'accepted' : completed ? 'completed' : reason,
    testsPassed,
    costUsd === null ? null : dollars(costUsd),
    seconds(durationSeconds),
    changedLines,
    candidate.commit === null ? null : [code(candidate.commit.slice(0, HASH))],
  ];
}
