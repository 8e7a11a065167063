import type { RunDocumentHead } from '../../domain/run-record.ts';
import type { MergedWork, MergeProblem } from '../../domain/tool-record.ts';
import { plural } from '../../text/format.ts';
import { cappedTable } from '../cells.ts';
import { type Block, type Cell, code, glue, heading, paragraph } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in the table. */
const LIMIT = 100;
/** Most files that one row names. */
const FILES = 5;

/** The run's own branch, how to take it over, and what is not in it. */
export function merges({ merges: work, run, database }: RunDocumentHead): Block[] {
  if (work === null) return [];
  const blocks: Block[] = [heading(2, 'Merged work')];
  blocks.push(
    work.merged === 0
      ? paragraph(left(work))
      : paragraph(
          `The work of ${plural(work.merged, 'workstream')} is in `,
          code(work.branch),
          '. Take it over with ',
          code(`git merge ${work.branch}`),
          '.',
        ),
  );
  if (work.problems.total === 0) return blocks;
  const rest = select(
    database,
    run.runId,
    'workstream_id, branch',
    'agent_results',
    " AND merge_status IN ('conflict', 'failed')",
  );
  blocks.push(
    paragraph(
      work.branch === ''
        ? `${plural(work.problems.total, 'workstream')} could not be merged with those that were accepted before:`
        : `${plural(work.problems.total, 'workstream')} could not be merged into it:`,
    ),
    ...cappedTable(work.problems, {
      columns: ['Workstream', 'Conflicts with', 'Files', 'Its branch'],
      row: problemRow,
      limit: LIMIT,
      noun: 'workstream',
      rest,
    }),
  );
  return blocks;
}

/** What is on branches of its own because nothing is merged. */
function left({ branch, mergeable }: MergedWork): string {
  if (branch !== '') return 'Nothing was merged.';
  const clean =
    mergeable === 0
      ? ''
      : ` ${plural(mergeable, 'workstream')} could be, one after another, without a conflict.`;
  return `Nothing was to be merged: each workstream's work is on its own branch.${clean}`;
}

function problemRow({ workstreamId, branch, conflictsWith, files, detail }: MergeProblem): Cell[] {
  return [
    [code(workstreamId)],
    conflictsWith.length === 0 ? detail : codes(conflictsWith),
    codes(files),
    branch === null ? null : [code(branch)],
  ];
}

function codes(names: readonly string[]): Cell {
  if (names.length === 0) return null;
  const left = names.length - FILES;
  return [
    ...names
      .slice(0, FILES)
      .flatMap((name, index) => (index === 0 ? [code(name)] : [glue(', '), code(name)])),
    ...(left > 0 ? [glue(` and ${left} more`)] : []),
  ];
}
