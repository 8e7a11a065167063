import type { RunDocumentHead } from '../../domain/run-record.ts';
import type { MergedWork, MergeProblem, OutsideWork } from '../../domain/tool-record.ts';
import { plural } from '../../text/format.ts';
import { cappedTable } from '../cells.ts';
import { type Block, type Cell, code, codes, glue, heading, paragraph } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in the table. */
const LIMIT = 100;
/** Most names that one cell has. */
const NAMES = 5;

/** Where the work of the run is, and how to take it over. */
export function mergedWork({ merges: work }: RunDocumentHead): Block[] {
  if (work === null) return [];
  if (work.merged === 0) return [paragraph(left(work)), ...outsideWork(work)];
  return [
    paragraph(
      `The work of ${plural(work.merged, 'workstream')} is in `,
      code(work.branch),
      `; ${testedSentence(work)} Take it over with `,
      code(`git merge ${work.branch}`),
      '.',
    ),
    ...outsideWork(work),
  ];
}

/** What is known of the tests of all that is merged. */
function testedSentence({ tested, caveat }: Pick<MergedWork, 'tested' | 'caveat'>): string {
  const passing = caveat === '' ? 'its tests pass there together' : 'its tests do not all pass there';
  const clause = tested ? passing : 'it has no tests that say whether it works';
  return caveat === '' ? `${clause}.` : `${clause}: ${caveat}.`;
}

/** What was changed that nobody asked for, to be looked at before it is taken over. */
function outsideWork({ outside }: MergedWork): Block[] {
  if (outside.total === 0) return [];
  return [
    paragraph('Of it, these changes are outside the scope of their workstream:'),
    ...cappedTable(outside, {
      columns: ['Workstream', 'Files outside its scope'],
      row: ({ workstreamId, files }) => [[code(workstreamId)], codes(files.map(diffstat), NAMES)],
      limit: LIMIT,
      noun: 'workstream',
      rest: '',
    }),
  ];
}

/** `path +2 −1` */
function diffstat({ path, linesAdded, linesRemoved }: OutsideWork['files'][number]): string {
  return linesAdded === null || linesRemoved === null ? path : `${path} +${linesAdded} −${linesRemoved}`;
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
        ? `The work of ${what} can't be merged with what was accepted before:`
        : `The work of ${what} is not in the run's own branch:`,
    ),
    ...cappedTable(work.problems, {
      columns: ['Workstream', 'Why', 'With', 'Files', 'Its branch'],
      row: problemRow,
      limit: LIMIT,
      noun: 'workstream',
      rest: select(
        database,
        run.runId,
        'workstream_id, branch',
        'agent_results',
        " AND merge_status NOT IN ('merged', 'mergeable', 'nothing-to-merge')",
      ),
    }),
  ];
}

function problemRow(problem: MergeProblem): Cell[] {
  const { workstreamId, branch, conflictsWith, partner, files } = problem;
  const others = partner === null ? conflictsWith : [partner];
  return [
    [code(workstreamId)],
    whyNotMerged(problem),
    others.length === 0 ? null : codes(others, NAMES),
    files.length === 0 ? null : codes(files, NAMES),
    branch === null ? null : [code(branch)],
  ];
}

function whyNotMerged({ status, detail, failingTest }: MergeProblem): Cell {
  switch (status) {
    case 'breaks-tests':
      return failingTest === null ? 'breaks the tests' : [glue('breaks '), code(failingTest)];
    case 'conflict':
      return 'conflict';
    case 'pending':
      return 'the run ended before it was merged';
    case 'failed':
    case 'outside-scope':
    case 'merged':
    case 'mergeable':
    case 'nothing-to-merge':
      return detail;
  }
}
