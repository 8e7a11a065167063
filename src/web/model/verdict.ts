/** What the page says first: the verdict in a sentence, what it rests on, and what to do now. */
import { commandOf, retryCommand } from './commands.ts';
import { count, dollars, duration, limitWords, listed, localTime, oneLine, plural } from './format.ts';
import type { Badge, Need } from './needs.ts';
import { isInState } from './rows.ts';
import type { Run } from './run.ts';

/** Which colour and glyph it has: of the worst that happened. */
export type Tone = 'completed' | 'failed' | 'odd' | 'skipped' | 'running';

export interface Verdict {
  tone: Tone;
  sentence: string;
  more: readonly string[];
}

export function verdictOf(run: Run, needs: readonly Need[]): Verdict {
  const { state, totals } = run.head.run;
  const tone = toneOf(run);
  if (state !== 'ended') return unfinished(run, tone);
  if (totals.workstreams === 0)
    return { tone: 'skipped', sentence: 'This run had no workstreams.', more: [] };
  if (run.kind === 'tasks') return tasksVerdict(run, needs, tone);
  if (totals.completed === totals.workstreams) return { tone, ...allWell(run) };
  if (totals.failed === 0) return { tone, ...onlySkipped(run) };
  if (run.kind === 'sweep') return sweepVerdict(run, needs, tone);
  return { tone, sentence: failedSentence(run), more: failedMore(run, needs) };
}

function toneOf(run: Run): Tone {
  const { state, totals } = run.head.run;
  if (state === 'running') return 'running';
  if (totals.failed > 0)
    return run.count('failed', 'wait') > 0 || run.document.omitted !== null ? 'failed' : 'odd';
  if (run.count('conflict') > 0) return 'odd';
  return totals.completed === totals.workstreams && totals.workstreams > 0 ? 'completed' : 'skipped';
}

function unfinished(run: Run, tone: Tone): Verdict {
  const { state, totals, executionSummary } = run.head.run;
  const { workstreams: all, completed, failed, skipped } = totals;
  if (state === 'running') {
    const ended = completed + failed + skipped;
    return {
      tone,
      sentence: `${count(ended)} of ${plural(all, 'workstream')} have ended.`,
      more: ['The run was still under way when this page was written.'],
    };
  }
  const { interruptedBy: by = null, waitsForLimit: limit = null } = executionSummary ?? {};
  const left = all - completed - failed;
  if (limit !== null)
    return {
      tone: failed > 0 ? 'failed' : 'skipped',
      sentence: `${count(left)} of ${plural(all, 'workstream')} ${left === 1 ? 'waits' : 'wait'} for a usage limit.`,
      more: [`That of ${limitWords(limit)}. What ended is kept and is not run again.`],
    };
  return {
    tone: failed > 0 ? 'failed' : 'skipped',
    sentence: `Interrupted after ${count(completed + failed)} of ${plural(all, 'workstream')}; ${count(left)} did not run to the end.`,
    more: [`${by === null ? '' : `It was ended by ${by}. `}What ended is kept and is not run again.`],
  };
}

/** "2 of them on a second attempt"; null where nothing was tried again. */
function byRetry(run: Run): string | null {
  const retried = run.count('retried');
  if (retried === 0) return null;
  const most = run.workstreams.reduce(
    (sum, each) => (each.status === 'completed' ? Math.max(sum, each.attemptCount) : sum),
    0,
  );
  const attempt = most === 2 ? 'on a second attempt' : 'after several attempts';
  return retried === run.head.run.totals.completed ? attempt : `${count(retried)} of them ${attempt}`;
}

function allWell(run: Run): Omit<Verdict, 'tone'> {
  const { workstreams: all } = run.head.run.totals;
  const retry = byRetry(run);
  const [only] = run.workstreams;
  const sentence =
    all === 1 && only !== undefined
      ? `${oneLine(only.title === '' ? only.id : only.title, 120)} completed`
      : `All ${count(all)} workstreams completed`;
  const { passed, failed } = run.head.tests;
  const tests = passed > 0 && failed === 0 ? [`${plural(passed, 'acceptance test')} passed.`] : [];
  return { sentence: `${sentence}${retry === null ? '' : `, ${retry}`}.`, more: tests };
}

function onlySkipped(run: Run): Omit<Verdict, 'tone'> {
  const { workstreams: all, completed, skipped } = run.head.run.totals;
  if (completed === 0)
    return { sentence: `Nothing ran: all ${count(all)} workstreams were skipped.`, more: skipReasons(run) };
  return {
    sentence: `${count(completed)} of ${plural(all, 'workstream')} completed; ${count(skipped)} ${were(skipped)} skipped.`,
    more: skipReasons(run),
  };
}

function skipReasons(run: Run): string[] {
  const first = run.workstreams.find(
    ({ status, explanation }) => status === 'skipped' && explanation !== null,
  );
  return first?.explanation ? [oneLine(first.explanation, 200)] : [];
}

const were = (value: number): string => (value === 1 ? 'was' : 'were');

function failedSentence(run: Run): string {
  const { workstreams: all, failed } = run.head.run.totals;
  const errors = run.head.errorPatterns;
  const [first] = run.head.errors;
  if (failed === all && all > 1)
    return `All ${count(all)} workstreams failed${errors > 0 ? `, with ${plural(errors, 'error')}` : ''}.`;
  if (failed === 1) {
    const why =
      first === undefined ? '' : `: ${oneLine(first.telling === '' ? first.type : first.telling, 90)}`;
    return `1 of ${plural(all, 'workstream')} failed${why}${/[.!?]$/.test(why) ? '' : '.'}`;
  }
  return `${count(failed)} of ${plural(all, 'workstream')} failed${errors > 0 ? `, with ${plural(errors, 'error')}` : ''}.`;
}

function failedMore(run: Run, needs: readonly Need[]): string[] {
  const { workstreams: all, completed, failed, skipped } = run.head.run.totals;
  const [first] = needs;
  const sentences: string[] = [];
  if (failed === all && all > 1 && run.head.errorPatterns === 1)
    sentences.push('One error holds all of them: probably it is the setup, not the work.');
  sentences.push(...badgeSentence(needs));
  if (first !== undefined && first.heldBack.length > 0 && needs.length > 1)
    sentences.push(`The first one also holds back ${plural(first.heldBack.length, 'skipped workstream')}.`);
  if (completed > 0) {
    const retry = byRetry(run);
    sentences.push(
      `${count(completed)} completed${retry === null ? '' : `, ${retry}`}${skipped > 0 ? `; ${count(skipped)} ${were(skipped)} skipped` : ''}.`,
    );
  } else if (skipped > 0) sentences.push(`${count(skipped)} ${were(skipped)} skipped.`);
  return sentences;
}

const BADGE_CLAUSES: Partial<Record<Badge, (value: number) => string>> = {
  new: (value) => `${count(value)} ${value === 1 ? 'error is' : 'errors are'} new`,
  regressed: (value) => `${count(value)} ${value === 1 ? 'is' : 'are'} back after being fixed`,
  recurring: (value) => `${count(value)} failed before too`,
  flaky: (value) => `${count(value)} ${value === 1 ? 'is' : 'are'} flaky`,
};

function badgeSentence(needs: readonly Need[]): string[] {
  const clauses = Object.entries(BADGE_CLAUSES).flatMap(([badge, say]) => {
    const found = needs.filter((need) => need.badge === badge).length;
    return found === 0 ? [] : [say(found)];
  });
  return clauses.length === 0 ? [] : [`${listed(clauses)}.`];
}

/** How failures of a reason are counted in a sentence. */
const FAILED_BY: Record<string, string> = {
  'out-of-memory': 'ran out of memory',
  'timed-out': 'timed out',
  'acceptance-failed': 'did not pass their tests',
};

function sweepVerdict(run: Run, needs: readonly Need[], tone: Tone): Verdict {
  const { workstreams: all, failed: allFailed, skipped: allSkipped } = run.head.run.totals;
  const { cells } = run;
  const more = [...sharedValues(run), ...badgeSentence(needs)];
  if (cells === null) return { tone, sentence: failedSentence(run), more };
  const { total, completed, failed, skipped } = cells;
  const others = allFailed - failed;
  const clauses = [
    ...(failed > 0 ? [`${count(failed)} ${howCellsFailed(run)}`] : []),
    ...(skipped > 0 ? [`${count(skipped)} ${were(skipped)} skipped`] : []),
    ...(others > 0 ? [`${plural(others, 'other workstream')} failed`] : []),
  ];
  const rest = all - total - others - (allSkipped - skipped);
  const sentence = `${count(completed)} of ${plural(total, 'cell')} ${completed === 1 ? 'has' : 'have'} results; ${clauses.join(', ')}.`;
  return {
    tone,
    sentence,
    more: rest > 0 ? [...more, `${plural(rest, 'workstream')} outside the sweep completed.`] : more,
  };
}

function howCellsFailed(run: Run): string {
  const reasons = new Set(
    run.workstreams.flatMap(({ status, matrix, reason }) =>
      status === 'failed' && matrix !== null ? [reason ?? ''] : [],
    ),
  );
  const [reason = ''] = reasons;
  return reasons.size === 1 ? (FAILED_BY[reason] ?? 'failed') : 'failed';
}

/** Which values of the matrix all failed cells share, and no completed cell has together. */
function sharedValues(run: Run): string[] {
  const failed = run.workstreams.filter(({ status, matrix }) => status === 'failed' && matrix !== null);
  const [first] = failed;
  if (first?.matrix == null || failed.length < 2) return [];
  const shared = Object.entries(first.matrix)
    .map(([name, value]): [string, string] => [name, JSON.stringify(value)])
    .filter(([name, value]) => failed.every(({ matrix }) => JSON.stringify(matrix?.[name]) === value));
  const isTelling =
    shared.length > 0 &&
    run.workstreams.every(
      ({ status, matrix }) =>
        status !== 'completed' || shared.some(([name, value]) => JSON.stringify(matrix?.[name]) !== value),
    );
  if (!isTelling) return [];
  const values = shared.map(([name, value]) => oneLine(`${name}=${value}`, 60));
  return [
    `What failed has ${listed(values)}, and nothing that completed has ${shared.length === 1 ? 'that' : 'them together'}.`,
  ];
}

function tasksVerdict(run: Run, needs: readonly Need[], tone: Tone): Verdict {
  const { totals } = run.head.run;
  const all = totals.workstreams;
  const good = run.workstreams.filter((each) => isInState(each, 'completed'));
  const tested =
    good.length > 0 && good.every(({ tests }) => tests.some(({ status }) => status === 'passed'));
  const merged = good.length > 0 && good.every(({ merge }) => merge === 'merged');
  const done = listed(['done', ...(tested ? ['tested'] : []), ...(merged ? ['merged'] : [])]);
  const left = all - good.length - totals.skipped;
  const needing = left === 0 ? '' : ` ${count(left)} ${left === 1 ? 'needs' : 'need'} you.`;
  const sentence =
    good.length === all && all > 1
      ? `All ${count(all)} tasks are ${done}.`
      : `${count(good.length)} of ${plural(all, 'task')} ${good.length === 1 ? 'is' : 'are'} ${done}.${needing}`;
  return { tone, sentence, more: [...whatIsLeft(run), ...badgeSentence(needs)] };
}

/** "2 were not accepted by their tests, 1 claims work that does not exist, and 1 conflicts with another." */
function whatIsLeft(run: Run): string[] {
  const failed = run.workstreams.filter((each) => isInState(each, 'failed'));
  const notAccepted = failed.filter(({ reason }) => reason === 'acceptance-failed').length;
  const others = failed.length - notAccepted;
  const clauses: [number, string, string][] = [
    [notAccepted, 'was not accepted by its tests', 'were not accepted by their tests'],
    [run.count('odd'), 'ended as if it were done and is not', 'ended as if they were done and are not'],
    [run.count('conflict'), 'conflicts with other work', 'conflict with other work'],
    [run.count('wait'), 'is out of quota', 'are out of quota'],
    [others, 'failed otherwise', 'failed otherwise'],
    [run.count('skipped'), 'was skipped', 'were skipped'],
  ];
  const said = clauses.flatMap(([value, one, many]) =>
    value === 0 ? [] : [`${count(value)} ${value === 1 ? one : many}`],
  );
  return said.length === 0 ? [] : [`${listed(said)}.`];
}

/** One thing to do, with the command that does it. */
export interface NextStep {
  bold: string;
  rest: string;
  why: string;
  command: string | null;
  /** The key of a need that is to be looked at. */
  need: string | null;
}

const STEPS = 3;

/** At most three steps, in the order in which they are best taken. */
export function stepsOf(run: Run, needs: readonly Need[]): NextStep[] {
  const steps = [
    ...takeOver(run),
    ...takeResults(run),
    ...goOn(run),
    ...fixFirst(needs),
    ...tryAgain(run),
    ...checks(run),
  ];
  const told = steps.length > 0 ? steps : run.head.recommendations.map(recommended);
  return told.slice(0, STEPS);
}

const step = (bold: string, more: Partial<NextStep> = {}): NextStep => ({
  bold,
  rest: '',
  why: '',
  command: null,
  need: null,
  ...more,
});

function takeOver({ head }: Run): NextStep[] {
  const { merges } = head;
  if (merges === null || merges.branch === '' || merges.merged === 0) return [];
  const one = merges.merged === 1;
  return [
    step(
      one ? 'Take over the one that is merged.' : `Take over the ${count(merges.merged)} that are merged.`,
      {
        why: 'Nothing was merged into a branch of yours.',
        command: commandOf('git merge', merges.branch),
      },
    ),
  ];
}

function takeResults(run: Run): NextStep[] {
  const { runId, totals } = run.head.run;
  const completed = run.cells?.completed ?? totals.completed;
  if (run.kind !== 'sweep' || completed === 0) return [];
  return [
    step('Take the results.', {
      rest: `${plural(completed, run.cells === null ? 'workstream' : 'cell')} completed.`,
      need: '#results',
      command: commandOf('millrace results --format csv', runId),
    }),
  ];
}

function goOn({ head }: Run): NextStep[] {
  if (head.run.state !== 'interrupted') return [];
  const limit = head.run.executionSummary?.waitsForLimit ?? null;
  return [
    step(limit === null ? 'Go on with this run.' : `Go on with this run after ${localTime(limit.until)}.`, {
      rest: 'What ended is not run again.',
      command: commandOf(`millrace run --resume=${head.run.runId}`),
    }),
  ];
}

function fixFirst(needs: readonly Need[]): NextStep[] {
  const [first] = needs;
  if (first === undefined) return [];
  const held = first.heldBack.length;
  const title = oneLine(first.title.map((part) => part ?? '…').join(''), 90);
  const failures =
    first.badge === 'conflict'
      ? ''
      : `${plural(first.total, 'failure')}${held > 0 ? ` and ${plural(held, 'skip')}` : ''} ${first.total + held === 1 ? 'goes' : 'go'} with it.`;
  return [
    step(`Start with “${title}”.`, {
      rest: failures,
      why: 'Give the prompt to a coding agent, or read what it printed.',
      need: first.key,
    }),
  ];
}

function tryAgain({ head }: Run): NextStep[] {
  const { totals, runId, state } = head.run;
  if (totals.failed === 0 || state === 'running') return [];
  const skipped = totals.skipped > 0 ? ` and ${count(totals.skipped)} skipped` : '';
  return [
    step('Then run again what failed.', {
      rest: `${count(totals.failed)} failed${skipped}.`,
      command: retryCommand(runId),
    }),
  ];
}

function checks({ head }: Run): NextStep[] {
  const { shown: found, total } = head.manualChecks;
  const [first] = found;
  if (first === undefined) return [];
  return [
    step(
      total === 1
        ? 'Make the check that is left for a person.'
        : `Make the ${count(total)} checks that are left for a person.`,
      {
        why: `${oneLine(first.name, 100)} (${oneLine(first.workstreamId, 60)})`,
      },
    ),
  ];
}

/** A recommendation of the run: a sentence, with the first command in it beside. */
function recommended(text: string): NextStep {
  const command = /`(millrace [^`]+)`/.exec(text)?.[1] ?? null;
  return step('', { rest: text, command });
}

/** A fact beside the verdict. */
export interface Fact {
  name: string;
  value: string;
  /** In brackets after it. */
  note: string;
  /** A time of the document, which is shown in the reader's time zone. */
  time?: string;
}

export function factsOf({ head }: Run): Fact[] {
  const { run, tools, tests, testCases, hosts = [] } = head;
  const summary = run.executionSummary;
  const facts: Fact[] = [];
  const add = (name: string, value: string, note = ''): void => void facts.push({ name, value, note });
  if (summary !== null) {
    const { speed, agentsCount, cores } = summary;
    const faster =
      speed.speedup === null || speed.speedup < 1.2
        ? ''
        : `${speed.speedup.toFixed(1)} × as fast as one agent`;
    add('Took', duration(speed.wallSeconds), faster);
    const lent = hosts.reduce((sum, { agents }) => sum + agents, 0);
    if (hosts.length > 0) add('Agents', `${count(lent)} on ${plural(hosts.length, 'host')}`);
    else add('Agents', `${count(agentsCount)} on ${plural(cores, 'core')}`);
  }
  const costs = tools.flatMap(({ costUsd }) => costUsd ?? []);
  const knownUsd = costs.length === 0 ? null : costs.reduce((sum, each) => sum + each, 0);
  const unknown = tools.reduce((sum, { unknownCosts }) => sum + unknownCosts, 0);
  if (knownUsd !== null || unknown > 0)
    add(
      'Cost',
      knownUsd === null ? 'not said' : dollars(knownUsd),
      unknown > 0 && knownUsd !== null ? `${plural(unknown, 'attempt')} not said` : '',
    );
  if (testCases !== null && testCases.total > 0)
    add(
      'Tests',
      `${count(testCases.passed)} passed`,
      testCases.failed > 0 ? `${count(testCases.failed)} failed` : '',
    );
  else if (tests.total > 0)
    add(
      'Acceptance tests',
      `${count(tests.passed)} passed`,
      tests.failed > 0 ? `${count(tests.failed)} failed` : '',
    );
  if (run.totals.filesModified > 0) add('Files', count(run.totals.filesModified));
  facts.push({ name: 'Started', value: '', note: '', time: run.createdAt });
  if (run.checkout !== null)
    add('Commit', run.checkout.commit.slice(0, 10), run.checkout.isDirty === true ? 'with changes' : '');
  if (summary !== null) add('Exit code', String(summary.exitCode));
  return facts;
}
