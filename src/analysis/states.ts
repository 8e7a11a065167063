/** How an error pattern stands in a workstream, from what happened to the workstream in many runs. */
import type { Observation, PatternHistory, PatternState, RunRef } from '../domain/history/history.ts';
import { jeffreys } from './statistics/proportions.ts';

/** Passes are believed when chance alone lets that many follow each other less often than this. */
const BELIEVED = 0.05;

/** The same for a flaky pattern: there are many times to look at it, and at each it may happen to stay away. */
const BELIEVED_OF_FLAKY = 0.01;

/** Failures in a row after which a fix is taken for one, and not for a sign of flakiness. */
const BREAK = 3;

/** Episodes that ended and were no break: two of them make a flaky pattern. */
const FLAKY_EPISODES = 2;

/** The fewest runs of which a rate is told. */
const FEWEST_RUNS = 4;

/** Failures that follow each other without a pass between them. */
interface Episode {
  first: RunRef;
  length: number;
  /** The last run before it that passed. */
  after: RunRef | null;
  /** How it stood at its first failure. */
  beganAs: PatternState;
  /** Runs before it. */
  before: { failed: number; runs: number };
}

/** What the observations so far add up to. */
interface Course {
  state: PatternState;
  firstSeen: RunRef | null;
  lastSeen: Observation | null;
  lastPassed: RunRef | null;
  /** The present one; null after a pass. */
  episode: Episode | null;
  /** Failures of the episode that ended last. */
  lastLength: number;
  /** Since the last failure. */
  passes: number;
  /** From the first failure since the last fix to the last failure. */
  failing: { failures: number; runs: number };
  /** What speaks for flakiness. */
  evidence: { episodes: number; passedUnchanged: boolean };
  /** With the present definition. A healed run is one with an error, and not a failed one. */
  definition: { hash: string | null; runs: number; withError: number; failed: number };
}

/**
 * The state of one pattern in one workstream after the last of these observations, which have the oldest first.
 *
 * A run in which the workstream was not executed, or failed with another error, says nothing about the pattern.
 *
 * A pass after a failure is `passing` until so many followed that chance explains them in less than 5 % of cases, which is
 * `fixed`: (1 − rate)^passes < 0.05, where the rate is that of the failing time by Jeffreys' prior. Of a flaky pattern the
 * rate is the lowest of its 95 % interval, and 1 % is asked for.
 *
 * A pattern is `flaky` after two episodes of failures that ended, or once a retry, or a later run with the same definition
 * and clean commit, passed. Three failures or more in a row that a fix ended count as a break instead. More failures in a
 * row than its rate explains are `recurring` again. A new definition begins the evidence of flakiness anew.
 */
export function patternHistory(observations: readonly Observation[]): PatternHistory {
  const course = begin();
  for (const observation of observations) {
    if (observation.what === 'passed' || observation.what === 'failed-so') take(course, observation);
  }
  const state = presentState(course, observations.at(-1));
  return {
    state,
    firstSeen: course.firstSeen,
    lastSeen: course.lastSeen?.run ?? null,
    lastPassed: course.lastPassed,
    commitRange: state === 'flaky' ? null : commitRange(course.episode),
    rate: rateOf(course),
  };
}

/** From the state that decides for a pattern in several workstreams to the one that does so last. */
const ORDER: readonly PatternState[] = [
  'recurring',
  'regressed',
  'new',
  'flaky',
  'passing',
  'unknown',
  'fixed',
];

/**
 * How a pattern stands over all workstreams that have it: seen from the first to the last of them, otherwise as in the one
 * whose state decides. `new` is only what is new in each of them.
 * @returns null for no histories.
 */
export function patternHistoryOverall(histories: readonly PatternHistory[]): PatternHistory | null {
  const [worst] = histories.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  if (worst === undefined) return null;
  const firsts = histories.flatMap(({ firstSeen }) => firstSeen ?? []).toSorted(byTime);
  const lasts = histories.flatMap(({ lastSeen }) => lastSeen ?? []).toSorted(byTime);
  return { ...worst, firstSeen: firsts[0] ?? null, lastSeen: lasts.at(-1) ?? null };
}

const byTime = (a: RunRef, b: RunRef): number => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0);

function begin(): Course {
  return {
    state: 'unknown',
    firstSeen: null,
    lastSeen: null,
    lastPassed: null,
    episode: null,
    lastLength: 0,
    passes: 0,
    failing: { failures: 0, runs: 0 },
    evidence: { episodes: 0, passedUnchanged: false },
    definition: { hash: null, runs: 0, withError: 0, failed: 0 },
  };
}

function take(course: Course, observation: Observation): void {
  noteDefinition(course, observation.definitionHash);
  if (observation.what === 'failed-so') takeFailure(course, observation);
  else if (observation.healed) takeHealed(course, observation);
  else takePass(course, observation);
}

function noteDefinition(course: Course, hash: string | null): void {
  if (hash === null || hash === course.definition.hash) return;
  if (course.definition.hash !== null) {
    course.definition = { hash, runs: 0, withError: 0, failed: 0 };
    course.evidence = { episodes: 0, passedUnchanged: false };
  }
  course.definition.hash = hash;
}

function takeFailure(course: Course, observation: Observation): void {
  course.episode ??= newEpisode(course, observation.run);
  course.episode.length += 1;
  noteError(course, observation);
  course.definition.failed += 1;
  const { length, beganAs } = course.episode;
  if (isFlaky(course) && isUsual(course.episode)) course.state = 'flaky';
  else course.state = length === 1 ? beganAs : 'recurring';
}

function newEpisode({ firstSeen, state, lastPassed, definition }: Course, first: RunRef): Episode {
  const beganAs = firstSeen === null ? 'new' : state === 'fixed' ? 'regressed' : 'recurring';
  const before = { failed: definition.failed, runs: definition.runs };
  return { first, length: 0, after: lastPassed, beganAs, before };
}

/** Whether chance brings that many failures in a row at the highest plausible rate before them. */
const isUsual = ({ length, before: { failed, runs } }: Episode): boolean =>
  meanRate(failed, runs) ** length >= BELIEVED || jeffreys(failed, runs).high ** length >= BELIEVED;

/** A rate by Jeffreys' prior. It is within the interval, and takes no time to compute. */
const meanRate = (cases: number, runs: number): number => (cases + 0.5) / (runs + 1);

/** An attempt failed so, and a later one of the same run passed. */
function takeHealed(course: Course, observation: Observation): void {
  endEpisode(course);
  noteError(course, observation);
  course.evidence.passedUnchanged = true;
  course.lastPassed = observation.run;
  course.state = 'flaky';
}

function noteError(course: Course, observation: Observation): void {
  course.failing.failures += 1;
  course.failing.runs += course.failing.failures === 1 ? 1 : course.passes + 1;
  course.passes = 0;
  course.firstSeen ??= observation.run;
  course.lastSeen = observation;
  course.definition.runs += 1;
  course.definition.withError += 1;
}

function takePass(course: Course, observation: Observation): void {
  course.lastPassed = observation.run;
  course.definition.runs += 1;
  if (course.lastSeen === null) return;
  if (course.episode !== null && isUnchanged(course.lastSeen, observation))
    course.evidence.passedUnchanged = true;
  endEpisode(course);
  course.passes += 1;
  if (course.state === 'fixed') return;
  const flaky = isFlaky(course);
  if (!isFixed(course, flaky)) {
    course.state = flaky ? 'flaky' : 'passing';
    return;
  }
  course.state = 'fixed';
  // A flaky pattern that stays away for long may still come back by chance, so that its evidence is kept.
  if (!flaky && course.lastLength >= BREAK) forgetFailures(course);
}

function endEpisode(course: Course): void {
  if (course.episode === null) return;
  course.lastLength = course.episode.length;
  course.evidence.episodes += 1;
  course.episode = null;
}

/** Nothing that is known lies between a failure and a pass. */
function isUnchanged(failed: Observation, passed: Observation): boolean {
  return (
    failed.definitionHash !== null &&
    failed.definitionHash === passed.definitionHash &&
    failed.run.commit !== null &&
    failed.run.commit === passed.run.commit &&
    failed.run.isDirty === false &&
    passed.run.isDirty === false
  );
}

const isFlaky = ({ evidence }: Course): boolean =>
  evidence.passedUnchanged || evidence.episodes >= FLAKY_EPISODES;

function isFixed({ failing, passes }: Course, flaky: boolean): boolean {
  const { failures, runs } = failing;
  if ((1 - meanRate(failures, runs)) ** passes >= BELIEVED) return false;
  return !flaky || (1 - jeffreys(failures, runs).low) ** passes < BELIEVED_OF_FLAKY;
}

/** A break that was fixed says nothing about how often the next error comes. */
function forgetFailures(course: Course): void {
  course.failing = { failures: 0, runs: 0 };
  course.evidence = { episodes: 0, passedUnchanged: false };
}

/** Where the last run says nothing, an error that was there may be there still. */
function presentState({ state }: Course, last: Observation | undefined): PatternState {
  const says = last?.what === 'passed' || last?.what === 'failed-so';
  return says || state === 'flaky' || state === 'fixed' ? state : 'unknown';
}

function commitRange(episode: Episode | null): PatternHistory['commitRange'] {
  const from = episode?.after?.commit ?? null;
  const to = episode?.first.commit ?? null;
  return from === null || to === null || from === to ? null : { from, to };
}

function rateOf({ definition, firstSeen }: Course): PatternHistory['rate'] {
  const { runs, withError } = definition;
  if (firstSeen === null || runs < FEWEST_RUNS) return null;
  return { value: withError / runs, ...jeffreys(withError, runs), runs };
}
