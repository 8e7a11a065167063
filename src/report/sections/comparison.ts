import { isComparedAtEnd } from '../../analysis/compare.ts';
import {
  type Change,
  comparisonSentence,
  type DurationShift,
  type RunComparison,
  shortCommit,
} from '../../domain/history/history.ts';
import type { RunDocumentHead } from '../../domain/run-record.ts';
import { seconds } from '../../text/format.ts';
import { dateTime, ratio } from '../cells.ts';
import {
  type Block,
  type Cell,
  code,
  codes,
  details,
  glue,
  heading,
  list,
  paragraph,
  prose,
  strong,
  table,
} from '../nodes.ts';

/** Most rows of each kind of change, and of durations. */
const CHANGES = 20;
/** Most workstreams that a line names. */
const NAMES = 10;

/** Of a run that has too many workstreams for what it took. */
const notCompared = (runId: string): Block[] => [
  heading(2, 'Compared with the last run'),
  paragraph(
    'To compare so many workstreams would have taken too large a part of the time of this run. It is done by ',
    code(`millrace compare ${runId}`),
    '.',
  ),
];

/** What changed since the run before it of the same workstreams. */
export function comparison(head: RunDocumentHead): Block[] {
  const { comparison: found, errors, run } = head;
  if (found === null) return isComparedAtEnd(head) ? [] : notCompared(run.runId);
  const patterns = new Map(errors.map(({ id, type, pattern }) => [id, `${type}: ${pattern}`]));
  const rows = (state: string, { shown }: RunComparison['new']): Cell[][] =>
    shown.slice(0, CHANGES).map((change) => changeRow(state, change, patterns));
  const open = [
    ...rows('new', found.new),
    ...rows('regressed', found.regressed),
    ...rows('flaky', found.flaky),
    // Too few passes are not called a fix.
    ...found.fixed.shown
      .slice(0, CHANGES)
      .map((change) => changeRow(change.history.state === 'fixed' ? 'fixed' : 'passing', change, patterns)),
  ];
  const columns = ['What', 'Workstream', 'Failure', 'First seen', 'Last passed'];
  const recurring = rows('recurring', found.recurring);
  const left = [found.new, found.regressed, found.flaky, found.fixed, found.recurring].some(
    ({ total }) => total > CHANGES,
  );
  return [
    heading(2, 'Compared with the last run'),
    paragraph(...prose(comparisonSentence(found))),
    paragraph(...base(found.base)),
    ...(open.length === 0 ? [] : [table(columns, open)]),
    ...details(
      `Still failing (${found.recurring.total})`,
      recurring.length === 0 ? [] : [table(columns, recurring)],
    ),
    ...lists(found),
    ...durations(found),
    ...(left
      ? [paragraph('All of it: ', code(`millrace compare ${found.base.runId} ${run.runId}`), '.')]
      : []),
  ];
}

function base(ref: RunComparison['base']) {
  const commit = shortCommit(ref);
  return [
    glue('That run is '),
    code(ref.runId),
    ...(ref.label === null ? [] : [glue(', '), code(ref.label)]),
    glue(` of ${dateTime(ref.at)} UTC`),
    ...(commit === '' ? [] : [glue(', at '), code(commit)]),
    glue('.'),
  ];
}

function changeRow(state: string, change: Change, patterns: ReadonlyMap<string, string>): Cell[] {
  const { firstSeen, lastPassed } = change.history;
  const pattern = change.patternId === null ? undefined : patterns.get(change.patternId);
  return [
    [strong(state)],
    [code(change.workstreamId)],
    pattern !== undefined
      ? [code(pattern, 160)]
      : change.patternId === null
        ? null
        : [code(change.patternId)],
    firstSeen === null ? null : [code(firstSeen.runId)],
    lastPassed === null ? null : [code(lastPassed.runId)],
  ];
}

/** The workstreams that are not in both runs as they were. */
function lists(found: RunComparison): Block[] {
  const lines = [
    ['Not run this time', found.notRun],
    ['Added', found.added],
    ['No longer there', found.removed],
    ['With another definition', found.changedDefinition],
  ] as const;
  const items = lines
    .filter(([, { total }]) => total > 0)
    .map(([name, { shown, total }]) => [strong(name), glue(': '), ...codes(shown, NAMES, total)]);
  return items.length === 0 ? [] : [list(false, items)];
}

function durations({ outside, shifts, wholeRun }: RunComparison): Block[] {
  const blocks: Block[] = [];
  if (wholeRun !== null) blocks.push(paragraph(...prose(shiftText('The run as a whole', wholeRun))));
  if (shifts.shown.length > 0) {
    blocks.push(
      list(
        false,
        shifts.shown
          .slice(0, CHANGES)
          .map((shift) => prose(shiftText(`\`${(shift.workstreamId ?? '').replaceAll('`', "'")}\``, shift))),
      ),
    );
  }
  if (outside.shown.length > 0) {
    blocks.push(
      paragraph(
        'These took longer or shorter than ever in their last runs, which one run alone does not explain:',
      ),
      table(
        ['Workstream', { right: 'Took' }, { right: 'Median before' }, { right: 'Runs' }],
        outside.shown
          .slice(0, CHANGES)
          .map(({ workstreamId, seconds: took, medianSeconds, runs }) => [
            [code(workstreamId)],
            seconds(took),
            seconds(medianSeconds),
            runs,
          ]),
      ),
    );
  }
  return blocks;
}

function shiftText(
  what: string,
  { beforeSeconds, afterSeconds, ratio: times, since, p }: DurationShift,
): string {
  const which = times > 1 ? 'slower' : 'faster';
  return `${what} is ${which} since \`${since.runId}\`: ${seconds(beforeSeconds)} before, ${seconds(afterSeconds)} now, ${ratio(times)} × (p = ${p.toPrecision(2)})`;
}
