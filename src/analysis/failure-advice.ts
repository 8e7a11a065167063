/** Recommendations about what did not complete. */
import { saysOnlyHow } from '../domain/failure.ts';
import type { PatternHistory, PatternState, RunComparison } from '../domain/history/history.ts';
import type { ErrorPattern } from '../domain/history/pattern.ts';
import type { ConsolidatedResult, RunSummary, ShortResult } from '../domain/run-record.ts';
import { percent, plural, seconds } from '../text/format.ts';
import { oneLine } from '../text/printable.ts';
import { heldUp } from './held-up.ts';
import { patternHistoryOverall } from './states.ts';

/** Reasons whose cause is in the workstream's definition. */
const DEFINITION = new Set(['invalid-workstream', 'duplicate-id', 'cycle', 'missing-dependency']);

/** Reasons that have advice of their own, or that need none. */
const APART = new Set([
  ...DEFINITION,
  'timed-out',
  'out-of-memory',
  'insufficient-resources',
  'cancelled',
  'interrupted',
]);

/** Most failures with a cause of their own that get a sentence each; more of them share one. */
const SINGLES = 2;

/** A pattern of this run with what is known of it from earlier ones. */
interface Cause {
  pattern: ErrorPattern;
  history: PatternHistory | null;
}

/** What is new comes first, then what was fixed before, then what is known or of which nothing is known. */
const URGENCY: readonly (readonly (PatternState | null)[])[] = [
  ['new'],
  ['regressed'],
  [null, 'recurring', 'passing', 'fixed', 'unknown'],
];

/** What broke first, one cause behind many failures before the failures of one cause each; flaky ones last. */
export function patternAdvice(input: AdviceInput): string[] {
  const causes = input.patterns.shown
    .filter((pattern) => !APART.has(pattern.type))
    .toSorted((a, b) => b.count - a.count)
    .map((pattern): Cause => ({ pattern, history: historyOf(pattern, input.comparison) }));
  const broken = URGENCY.flatMap((states) => {
    const group = causes.filter(({ history }) => states.includes(history?.state ?? null));
    return brokenAdvice(group, input.run.runId);
  });
  return [...broken, ...flakyAdvice(causes.filter(isFlaky), input.run.runId)];
}

const isFlaky = ({ history }: Cause): boolean => history?.state === 'flaky';

/** Over all of its workstreams, from the comparison with an earlier run where the pattern itself does not have it. */
function historyOf({ id, history }: ErrorPattern, comparison: RunComparison | null): PatternHistory | null {
  if (history !== null || comparison === null) return history;
  const changes = [comparison.new, comparison.regressed, comparison.recurring, comparison.flaky];
  const own = changes.flatMap(({ shown }) => shown.filter(({ patternId }) => patternId === id));
  return patternHistoryOverall(own.map((change) => change.history));
}

/** Causes of the same urgency. */
function brokenAdvice(causes: readonly Cause[], runId: string): string[] {
  const shared = causes.filter(({ pattern }) => pattern.count > 1);
  const singles = causes.filter(({ pattern }) => pattern.count <= 1);
  const sentences = shared.map((cause) => sharedCause(cause, runId));
  if (singles.length <= SINGLES) return [...sentences, ...singles.map((each) => singleCause(each, runId))];
  const ids = singles.map(({ pattern }) => pattern.example.workstreamId);
  const kind = singles.map(({ history }) => KINDS[history?.state ?? 'unknown'])[0] ?? '';
  const others = `${singles.length} ${kind}failures have a cause each (${nameSome(ids)}). Look at their output with \`millrace errors ${runId}\`${again(ids, runId)}.`;
  return [...sentences, others];
}

/** Before the word "failures". */
const KINDS: Partial<Record<PatternState, string>> = { new: 'new ', regressed: 'returning ' };

function sharedCause({ pattern, history }: Cause, runId: string): string {
  const { count, type, example, telling, workstreams } = pattern;
  const all =
    runCommand(workstreams, count) ?? `\`millrace run --retry-failed ${runId} --pattern ${pattern.id}\``;
  const rerun = `\`millrace errors ${runId}\`, then ${all}.${whatChanged(history)}`;
  if (saysOnlyHow(type) && telling === example.message) {
    return `${count} failures ended alike (${type})${sinceWhen(history)}: "${quoted(telling)}". Compare their outputs to find out whether they have one cause: ${rerun}`;
  }
  const kind = history?.state === 'new' ? 'new error' : 'error';
  return `${count} failures are one ${kind} (${type})${sinceWhen(history)}: "${quoted(telling)}". Find its cause with ${rerun}`;
}

function singleCause({ pattern, history }: Cause, runId: string): string {
  const { type, example, telling } = pattern;
  const id = example.workstreamId;
  const how = history?.state === 'new' ? 'failed with a new error' : 'failed';
  return `${nameSome([id])} ${how} (${type})${sinceWhen(history)}: "${quoted(telling)}". Look at its output with \`millrace errors ${runId}\`${again([id], runId)}.${whatChanged(history)}`;
}

function sinceWhen(history: PatternHistory | null): string {
  if (history?.state === 'regressed') return ', which had been fixed';
  const { firstSeen, lastSeen } = history ?? {};
  const isOld = history?.state === 'recurring' && firstSeen && firstSeen.runId !== lastSeen?.runId;
  return isOld ? `, first seen in ${oneLine(firstSeen.runId, 80)}` : '';
}

/** The commits to look through, of a break of which both ends are known. */
function whatChanged(history: PatternHistory | null): string {
  const { from, to } = history?.commitRange ?? { from: '', to: '' };
  if (![from, to].every((commit) => /^[0-9a-f]{7,64}$/.test(commit))) return '';
  return ` What changed since it passed: \`git log --oneline ${from.slice(0, 12)}..${to.slice(0, 12)}\`.`;
}

/** Failures that come and go, in one sentence. */
function flakyAdvice(causes: readonly Cause[], runId: string): string[] {
  const [first] = causes;
  if (first === undefined) return [];
  const ids = [...new Set(causes.flatMap(({ pattern }) => pattern.workstreams))];
  const total = causes.reduce((sum, { pattern }) => sum + pattern.count, 0);
  const retry = `\`millrace run --retry-failed ${runId}\` tries again what failed, \`max_attempts\` in \`circuit_breaker\` does so in every run, and \`millrace flaky\` tells how often that is so.`;
  const telling = quoted(first.pattern.telling);
  if (total > 1)
    return [
      `${total} failures are flaky (${nameSome(ids, Math.max(ids.length, total))}): "${telling}". ${retry}`,
    ];
  return [`${nameSome(ids)} is flaky${howOften(first.history)}: "${telling}". ${retry}`];
}

function howOften(history: PatternHistory | null): string {
  const rate = history?.rate ?? null;
  if (rate === null) return '';
  return ` and failed so in ${percent(rate.value)} of ${rate.runs} runs (95 % interval ${percent(rate.low)} to ${percent(rate.high)})`;
}

/** Definitions that can't be used. */
export function definitionAdvice({ failures, patterns }: AdviceInput): string[] {
  const broken = failures.shown.filter(({ reason }) => reason !== null && DEFINITION.has(reason));
  const counted = patterns.shown.reduce(
    (sum, { type, count }) => sum + (DEFINITION.has(type) ? count : 0),
    0,
  );
  const cut = failures.total > failures.shown.length;
  const count = cut ? Math.max(counted, broken.length) : broken.length;
  if (count === 0) return [];
  const ids = broken.map((each) => each.workstreamId);
  const names = ids.length === 0 ? '' : ` (${nameSome(ids, count)})`;
  return [
    `${plural(count, 'workstream')} can't run as defined${names}: \`millrace validate\` names each problem with its file and line.`,
  ];
}

/** Time limits that were exceeded, and how long the others took. */
export function timeoutAdvice({ failures, timeline, run }: AdviceInput): string[] {
  const late = failures.shown.filter(({ reason }) => reason === 'timed-out');
  const [first] = late;
  if (first === undefined) return [];
  const ids = late.map((each) => each.workstreamId);
  const limit = limitOf(first);
  const which = limit === '' ? '' : ` ${ids.length > 1 ? `(${first.workstreamId}: ${limit})` : `(${limit})`}`;
  const command = againCommand(ids, run.runId);
  return [
    `${nameSome(ids)} ran out of time${which}${others(timeline)}. If more time is needed raise \`timeout_seconds\` and ${command}; if it hangs, \`millrace errors ${run.runId}\` shows the last output.`,
  ];
}

/** Which time limit passed; empty where the row does not hold it. */
function limitOf({ failure }: ShortResult): string {
  if (failure?.reason !== 'timed-out') return '';
  const who = failure.step === null ? 'It' : `Step ${oneLine(failure.step, 60)}`;
  return `${who} was still running after ${failure.seconds} s and was ended`;
}

/** How long completed workstreams took. Of a long run only the longest are known here, so the median is not. */
function others(timeline: AdviceInput['timeline']): string {
  const took = timeline.shown
    .flatMap(({ status, durationSeconds }) =>
      status === 'completed' && durationSeconds !== null ? [durationSeconds] : [],
    )
    .toSorted((a, b) => a - b);
  const longest = took.at(-1);
  const median = took[Math.floor((took.length - 1) / 2)];
  if (longest === undefined || median === undefined) return '';
  const whole = timeline.total === timeline.shown.length;
  if (whole && took.length === 1) return `; the one that completed took ${seconds(longest)}`;
  return whole
    ? `; the ${took.length} that completed took ${seconds(median)} at the median and ${seconds(longest)} at most`
    : `; those that completed took ${seconds(longest)} at most`;
}

/** Memory limits that were exceeded. */
export function memoryAdvice({ failures, run }: AdviceInput): string[] {
  const ids = failures.shown
    .filter(({ reason }) => reason === 'out-of-memory')
    .map((each) => each.workstreamId);
  if (ids.length === 0) return [];
  return [
    `${nameSome(ids)} used up the memory that ${ids.length === 1 ? 'it' : 'they'} may have: raise \`--agent-memory\`, or \`memory_limit_mb\` where that is set (both in MB), or read less at once${again(ids, run.runId)}.`,
  ];
}

/** Reservations that no run of this size can have. */
export function capacityAdvice({ failures, run }: AdviceInput): string[] {
  const refused = failures.shown.filter(({ reason }) => reason === 'insufficient-resources');
  const [first] = refused;
  if (first === undefined) return [];
  const ids = refused.map((each) => each.workstreamId);
  const why =
    first.explanation === null
      ? ''
      : ` (${ids.length > 1 ? `${first.workstreamId}: ` : ''}${quoted(first.explanation)})`;
  return [
    `${nameSome(ids)} ${ids.length === 1 ? 'needs' : 'need'} more than the run may reserve${why}${again(ids, run.runId)}.`,
  ];
}

/** What was skipped, grouped by the workstream whose failure caused it. */
export function skippedAdvice({ skipped, failures, run }: AdviceInput): string[] {
  const failed = new Set(failures.shown.map((each) => each.workstreamId));
  const most = skipped.total > skipped.shown.length ? 'At least ' : '';
  return [...heldUp(skipped.shown)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([root, ids]) => {
      const [because, first] = failed.has(root)
        ? ['failed', 'fix it first']
        : ['did not complete', 'it comes first'];
      const was = ids.length === 1 ? 'was' : 'were';
      return `${most}${plural(ids.length, 'workstream')} ${was} skipped because ${nameSome([root])} ${because}: ${first}${again([root, ...ids], run.runId)}.`;
    });
}

function again(ids: readonly string[], runId: string, total = ids.length): string {
  return `, then ${againCommand(ids, runId, total)}`;
}

function quoted(message: string): string {
  return oneLine(message.replaceAll('`', "'"), 160).replace(/\.$/, '');
}

/** Most workstreams that are named in one sentence or command. */
const NAMED = 10;

/**
 * The command that runs these workstreams again, in backticks; null when they are too many to name or one has an id
 * that is not selected by its plain name.
 */
function runCommand(ids: readonly string[], total = ids.length): string | null {
  const named = [...new Set(ids)];
  if (named.length === 0 || total > ids.length || named.length > NAMED) return null;
  return named.every((id) => /^[a-z0-9][a-z0-9-]*$/.test(id)) ? `\`millrace run ${named.join(' ')}\`` : null;
}

/** The command that runs these again, by their ids or, where that is not possible, by the run in which they failed. */
export function againCommand(ids: readonly string[], runId: string, total = ids.length): string {
  return runCommand(ids, total) ?? `\`millrace run --retry-failed ${runId}\``;
}

/** "`a`, `b` and 3 more" */
export function nameSome(ids: readonly string[], total = ids.length): string {
  const named = ids.slice(0, 5).map((id) => `\`${id.replaceAll('`', "'")}\``);
  const left = total - named.length;
  return left > 0 ? `${named.join(', ')} and ${left} more` : named.join(', ');
}

/** What recommendations are made from: the part of a consolidated result that is known before they are stored. */
export type AdviceInput = Pick<
  ConsolidatedResult,
  | 'agents'
  | 'merges'
  | 'patterns'
  | 'failures'
  | 'skipped'
  | 'manualChecks'
  | 'timeline'
  | 'resources'
  | 'parked'
> & {
  run: Pick<RunSummary, 'runId' | 'state' | 'totals' | 'executionSummary'>;
  /** With the run before it that ran the same; null where there is none. */
  comparison: RunComparison | null;
};
