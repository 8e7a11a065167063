/** Whether workstreams take longer or shorter than before, from their durations in many runs. */
import { median } from 'simple-statistics';
import type {
  DurationHistory,
  DurationSample,
  DurationShift,
  RunRef,
  TimedRun,
} from '../domain/history/history.ts';
import { benjaminiHochberg, studentTwoSided } from './statistics/proportions.ts';
import { changePoints, likeliestChange, mannWhitney } from './statistics/rank-tests.ts';

/** The last runs that are compared, and the most before them that they are compared with. */
const WINDOWS = [
  { recent: 5, before: 30 },
  { recent: 10, before: 60 },
] as const;

/** The fewest runs on each side of a comparison: with three no difference is beyond chance. */
const FEWEST_ON_A_SIDE = 4;

/**
 * Among the shifts that are told at once, this share is chance. With what is told of single durations and of whole runs
 * it keeps false alarms below one run in a hundred.
 */
const SHIFT_Q = 0.007;

/** Chance of a shift without the correction for the effects of runs, which only has to point the same way. */
const BY_THE_CLOCK_P = 0.01;

/** Chance of a shift of the whole run. */
const WHOLE_RUN_P = 0.001;

/** Smaller differences are not worth a sentence, even where they are certain: 3 %, as a logarithm. */
const LEAST_EFFECT = Math.log(1.03);

/** The fewest workstreams of a run whose median tells how fast the run as a whole was. */
const FEWEST_FOR_EFFECT = 5;

/** A machine with fewer runs than this is one of those that come and go, such as hosts of a CI service. */
const OWN_MACHINE = 3;

/** The clock's resolution in seconds: shorter times are not told apart. */
const SHORTEST = 0.001;

/** What the tests say: that the level shifted, that they found no shift, or that there were too few runs for them. */
type DurationVerdict =
  | { kind: 'shifted'; shift: DurationShift }
  | { kind: 'steady'; runs: number }
  | { kind: 'too-few-runs'; runs: number; needed: number };

/** A workstream in one of the runs that are compared. */
interface DurationPoint {
  run: RunRef;
  seconds: number;
  /** Without the part that all workstreams of the run have in common, such as a busy machine. */
  correctedSeconds: number;
}

export interface WorkstreamDurations {
  workstreamId: string;
  /** With its present definition, on comparable machines; the oldest first. */
  points: DurationPoint[];
  verdict: DurationVerdict;
}

export interface DurationAnalysis {
  workstreams: WorkstreamDurations[];
  wholeRun: DurationVerdict;
}

/**
 * Compares the last runs of each workstream, and of all together, with those before.
 *
 * Durations are compared as logarithms, within one definition and one machine (machines with few runs count as one), and
 * without the run's own effect, which is the median of its workstreams' differences from their medians. A workstream has
 * shifted where the last 5 of its runs differ from the 30 before them, or the last 10 from the 60 before, by the test of
 * Mann and Whitney with Benjamini and Hochberg's correction at 0.7 % over all workstreams, and by at least 3 %. The whole run
 * has where the effects of the last 5 runs differ from those of the 30 before at p < 0.001 and by at least 3 %. Where the
 * whole run has, a workstream is told only if it took longer, or shorter, by the clock too.
 */
export function analyseDurations(history: DurationHistory): DurationAnalysis {
  const series = comparableSeries(history);
  const effects = subtractEffects(series, history.runs.length);
  const wholeRun = wholeRunVerdict(series, effects, history.runs);
  const verdicts = shiftVerdicts(series, history.runs, wholeRun.kind === 'shifted');
  return {
    workstreams: series.map((each) => ({
      workstreamId: each.workstreamId,
      points: each.samples.map(({ position, seconds }, index) => ({
        run: runAt(history.runs, position),
        seconds,
        correctedSeconds: Math.exp(each.residuals[index] ?? 0),
      })),
      verdict: verdicts.get(each.workstreamId) ?? tooFew(each.samples.length),
    })),
    wholeRun,
  };
}

/** All lasting changes of a workstream's duration, the oldest first: the test of Pettitt, p < 0.001, repeated. */
export function durationChanges({ workstreamId, points }: WorkstreamDurations): DurationShift[] {
  const values = points.map(({ correctedSeconds }) => Math.log(correctedSeconds));
  const changes = changePoints(values);
  return changes.flatMap(({ index, p }, place) => {
    const before = values.slice(changes[place - 1]?.index ?? 0, index);
    const after = values.slice(index, changes[place + 1]?.index);
    const since = points[index]?.run;
    if (since === undefined || Math.abs(median(after) - median(before)) < LEAST_EFFECT) return [];
    return [shiftOf(workstreamId, before, after, p, since)];
  });
}

/** A duration that none of the last runs had. */
export interface OutsideDuration {
  workstreamId: string;
  seconds: number;
  medianSeconds: number;
  /** With how many runs it was compared. */
  runs: number;
}

/** The fewest runs that have a range, and the most that are looked at. */
const RANGE = { fewest: 8, most: 30 } as const;

/** Differences of single durations below this, in seconds, are noise of the machine. */
const LEAST_DIFFERENCE = 0.01;

/** Chance that any workstream of a run is told although nothing happened. */
const OUTSIDE_Q = 0.001;

/**
 * Workstreams whose last duration lies outside all of up to 30 before it, further than their spread lets expect (Student's
 * prediction interval of one more value, with Benjamini and Hochberg's correction at 0.1 %), by at least 3 % and 10 ms, and
 * further than any workstream was in any of those runs, because durations of some folders jump all the time. That a
 * workstream became slower one run can't tell.
 * @param runId the run whose durations are judged.
 */
export function outsideDurations(
  workstreams: readonly WorkstreamDurations[],
  runId: string,
): OutsideDuration[] {
  const judged = workstreams.flatMap(({ workstreamId, points }) => {
    const last = points.findLastIndex(({ run }) => run.runId === runId);
    const range = points.slice(Math.max(0, last - RANGE.most), last + 1);
    return last < RANGE.fewest ? [] : [{ workstreamId, range, logs: range.map(logOf) }];
  });
  const last = judged.map(({ logs }) => outsideP(logs, logs.length - 1));
  const adjusted = benjaminiHochberg(last);
  const before = farthestBefore(judged);
  return judged.flatMap(({ workstreamId, range }, index) => {
    const p = last[index] ?? 1;
    const point = range.at(-1);
    if (point === undefined || (adjusted[index] ?? 1) > OUTSIDE_Q || before <= p) return [];
    const earlier = range.slice(0, -1).map(({ seconds }) => seconds);
    return [{ workstreamId, seconds: point.seconds, medianSeconds: median(earlier), runs: earlier.length }];
  });
}

const logOf = ({ correctedSeconds }: DurationPoint): number => Math.log(correctedSeconds);

/** How unlikely the workstream was that was farthest out in any of the runs before the judged one. */
function farthestBefore(judged: readonly { logs: number[] }[]): number {
  let least = 1;
  for (const { logs } of judged) {
    const earlier = logs.slice(0, -1);
    for (const index of earlier.keys()) least = Math.min(least, outsideP(earlier, index));
  }
  return least;
}

/** How likely a value is as far from the others as this; 1 within their range or near their median. */
function outsideP(values: readonly number[], index: number): number {
  const value = values[index] ?? 0;
  const others = values.toSpliced(index, 1);
  const inside = others.some((each) => each >= value) && others.some((each) => each <= value);
  const middle = median(others);
  if (inside || Math.abs(value - middle) < LEAST_EFFECT) return 1;
  if (Math.abs(Math.exp(value) - Math.exp(middle)) < LEAST_DIFFERENCE) return 1;
  const size = others.length;
  const mean = others.reduce((sum, each) => sum + each, 0) / size;
  const variance = others.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (size - 1);
  if (variance === 0) return 0;
  return studentTwoSided((value - mean) / Math.sqrt(variance * (1 + 1 / size)), size - 1);
}

interface Series {
  workstreamId: string;
  samples: DurationSample[];
  /** Logarithms of the seconds. */
  logs: number[];
  /** The same without the effects of the runs. */
  residuals: number[];
}

/** Durations of each workstream with the definition that it had last, on machines like that of the last run. */
function comparableSeries({ runs, samples }: DurationHistory): Series[] {
  const comparable = comparableRuns(runs);
  return [...samples].flatMap(([workstreamId, all]) => {
    const hash = all.at(-1)?.definitionHash;
    const kept = all.filter((each) => each.definitionHash === hash && comparable[each.position] === true);
    const logs = kept.map(({ seconds }) => Math.log(Math.max(SHORTEST, seconds)));
    return kept.length === 0 ? [] : [{ workstreamId, samples: kept, logs, residuals: logs }];
  });
}

/** By position: whether the run was on the machine of the last one. Machines that come and go count as one. */
function comparableRuns(runs: readonly TimedRun[]): boolean[] {
  const counts = new Map<string | null, number>();
  for (const { machine } of runs) counts.set(machine, (counts.get(machine) ?? 0) + 1);
  const nameOf = ({ machine }: TimedRun): string | null =>
    (counts.get(machine) ?? 0) < OWN_MACHINE ? null : machine;
  const last = runs.at(-1);
  return runs.map((run) => last !== undefined && nameOf(run) === nameOf(last));
}

/** Rounds of medians over workstreams and runs: the first gives the effects, the second corrects the medians by them. */
const ROUNDS = 2;

/** Takes the effect of each run from its durations. Returns the effects by position; null where too few tell it. */
function subtractEffects(series: Series[], runs: number): (number | null)[] {
  let effects: (number | null)[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    effects = effectsOf(series, runs);
    for (const each of series) {
      each.residuals = each.logs.map(
        (log, index) => log - (effects[each.samples[index]?.position ?? -1] ?? 0),
      );
    }
  }
  return effects;
}

function effectsOf(series: readonly Series[], runs: number): (number | null)[] {
  const differences = Array.from({ length: runs }, (): number[] => []);
  for (const { samples, logs, residuals } of series) {
    if (samples.length < FEWEST_ON_A_SIDE) continue;
    const level = median(residuals);
    for (const [index, { position }] of samples.entries())
      differences[position]?.push((logs[index] ?? 0) - level);
  }
  return differences.map((each) => (each.length < FEWEST_FOR_EFFECT ? null : median(each)));
}

interface Comparison {
  p: number;
  /** Logarithms. */
  before: number[];
  after: number[];
}

/** The comparisons of a series with itself before; empty where it is too short for any. */
function comparisons(values: readonly number[], windows: readonly (typeof WINDOWS)[number][]): Comparison[] {
  return windows.flatMap(({ recent, before }, place) => {
    // A longer window says more than a shorter one only where it is filled.
    if (place > 0 && values.length < 2 * recent) return [];
    const size = Math.min(recent, Math.max(FEWEST_ON_A_SIDE, values.length - FEWEST_ON_A_SIDE));
    const earlier = values.slice(0, -size).slice(-before);
    const after = values.slice(-size);
    if (earlier.length < FEWEST_ON_A_SIDE || after.length < FEWEST_ON_A_SIDE) return [];
    const isSmall = Math.abs(median(after) - median(earlier)) < LEAST_EFFECT;
    return [{ p: isSmall ? 1 : mannWhitney(earlier, after), before: earlier, after }];
  });
}

function shiftVerdicts(
  series: readonly Series[],
  runs: readonly TimedRun[],
  wholeRunShifted: boolean,
): Map<string, DurationVerdict> {
  const tests = series.flatMap((each) =>
    comparisons(each.residuals, WINDOWS).map((comparison) => ({ each, comparison })),
  );
  const adjusted = benjaminiHochberg(tests.map(({ comparison }) => comparison.p));
  const verdicts = new Map<string, DurationVerdict>();
  for (const [index, { each, comparison }] of tests.entries()) {
    const { workstreamId, samples } = each;
    const earlier = verdicts.get(workstreamId);
    if (earlier?.kind === 'shifted' && earlier.shift.p <= comparison.p) continue;
    const isShift =
      (adjusted[index] ?? 1) <= SHIFT_Q && (!wholeRunShifted || isShiftByTheClock(each, comparison));
    if (isShift) {
      const since = runAt(runs, samples[sinceIndex(each.residuals, comparison)]?.position);
      const { before, after, p } = comparison;
      verdicts.set(workstreamId, { kind: 'shifted', shift: shiftOf(workstreamId, before, after, p, since) });
    } else if (earlier === undefined) {
      verdicts.set(workstreamId, { kind: 'steady', runs: samples.length });
    }
  }
  return verdicts;
}

/** Where most workstreams became slower, the others only look faster: it has to show without the effects of the runs. */
function isShiftByTheClock({ logs }: Series, { before, after }: Comparison): boolean {
  const recent = logs.slice(-after.length);
  const earlier = logs.slice(-after.length - before.length, -after.length);
  const isSameWay = median(recent) > median(earlier) === median(after) > median(before);
  return isSameWay && mannWhitney(earlier, recent) <= BY_THE_CLOCK_P;
}

/** Index in the whole series of the most likely first value of the new level. */
function sinceIndex(values: readonly number[], { before, after }: Comparison): number {
  const start = values.length - before.length - after.length;
  return start + (likeliestChange([...before, ...after], FEWEST_ON_A_SIDE) ?? before.length);
}

function wholeRunVerdict(
  series: readonly Series[],
  effects: readonly (number | null)[],
  runs: readonly TimedRun[],
): DurationVerdict {
  const known = effects.flatMap((effect, position) => (effect === null ? [] : [{ effect, position }]));
  const values = known.map(({ effect }) => effect);
  const [comparison] = comparisons(values, [WINDOWS[0]]);
  if (comparison === undefined) return tooFew(known.length);
  if (comparison.p >= WHOLE_RUN_P) return { kind: 'steady', runs: known.length };
  const since = runAt(runs, known[sinceIndex(values, comparison)]?.position);
  const work = Math.log(series.reduce((sum, { residuals }) => sum + Math.exp(median(residuals)), 0));
  const [before, after] = [comparison.before, comparison.after].map((side) =>
    side.map((value) => value + work),
  );
  return { kind: 'shifted', shift: shiftOf(null, before ?? [], after ?? [], comparison.p, since) };
}

/** @param before logarithms of seconds, as `after`. */
function shiftOf(
  workstreamId: string | null,
  before: readonly number[],
  after: readonly number[],
  p: number,
  since: RunRef,
): DurationShift {
  const [beforeSeconds, afterSeconds] = [Math.exp(median([...before])), Math.exp(median([...after]))];
  const runs = before.length + after.length;
  return { workstreamId, beforeSeconds, afterSeconds, ratio: afterSeconds / beforeSeconds, p, since, runs };
}

function tooFew(runs: number): DurationVerdict {
  return { kind: 'too-few-runs', runs, needed: 2 * FEWEST_ON_A_SIDE };
}

function runAt(runs: readonly TimedRun[], position: number | undefined): RunRef {
  const found = runs[position ?? -1];
  if (found === undefined) throw new RangeError(`There is no run at ${position} among ${runs.length}.`);
  return found.run;
}
