import type { ChalkInstance } from 'chalk';
import { comparisonSentence, hasBroken, type RunComparison } from '../domain/history/history.ts';
import { type ErrorPattern, firstWorkstreams } from '../domain/history/pattern.ts';
import { type ConsolidatedResult, speedupOf } from '../domain/run-record.ts';
import { type MergedWork, totalCost } from '../domain/tool-record.ts';
import { costSentence, nameSome, plural, seconds } from '../text/format.ts';
import { oneLine, printable } from '../text/printable.ts';
import { clean, type Glyphs } from './style.ts';

/** Most patterns of failures that are shown. */
const PATTERNS = 10;
/** Characters of an explanation that are shown. */
const EXPLANATION = 200;

export interface SummaryOptions {
  /** Path of the report as a person would type it; null when there is none. */
  report: string | null;
  /** The same of the HTML page. */
  page: string | null;
  /** With the run before it that ran the same; null where there is none. */
  comparison: RunComparison | null;
  colour: ChalkInstance;
  glyphs: Glyphs;
}

/**
 * The summary on the terminal once a run has ended: totals, time, where the records are, and last, next to the prompt,
 * what failed, a paragraph for each error pattern. Lines without line ends.
 */
export function summary(result: ConsolidatedResult, options: SummaryOptions): string[] {
  return [
    totals(result, options),
    ...time(result, options),
    ...waiting(result),
    ...hosts(result, options),
    ...work(result, options),
    ...changes(options),
    ...interruption(result, options),
    ...places(result, options),
    ...failures(result, options),
  ];
}

function totals({ run }: ConsolidatedResult, { colour }: SummaryOptions): string {
  const { workstreams, completed, failed, skipped, takenOver, savedSeconds } = run.totals;
  const saved = takenOver === 0 ? '' : ` (${takenOver} taken over, ${seconds(savedSeconds)} saved)`;
  const parts = [
    completed > 0 ? colour.green(`${completed} completed`) + saved : null,
    failed > 0 ? colour.red(`${failed} failed`) : null,
    skipped > 0 ? colour.yellow(`${skipped} skipped`) : null,
  ].filter((part) => part !== null);
  const counts = parts.length === 0 ? '' : `: ${parts.join(', ')}`;
  return `${colour.bold(plural(workstreams, 'workstream'))}${counts}`;
}

function time({ run }: ConsolidatedResult, { glyphs }: SummaryOptions): string[] {
  if (run.executionSummary === null) return [];
  const { speed, agentsCount, scaling, sessions } = run.executionSummary;
  const took = `${seconds(speed.wallSeconds)}${sessions > 1 ? ` in ${sessions} sessions` : ''}`;
  if (agentsCount < 2) return [`Took ${took}`];
  const agents = `${scaling === null ? '' : 'up to '}${plural(agentsCount, 'agent')}`;
  const speedup = speedupOf(run.executionSummary);
  const times = speedup === null ? '' : `, ${speedup.toFixed(1)} ${glyphs.times} the speed of one agent`;
  return [`Took ${took} with ${agents}${times}`];
}

function waiting({ run, parked }: ConsolidatedResult): string[] {
  const waited = run.executionSummary?.waitedForRuns ?? null;
  const limits = parked.map(
    ({ tool, seconds: waitedFor, until, hasWorked }) =>
      `${oneLine(tool, 100)} waited ${seconds(waitedFor)} for its usage limit${hasWorked ? '' : `, which resets at ${until}`}`,
  );
  return waited === null
    ? limits
    : [...limits, `Waited ${seconds(waited.seconds)} for locks of ${nameSome(waited.runIds)}`];
}

/** Most hosts that are named. */
const HOSTS = 5;

/** Which machines executed how many; nothing for a run on this one. */
function hosts({ hosts: all = [] }: ConsolidatedResult, { glyphs }: SummaryOptions): string[] {
  if (all.length === 0) return [];
  const named = all.slice(0, HOSTS).map(({ host, workstreams, lost }) => {
    const gone = lost === 0 ? '' : `, ${lost} lost`;
    return `${clean(host, EXPLANATION, glyphs)} (${plural(workstreams, 'workstream')}${gone})`;
  });
  const more = all.length > HOSTS ? ` and ${plural(all.length - HOSTS, 'more host')}` : '';
  return [`Executed by ${named.join(', ')}${more}`];
}

/** What coding agents cost, and the command that merges their work. */
function work({ tools, merges }: ConsolidatedResult, { colour }: SummaryOptions): string[] {
  const { knownUsd, unknown } = totalCost(tools);
  const lines = tools.length === 0 ? [] : [costSentence(knownUsd, unknown)];
  if (merges === null) return lines;
  if (merges.merged > 0) {
    const state = merges.tested ? 'its tests pass' : 'it has no tests';
    lines.push(`${colour.dim('Take over ')}git merge ${path(merges.branch)} ${colour.dim(`(${state})`)}`);
  }
  lines.push(...broken(merges).map((line) => colour.yellow(line)));
  const { total } = merges.problems;
  if (total > 0)
    lines.push(colour.yellow(`${plural(total, 'workstream')} could not be merged: see the report`));
  return lines;
}

/** Most workstreams of which it is said which test they break. */
const BROKEN = 5;

function broken({ problems }: MergedWork): string[] {
  const found = problems.shown.filter(({ status }) => status === 'breaks-tests').slice(0, BROKEN);
  return found.map(({ workstreamId, partner, failingTest }) => {
    const together = partner === null ? '' : ` together with ${partner}`;
    return oneLine(`${workstreamId} is not merged: ${failingTest ?? 'tests'} fails with it${together}`, 240);
  });
}

/** What is new since the run before; nothing where both are without failures. */
function changes({ comparison, colour }: SummaryOptions): string[] {
  if (comparison === null) return [];
  const { regressed, fixed, recurring, flaky } = comparison;
  const told = [comparison.new, regressed, fixed, recurring, flaky];
  if (told.every(({ total }) => total === 0)) return [];
  const sentence = comparisonSentence(comparison);
  return [hasBroken(comparison) ? colour.red(sentence) : sentence];
}

function interruption({ run }: ConsolidatedResult, { colour, glyphs }: SummaryOptions): string[] {
  if (run.state !== 'interrupted') return [];
  const { interruptedBy: by = null, waitsForLimit: limit = null } = run.executionSummary ?? {};
  if (limit !== null) {
    const tool = clean(limit.tool, EXPLANATION, glyphs);
    const what = `What is left waits for the usage limit of ${tool}, which resets at ${limit.until}`;
    return [colour.yellow(`${what}; continue after that with: millrace run --resume ${run.runId}`)];
  }
  const what = by === null ? 'Interrupted' : `Interrupted by ${clean(by, EXPLANATION, glyphs)}`;
  return [colour.yellow(`${what}; continue with: millrace run --resume ${run.runId}`)];
}

function places({ database, run }: ConsolidatedResult, { report, page, colour }: SummaryOptions): string[] {
  const line = (name: string, place: string): string => `${colour.dim(name)}${path(place)}`;
  const again = run.state === 'ended' && run.totals.failed > 0;
  return [
    ...(report === null ? [] : [line('Report    ', report)]),
    ...(page === null ? [] : [line('Page      ', page)]),
    line('Database  ', database),
    ...(again ? [line('Try again ', `millrace run --retry-failed ${run.runId}`)] : []),
  ];
}

function failures({ run, patterns }: ConsolidatedResult, options: SummaryOptions): string[] {
  if (patterns.total === 0) return [];
  const shown = patterns.shown.slice(0, PATTERNS);
  const left = patterns.total - shown.length;
  return [
    '',
    ...shown.flatMap((each) => (each.count > 1 ? repeated(each, options) : single(each, options))),
    ...(left > 0 ? [`and ${plural(left, 'more pattern')}: millrace errors ${run.runId}`] : []),
  ];
}

/** An error that many have: what tells, how many, the first of them, and what shows more. */
function repeated(pattern: ErrorPattern, { colour, glyphs }: SummaryOptions): string[] {
  const text = (value: string): string => clean(value, EXPLANATION, glyphs);
  const { named, left } = firstWorkstreams(pattern);
  const head = `${colour.red(glyphs.cross)} ${colour.bold(`${pattern.count} ${glyphs.times}`)} ${colour.red(text(pattern.type))}`;
  const members = named.map(text).join(', ') + (left > 0 ? ` and ${left} more` : '');
  return [
    withText(head, text(pattern.telling)),
    ...(members === '' ? [] : [`  ${colour.dim('in')} ${members}`]),
    ...log(pattern, colour),
    `  ${colour.dim('more')} millrace errors --history ${pattern.id}`,
  ];
}

/** An error that one has: its message, and what tells, where the message does not. */
function single({ type, telling, example }: ErrorPattern, { colour, glyphs }: SummaryOptions): string[] {
  const text = (value: string): string => clean(value, EXPLANATION, glyphs);
  const head = `${colour.red(glyphs.cross)} ${colour.bold(text(example.workstreamId))} ${colour.red(text(type))}`;
  return [
    withText(head, text(example.message)),
    ...(example.message.includes(telling) ? [] : [`  ${text(telling)}`]),
    ...log({ example }, colour),
  ];
}

const withText = (head: string, text: string): string => (text === '' ? head : `${head}: ${text}`);

const log = ({ example }: Pick<ErrorPattern, 'example'>, colour: ChalkInstance): string[] =>
  example.logFile === null ? [] : [`  ${colour.dim('log')} ${path(example.logFile)}`];

/** Not shortened, so that it can be copied. */
function path(place: string): string {
  return printable(place).replaceAll('\n', '\\u{a}');
}
