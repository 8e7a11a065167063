import { type ComparedSides, compareSides, earlierRunLike } from '../../../app/comparison.ts';
import { changeText } from '../../../app/histories/words.ts';
import { refOfRun } from '../../../app/history.ts';
import { Refusal } from '../../../app/refusal.ts';
import type { ComparisonDocument } from '../../../domain/history/compare-document.ts';
import {
  type Change,
  comparisonSentence,
  type DurationShift,
  hasBroken,
  type RunComparison,
  type RunRef,
  shortCommit,
} from '../../../domain/history/history.ts';
import type { NamedPattern } from '../../../domain/history/pattern.ts';
import { errorPatterns } from '../../../store/read/errors.ts';
import { runsBetween, withoutResult } from '../../../store/read/history-runs.ts';
import { latestRunId } from '../../../store/read/runs.ts';
import type { Connection } from '../../../store/schema/connection.ts';
import { plural, seconds } from '../../../text/format.ts';
import { oneLine } from '../../../text/printable.ts';
import type { CompareArguments } from '../../commands/history/compare.ts';
import { withHistory } from '../../history.ts';
import { commitsText, rateText } from '../../history-cells.ts';
import { type Page, printPage, type Section } from '../../page.ts';

/** Most patterns of a run whose texts are looked up. */
const PATTERNS = 1_000;

/** Compares runs. Exit code 1 where something new broke or failed again. */
export async function compare(argv: CompareArguments): Promise<number> {
  return withHistory(argv.state, async (connection) => {
    if (connection === null) throw new Refusal(4, NOTHING);
    const sides = sidesOf(connection, argv);
    const comparison = compareSides(connection, sides);
    const patterns = patternsOf(connection, comparison);
    const verdict = comparisonSentence(comparison);
    const document: ComparisonDocument = { version: 1, verdict, comparison, patterns };
    const open = withoutResult(connection, comparison.head.runId).length;
    await printPage(argv, pageOf(document, sides, open), document);
    return hasBroken(comparison) ? 1 : 0;
  });
}

/** Longest range in a message. */
const NAME = 100;

const NOTHING = 'There are no runs to compare. Start one with: millrace run';

/** @throws Refusal with exit code 4 where there is nothing to compare, 2 for a name that could mean several runs. */
function sidesOf(connection: Connection, { before, after }: CompareArguments) {
  const head = runsNamed(connection, after ?? latestRunId(connection) ?? 'latest');
  const last = head.at(-1);
  const base = before === undefined ? null : runsNamed(connection, before);
  if (last === undefined) throw new Refusal(4, NOTHING);
  const isItself = base?.at(-1)?.runId === last.runId && base.length === 1;
  if (base !== null && !(isItself && after === undefined)) return { base, head };
  const earlier = earlierRunLike(connection, last);
  if (earlier === null)
    throw new Refusal(
      4,
      `No run before ${last.runId} ran the same, so there is nothing to compare it with. To compare it with another run: millrace compare RUN ${last.runId}`,
    );
  return { base: [earlier], head };
}

/** One run, or all from one to another. */
function runsNamed(connection: Connection, name: string): RunRef[] {
  const [from = '', to, ...more] = name.split('..');
  if (to === undefined) return [refOfRun(connection, name)];
  if (from === '' || to === '' || more.length > 0)
    throw new Refusal(2, `${oneLine(name, NAME)} is no range of runs. Name its first and its last: A..B.`);
  const ends = [refOfRun(connection, from), refOfRun(connection, to)] as const;
  const found = runsBetween(connection, ends[0], ends[1]);
  if (found.length === 0)
    throw new Refusal(2, `${name} is no range of runs: ${ends[1].runId} is older than ${ends[0].runId}.`);
  return found;
}

/** Patterns of both runs: what was fixed has its text in the earlier one. */
function patternsOf(connection: Connection, comparison: RunComparison): NamedPattern[] {
  const found = new Map<string, NamedPattern>();
  for (const { runId } of [comparison.base, comparison.head]) {
    for (const { id, type, telling: pattern } of errorPatterns(connection, runId, PATTERNS).shown)
      found.set(id, { id, type, pattern });
  }
  return [...found.values()];
}

function pageOf(
  { verdict, comparison, patterns }: ComparisonDocument,
  { base, head }: ComparedSides,
  open: number,
): Page {
  const texts = new Map(patterns.map((pattern) => [pattern.id, pattern]));
  const changes = (title: string, { shown, total }: RunComparison['new']): Section => ({
    title: `${title} (${total})`,
    head: ['workstream', 'failure', 'pattern', 'state', 'first seen', 'last passed', 'commits', 'failed'],
    rows: shown.map((change) => changeRow(change, texts)),
    total,
  });
  const names = (title: string, { shown, total }: RunComparison['notRun']): Section => ({
    title: `${title} (${total})`,
    notes: shown.length === 0 ? [] : [listed(shown, total)],
  });
  return {
    answer: verdict,
    sections: [
      { title: null, notes: [`${sideText(base)} → ${sideText(head)}`, ...openTexts(comparison.head, open)] },
      changes('New failures', comparison.new),
      changes('Failing again', comparison.regressed),
      changes('Fixed', comparison.fixed),
      changes('Still failing', comparison.recurring),
      changes('Flaky', comparison.flaky),
      names('Not run', comparison.notRun),
      names('Added', comparison.added),
      names('Removed', comparison.removed),
      names('Definition changed', comparison.changedDefinition),
      shiftsSection(comparison),
      outsideSection(comparison),
    ],
  };
}

const listed = (ids: readonly string[], total: number): string =>
  `${ids.join(', ')}${total > ids.length ? ` and ${total - ids.length} more` : ''}`;

const openTexts = ({ runId }: RunRef, open: number): string[] =>
  open === 0
    ? []
    : [`${runId} has not ended: ${plural(open, 'workstream')} ${open === 1 ? 'has' : 'have'} no result yet.`];

/** One run, or the first and the last of several with their number. */
function sideText(runs: readonly RunRef[]): string {
  const [first, ...rest] = runs;
  const last = rest.at(-1);
  if (first === undefined) return '';
  return last === undefined
    ? refText(first)
    : `${refText(first)} .. ${refText(last)} (${plural(runs.length, 'run')})`;
}

function refText(run: RunRef): string {
  const commit = shortCommit(run);
  return [
    run.runId,
    ...(run.label === null ? [] : [`"${run.label}"`]),
    ...(commit === '' ? [] : [commit]),
  ].join(' ');
}

function changeRow({ workstreamId, patternId, history }: Change, texts: ReadonlyMap<string, NamedPattern>) {
  const pattern = texts.get(patternId ?? '');
  const { firstSeen, lastPassed } = history;
  return [
    workstreamId,
    pattern === undefined ? null : `${pattern.type}: ${pattern.pattern}`,
    patternId,
    history.state,
    firstSeen?.runId ?? null,
    lastPassed?.runId ?? 'never',
    commitsText(history),
    rateText(history),
  ];
}

function shiftsSection({ shifts, wholeRun }: RunComparison): Section {
  const all = [...(wholeRun === null ? [] : [wholeRun]), ...shifts.shown];
  return {
    title: 'Slower or faster than before, over many runs',
    head: ['workstream', 'was', 'is', 'by', 'since', 'p'],
    rows: all.map(shiftRow),
    total: all.length + shifts.total - shifts.shown.length,
  };
}

const shiftRow = ({ workstreamId, beforeSeconds, afterSeconds, ratio, since, p }: DurationShift) => [
  workstreamId ?? 'the whole run',
  seconds(beforeSeconds),
  seconds(afterSeconds),
  changeText(ratio),
  since.runId,
  p.toPrecision(1),
];

function outsideSection({ outside }: RunComparison): Section {
  return {
    title: 'Durations outside their last runs; one run says no more',
    head: ['workstream', 'took', 'median', 'of'],
    rows: outside.shown.map((each) => [
      each.workstreamId,
      seconds(each.seconds),
      seconds(each.medianSeconds),
      plural(each.runs, 'run'),
    ]),
    total: outside.total,
  };
}
