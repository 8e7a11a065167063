import type { RunDocumentHead } from '../../domain/run-record.ts';
import type { MergedWork, MergeProblem } from '../../domain/tool-record.ts';
import { plural } from '../../text/format.ts';
import { cappedTable } from '../cells.ts';
import { type Block, type Cell, code, codes, heading, paragraph } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in the table. */
const LIMIT = 100;
/** Most names that one cell has. */
const NAMES = 5;

/** Where the work of the run is, and how to take it over. */
export function mergedWork({ merges: work }: RunDocumentHead): Block[] {
  if (work === null) return [];
  return [
    work.merged === 0
      ? paragraph(left(work))
      : paragraph(
          `The work of ${plural(work.merged, 'workstream')} is in `,
          code(work.branch),
          '. Take it over with ',
          code(`git merge ${work.branch}`),
          '.',
        ),
  ];
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

/** What is not in the run's own branch and has to be merged by a person. */
export function mergeProblems({ merges: work, run, database }: RunDocumentHead): Block[] {
  if (work === null || work.problems.total === 0) return [];
  const what = plural(work.problems.total, 'workstream');
  return [
    heading(3, 'Work that could not be merged'),
    paragraph(
      work.branch === ''
        ? `The work of ${what} conflicts with what was accepted before:`
        : `The work of ${what} is not in the run's own branch:`,
    ),
    ...cappedTable(work.problems, {
      columns: ['Workstream', 'Conflicts with', 'Files', 'Its branch'],
      row: problemRow,
      limit: LIMIT,
      noun: 'workstream',
      rest: select(
        database,
        run.runId,
        'workstream_id, branch',
        'agent_results',
        " AND merge_status IN ('conflict', 'failed')",
      ),
    }),
  ];
}

function problemRow({ workstreamId, branch, conflictsWith, files, detail }: MergeProblem): Cell[] {
  return [
    [code(workstreamId)],
    conflictsWith.length === 0 ? detail : codes(conflictsWith, NAMES),
    files.length === 0 ? null : codes(files, NAMES),
    branch === null ? null : [code(branch)],
  ];
}
