import type { Candidate } from '../../domain/candidate.ts';
import type { ConsolidatedResult } from '../../domain/run-record.ts';
import { dollars } from '../../support/dollars.ts';
import { seconds } from '../../support/seconds.ts';
import { type Block, type Cell, code, type Column, heading, paragraph, table } from '../nodes.ts';

/** Most workstreams here. */
const LIMIT = 50;
/** Characters of a commit that tell it apart. */
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
export function competitions({ competitions: all }: ConsolidatedResult): Block[] {
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
        .slice(0, LIMIT)
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
