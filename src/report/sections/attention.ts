/** What needs a person: failures by their pattern, what was skipped or not merged, and checks that are left for a person. */
import type { PhrasingContent } from 'mdast';
import { describeAssociation } from '../../analysis/associations.ts';
import type { PatternHistory } from '../../domain/history/history.ts';
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import type { RunDocumentHead, ShortResult } from '../../domain/run-record.ts';
import { FALSE_SUCCESSES } from '../../domain/tool.ts';
import { percent, plural, seconds } from '../../text/format.ts';
import { cappedTable, dateTime, excerpt, firstFrame, timeOfDay } from '../cells.ts';
import {
  type Block,
  type Cell,
  code,
  codes,
  details,
  fence,
  glue,
  heading,
  list,
  paragraph,
  prose,
  strong,
  text,
} from '../nodes.ts';
import { select } from '../query.ts';
import { mergeProblems } from './merges.ts';
import { manualChecks } from './tests.ts';

/** Groups that are shown whole; further ones are a table row each, up to this many. */
const WHOLE = 20;
const ROWS = 80;

/** Most workstreams in one table. */
const LIMIT = 100;

/** A longer table is closed until the reader opens it. */
const OPEN = 10;

/** Most characters of a telling line, a message, an output and a stack. */
const TELLING = 400;
const MESSAGE = 2000;
const CONTEXT = 3000;

export function attention(head: RunDocumentHead): Block[] {
  const blocks = [
    ...groups(head),
    ...everyFailure(head),
    ...falseSuccesses(head),
    ...mergeProblems(head),
    ...skipped(head),
    ...manualChecks(head),
  ];
  return blocks.length === 0 ? [] : [heading(2, 'What needs a person'), ...blocks];
}

function groups(head: RunDocumentHead): Block[] {
  const { errors, errorPatterns, run, database } = head;
  if (errors.length === 0) return [];
  const whole = errors.slice(0, WHOLE).flatMap((pattern, index) => group(pattern, index + 1, head));
  const others = { shown: errors.slice(WHOLE, WHOLE + ROWS), total: errorPatterns - WHOLE };
  if (others.total <= 0) return whole;
  const rest = select(
    database,
    run.runId,
    'error_type, count(*), min(error_message)',
    'consolidated_errors',
    ' GROUP BY error_type, error_message ORDER BY 2 DESC',
  );
  return [
    ...whole,
    heading(3, 'Other groups'),
    ...cappedTable(others, {
      columns: ['Type', { right: 'Count' }, 'Error', 'State', 'Example'],
      row: ({ type, count, pattern, history, example }) => [
        type,
        count,
        pattern,
        history?.state ?? null,
        [code(example.workstreamId)],
      ],
      limit: ROWS,
      noun: 'group',
      rest,
    }),
  ];
}

/** A group of errors: what they are, where they are, and what to run. */
function group(pattern: ErrorPattern, position: number, { run }: RunDocumentHead): Block[] {
  const { count, example, history, telling } = pattern;
  const state = history === null || history.state === 'unknown' ? [] : [glue(', '), strong(history.state)];
  const told = telling.trim() === '' ? [] : [fence('text', excerpt(telling, TELLING, 'start'))];
  return [
    heading(3, glue(`${position}. `), text(pattern.type, 60), `: ${times(count)}`, ...state),
    ...(count > 1 && pattern.pattern !== telling ? [paragraph(code(pattern.pattern, 300))] : []),
    ...told,
    list(false, facts(pattern, run.runId)),
    ...details('Message, last output and stack', [
      ...labelled(
        'Message',
        example.message.trim() === telling.trim() ? null : example.message,
        MESSAGE,
        'start',
      ),
      ...labelled('Last output', example.tail, CONTEXT, 'end'),
      ...labelled('Stack', example.stack, CONTEXT, 'start'),
    ]),
  ];
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function facts(pattern: ErrorPattern, runId: string): PhrasingContent[][] {
  const { workstreams, count, example, history, values, places, goesWith } = pattern;
  const frame = example.stack === null ? null : firstFrame(example.stack);
  const known = history === null ? '' : historyText(history);
  return [
    [strong('In'), glue(': '), ...codes(workstreams, 20, count)],
    ...(places.length > 1
      ? [[strong('At'), glue(': '), ...counted(places.map(({ place, count: n }) => [place, n]))]]
      : []),
    ...values.map(({ hole, distinct, shown }): PhrasingContent[] => [
      strong(values.length === 1 ? 'With' : `With (place ${hole + 1})`),
      glue(': '),
      ...counted(
        shown.map(({ text: value, count: n }) => [value, n]),
        distinct,
      ),
    ]),
    ...(known === '' ? [] : [[strong('Before'), glue(': '), ...prose(known)]]),
    ...goesWith.slice(0, 3).map((each) => prose(`It ${describeAssociation(each)}.`)),
    [
      strong('Example'),
      glue(': '),
      code(example.workstreamId),
      glue(' on '),
      code(example.agentId),
      ...(frame === null ? [] : [glue(' at '), code(frame)]),
    ],
    ...(example.logFile === null ? [] : [[strong('Whole output'), glue(': '), code(example.logFile)]]),
    [strong('Run again'), glue(': '), code(again(pattern, runId))],
  ];
}

/** Texts with how often each was there, the most frequent first. */
function counted(found: [string, number][], distinct = found.length): PhrasingContent[] {
  const shown = found.slice(0, 5);
  const left = distinct - shown.length;
  return [
    ...shown.flatMap(([name, count], index) => [
      ...(index === 0 ? [] : [glue(', ')]),
      code(name, 120),
      ...(count > 1 ? [glue(` (${count})`)] : []),
    ]),
    ...(left > 0 ? [glue(` and ${left} more`)] : []),
  ];
}

/** Most workstreams that a command names. */
const NAMED = 3;

function again({ id, workstreams, count }: ErrorPattern, runId: string): string {
  if (count > NAMED || workstreams.length < count)
    return `millrace run --retry-failed ${runId} --pattern ${id}`;
  return `millrace run ${workstreams.join(' ')}`;
}

/** What earlier runs say of a group, as a sentence. */
function historyText({ state, firstSeen, lastPassed, commitRange, rate }: PatternHistory): string {
  const passed =
    lastPassed === null ? '' : `last passed in \`${lastPassed.runId}\` (${dateTime(lastPassed.at)})`;
  const since =
    firstSeen === null || state === 'new'
      ? ''
      : `first seen in \`${firstSeen.runId}\` (${dateTime(firstSeen.at)})`;
  const range =
    commitRange === null
      ? ''
      : `since then \`${commitRange.from.slice(0, 12)}..${commitRange.to.slice(0, 12)}\``;
  const often =
    rate === null
      ? ''
      : `fails so in ${percent(rate.value)} of ${plural(rate.runs, 'run')} (${percent(rate.low)} to ${percent(rate.high)})`;
  return [since, passed, range, often].filter((part) => part !== '').join('; ');
}

function labelled(label: string, content: string | null, limit: number, keep: 'start' | 'end'): Block[] {
  const shown = content === null ? '' : excerpt(content, limit, keep);
  return shown === '' ? [] : [paragraph(`${label}:`), fence('text', shown)];
}

/** Nothing where each failure is the example of its group, and told there. */
function everyFailure({ failures, errors, errorPatterns, run, database }: RunDocumentHead): Block[] {
  if (failures.total <= errorPatterns && errorPatterns <= WHOLE) return [];
  const rest = select(
    database,
    run.runId,
    'workstream_id, errors',
    'agent_results',
    " AND status = 'failed'",
  );
  const rows = cappedTable(failures, {
    columns: ['Workstream', 'Reason', 'What happened', 'Agent', 'At (UTC)', { right: 'Took' }, 'Log'],
    row: (item) => failureRow(item, run.createdAt),
    limit: LIMIT,
    noun: 'failure',
    rest,
  });
  if (rows.length === 0) return [];
  // Where the groups say nothing, as of older systems, it is all there is to read.
  return errors.length === 0
    ? [heading(3, 'What failed'), ...rows]
    : details(`Every failure (${failures.total})`, rows);
}

function failureRow(item: ShortResult, since: string): Cell[] {
  return [
    [code(item.workstreamId)],
    item.reason,
    explanation(item),
    item.agentId,
    timeOfDay(item.startTime, since),
    seconds(item.durationSeconds),
    item.logFile === null ? null : [code(item.logFile)],
  ];
}

const FALSE = new Set<string | null>(FALSE_SUCCESSES);

/** Tools that ended as if they had done their work, and had not. */
function falseSuccesses({ failures }: RunDocumentHead): Block[] {
  const found = failures.shown.filter(({ reason }) => FALSE.has(reason));
  if (found.length === 0) return [];
  return [
    heading(3, 'Said to be done, and was not'),
    paragraph(
      `A coding agent ended as if it had done its work in ${plural(found.length, 'workstream')}: `,
      ...codes(
        found.map(({ workstreamId }) => workstreamId),
        20,
      ),
      '.',
    ),
  ];
}

function skipped({ skipped: found, run, database }: RunDocumentHead): Block[] {
  const rest = select(
    database,
    run.runId,
    'workstream_id, errors',
    'agent_results',
    " AND status = 'skipped'",
  );
  const rows = cappedTable(found, {
    columns: ['Workstream', 'Reason', 'Why'],
    row: (item) => [[code(item.workstreamId)], item.reason, explanation(item)],
    limit: LIMIT,
    noun: 'skipped workstream',
    rest,
  });
  if (rows.length === 0) return [];
  return [
    heading(3, 'What was skipped'),
    ...(found.total > OPEN ? details(plural(found.total, 'workstream'), rows) : rows),
  ];
}

function explanation(item: ShortResult): Cell {
  return item.explanation === null ? null : prose(item.explanation, 300);
}
