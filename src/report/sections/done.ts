/** What was done: the tasks of coding agents one by one, what was tried more than once, and outputs. */
import type { Candidate } from '../../domain/attempt.ts';
import type { RunDocumentHead } from '../../domain/run-record.ts';
import { type Retried, type ReviewedWork, type ToolTask, totalCost } from '../../domain/tool-record.ts';
import { costSentence, dollars, plural, seconds } from '../../text/format.ts';
import { cappedTable } from '../cells.ts';
import {
  type Block,
  type Cell,
  type Column,
  code,
  details,
  glue,
  heading,
  paragraph,
  strong,
  table,
  text,
  UNKNOWN,
} from '../nodes.ts';
import type { ReportPlace } from '../output-view.ts';
import { select } from '../query.ts';
import { mergedWork } from './merges.ts';
import { outputs } from './outputs.ts';

/** Tasks that are seen at once; the others are closed until the reader opens them. */
const OPEN = 60;
const TASKS = 200;
/** Most workstreams that were tried more than once, and that were given to several tools. */
const RETRIED = 100;
const COMPETITIONS = 50;
const REVIEWS = 50;
/** Characters of a commit's hash that are shown. */
const HASH = 12;

export function done(head: RunDocumentHead, place: ReportPlace): Block[] {
  const blocks = [
    ...tasks(head),
    ...mergedWork(head),
    ...competitions(head),
    ...reviews(head),
    ...retried(head),
    ...outputs(head, place),
  ];
  return blocks.length === 0 ? [] : [heading(2, 'What was done'), ...blocks];
}

const TASK_COLUMNS: Column[] = [
  'Task',
  'Tool',
  'Verdict',
  'Tests',
  { right: 'Cost' },
  { right: 'Took' },
  { right: 'Lines' },
  'Branch',
  'Merged',
];

function tasks({ tasks: all, tools, run, database }: RunDocumentHead): Block[] {
  if (all.shown.length === 0) return [];
  const { knownUsd, unknown } = totalCost(tools);
  const open = all.shown.slice(0, OPEN);
  const rest = cappedTable(
    { shown: all.shown.slice(OPEN, TASKS), total: all.total - open.length },
    {
      columns: TASK_COLUMNS,
      row: taskRow,
      limit: TASKS - OPEN,
      noun: 'task',
      rest: select(
        database,
        run.runId,
        'workstream_id, tool, status, cost_usd, branch, merge_status',
        'agent_results',
        ' AND tool IS NOT NULL',
      ),
    },
  );
  return [
    paragraph(`Coding agents worked on ${plural(all.total, 'task')}. ${costSentence(knownUsd, unknown)}`),
    table(TASK_COLUMNS, open.map(taskRow)),
    ...details(plural(all.total - open.length, 'more task'), rest),
  ];
}

function taskRow(task: ToolTask): Cell[] {
  const { workstreamId, title, status, reason, attempts, tests, branch } = task;
  const named = title === workstreamId ? [] : [glue(' '), text(title, 100)];
  const ran = tests.passed + tests.failed;
  const tries = attempts > 1 ? [glue(`, ${attempts} attempts`)] : [];
  return [
    [code(workstreamId), ...named],
    task.model === null ? task.tool : `${task.tool} (${task.model})`,
    status === 'completed' ? [glue('completed'), ...tries] : [strong(status), ...because(reason), ...tries],
    ran === 0 ? 'none run' : `${tests.passed} of ${ran} passed`,
    task.costUsd === null ? null : dollars(task.costUsd),
    seconds(task.durationSeconds),
    linesText(task),
    branch === null ? null : [code(branch)],
    task.merge,
  ];
}

const because = (reason: string | null) => (reason === null ? [] : [glue(': '), text(reason, 60)]);

function linesText({ linesAdded, linesRemoved }: ToolTask): string {
  if (linesAdded === null && linesRemoved === null) return UNKNOWN;
  return `+${linesAdded ?? 0} −${linesRemoved ?? 0}`;
}

/** What several tools made of the same workstreams, and whose work was kept. */
function competitions({ competitions: all }: RunDocumentHead): Block[] {
  if (all.shown.length === 0) return [];
  return [
    heading(3, 'Best of several tools'),
    paragraph(
      'Kept is the first that was accepted, then the one with more tests passed, less cost, fewer lines changed, and of equals the one named first. ',
      code('git show'),
      ' shows the commits of the others.',
    ),
    table(
      [
        'Workstream',
        'Tool',
        'Kept',
        'Outcome',
        { right: 'Tests passed' },
        { right: 'Cost' },
        { right: 'Took' },
        { right: 'Lines changed' },
        'Commit',
      ],
      all.shown
        .slice(0, COMPETITIONS)
        .flatMap(({ workstreamId, candidates }) =>
          candidates.map((candidate) => candidateRow(workstreamId, candidate)),
        ),
    ),
  ];
}

function candidateRow(workstreamId: string, candidate: Candidate): Cell[] {
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

/** Most findings of a review that are shown. */
const FINDINGS = 20;

/** What reviewers said. What they found is listed; of an answer without findings its end. */
function reviews({ reviews: all, run, database }: RunDocumentHead): Block[] {
  if (all.total === 0) return [];
  return [
    heading(3, 'Reviews'),
    ...cappedTable(all, {
      columns: ['Workstream', { right: 'Attempt' }, 'Reviewer', 'Verdict', 'Findings', { right: 'Cost' }],
      row: reviewRow,
      limit: REVIEWS,
      noun: 'review',
      rest: select(database, run.runId, "workstream_id, metadata ->> '$.reviews'", 'agent_results'),
    }),
    ...details('What the reviewers said', all.shown.slice(0, REVIEWS).flatMap(findingsOf)),
  ];
}

function reviewRow({ workstreamId, attempt, tool, verdict, blocks, found, costUsd }: ReviewedWork): Cell[] {
  const said = verdict === 'none' ? 'no verdict' : verdict;
  return [
    [code(workstreamId)],
    attempt,
    tool,
    verdict === 'accepted' ? said : [strong(said), glue(blocks ? ', blocks' : ', does not block')],
    found,
    costUsd === null ? null : dollars(costUsd),
  ];
}

function findingsOf({ workstreamId, attempt, tool, findings, noVerdict, text: said }: ReviewedWork): Block[] {
  const why = noVerdict ?? (findings.length === 0 ? said : '');
  if (findings.length === 0 && why === '') return [];
  const title = paragraph(text(tool, 60), ' of ', code(workstreamId), `, attempt ${attempt}:`);
  if (findings.length === 0) return [title, paragraph(text(why, 1_000))];
  const rows = findings
    .slice(0, FINDINGS)
    .map(({ severity, file, line, text: what }): Cell[] => [
      severity,
      file === null ? null : [code(line === null ? file : `${file}:${line}`)],
      [text(what, 500)],
    ]);
  return [title, table(['Severity', 'Where', 'What'], rows)];
}

/** What was tried more than once, and why it was not tried again. */
function retried({ retried: all, run, database }: RunDocumentHead): Block[] {
  if (all.total === 0) return [];
  return details(
    `Tried more than once (${all.total})`,
    cappedTable(all, {
      columns: ['Workstream', { right: 'Attempts' }, 'Failed with', 'In the end', 'Given up because'],
      row: retriedRow,
      limit: RETRIED,
      noun: 'workstream',
      rest: select(database, run.runId, '*', 'workstream_attempts'),
    }),
  );
}

function retriedRow({ workstreamId, attempts, reasons, status, gaveUp }: Retried): Cell[] {
  return [[code(workstreamId)], attempts, reasons.join(', '), status, gaveUp];
}
