/** The time left of simulated runs, whose truth is known. */
import { describe, expect, test } from 'vitest';
import { addDuration, type DurationGroups, type Elapsed, timeLeft } from '../../src/dashboard/time-left.ts';
import { seededRandom } from '../kit/random.ts';

const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const DISTRIBUTIONS = {
  'all the same': () => 5,
  'from 1 to 9': (random: () => number): number => 1 + 8 * random(),
  exponential: (random: () => number): number => -5 * Math.log(1 - random()),
  lognormal: (random: () => number): number => 3 * Math.exp(normal(random)),
  'many short ones and a few long': (random: () => number): number =>
    random() < 0.1 ? 30 + 10 * random() : 0.5 + random(),
};

/** When each of so many workstreams begins and ends, that agents take one after the other. */
function simulated(
  duration: (random: () => number) => number,
  random: () => number,
  { count = 60, agents = 6 } = {},
) {
  const free = Array.from({ length: agents }, () => 0);
  return Array.from({ length: count }, () => {
    const from = Math.min(...free);
    const to = from + duration(random);
    free[free.indexOf(from)] = to;
    return { from, to };
  });
}

function estimateAt(run: ReturnType<typeof simulated>, now: number, agents: number) {
  const groups: DurationGroups = new Map();
  const running: Elapsed[] = [];
  for (const { from, to } of run)
    if (to <= now) addDuration(groups, to - from);
    else if (from <= now) running.push({ elapsed: now - from, fraction: null });
  return timeLeft(groups, { waiting: run.filter(({ from }) => from > now).length, running, agents });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const RUNS = 400;
const AGENTS = 6;

/** Estimates of many runs at a moment after a part of their workstreams, beside what was left then. */
function estimates(duration: (random: () => number) => number, part: number) {
  const random = seededRandom(1);
  return Array.from({ length: RUNS }, () => {
    const run = simulated(duration, random);
    const ends = run.map(({ to }) => to).toSorted((a, b) => a - b);
    const index = Math.floor(part * run.length);
    // Between two ends, as most looks are.
    const now = (ends[index - 1] ?? 0) + random() * ((ends[index] ?? 0) - (ends[index - 1] ?? 0));
    return { left: (ends.at(-1) ?? 0) - now, estimate: estimateAt(run, now, AGENTS) };
  });
}

describe('the time that is left of a run', () => {
  // Of a few long ones nothing is known before the first has ended, so that no estimate can be right.
  test.each([
    ['all the same', 0.3, 0.95, 1.15],
    ['all the same', 0.6, 0.95, 1.15],
    ['all the same', 0.9, 0.95, 1.15],
    ['from 1 to 9', 0.3, 0.95, 1.05],
    ['from 1 to 9', 0.6, 0.95, 1.05],
    ['from 1 to 9', 0.9, 0.95, 1.05],
    ['exponential', 0.3, 0.95, 1.05],
    ['exponential', 0.6, 0.95, 1.05],
    ['exponential', 0.9, 0.95, 1.05],
    ['lognormal', 0.3, 0.8, 1.05],
    ['lognormal', 0.6, 0.8, 1.05],
    ['lognormal', 0.9, 0.8, 1.05],
    ['many short ones and a few long', 0.6, 0.75, 1.25],
    ['many short ones and a few long', 0.9, 0.75, 1.25],
  ] as const)(
    'is estimated without a large systematic error: %s, after %d of them',
    (name, part, low, high) => {
      const found = estimates(DISTRIBUTIONS[name], part);
      const ratio =
        mean(found.map(({ estimate }) => estimate?.seconds ?? 0)) / mean(found.map(({ left }) => left));
      expect(ratio).toBeGreaterThan(low);
      expect(ratio).toBeLessThan(high);
      const inRange = found.filter(({ left, estimate }) => {
        const { low: least, high: most } = estimate ?? { low: 0, high: 0 };
        return least - 1e-9 <= left && left <= most + 1e-9;
      });
      expect(inRange.length / found.length).toBeGreaterThan(0.6);
    },
  );

  test('is longer than nothing however long a workstream takes already, and longer the later it is', () => {
    const random = seededRandom(2);
    for (let times = 0; times < 200; times += 1) {
      const groups: DurationGroups = new Map();
      const duration = Object.values(DISTRIBUTIONS)[times % 5] ?? (() => 1);
      for (let index = 0; index < 3 + times; index += 1) addDuration(groups, duration(random));
      let before = 0;
      for (const elapsed of [50, 500, 5_000, 50_000]) {
        const left = timeLeft(groups, { waiting: 0, running: [{ elapsed, fraction: null }], agents: 1 });
        expect(left?.seconds).toBeGreaterThan(before);
        before = left?.seconds ?? 0;
      }
    }
  });

  test('of one workstream is the mean of what longer ones took more', () => {
    const groups: DurationGroups = new Map();
    for (const seconds of [1, 1, 1, 1, 10, 20]) addDuration(groups, seconds);
    const left = timeLeft(groups, { waiting: 0, running: [{ elapsed: 5, fraction: null }], agents: 1 });
    expect(left?.seconds).toBeCloseTo((5 + 15) / 2, 1);
  });

  test('follows what a workstream says of itself', () => {
    const groups: DurationGroups = new Map();
    for (const seconds of [1, 1, 1]) addDuration(groups, seconds);
    const left = timeLeft(groups, { waiting: 0, running: [{ elapsed: 30, fraction: 0.75 }], agents: 2 });
    expect(left?.seconds).toBeCloseTo(10, 1);
  });

  test('is not known where nothing is left, or nothing has ended', () => {
    const some: DurationGroups = new Map([[0, { n: 3, sum: 3 }]]);
    expect(timeLeft(some, { waiting: 0, running: [], agents: 1 })).toBeNull();
    expect(timeLeft(new Map(), { waiting: 1, running: [], agents: 1 })).toBeNull();
  });

  test('is estimated in a moment, however many workstreams there are', () => {
    const groups: DurationGroups = new Map();
    const random = seededRandom(3);
    for (let index = 0; index < 100_000; index += 1) addDuration(groups, DISTRIBUTIONS.lognormal(random));
    expect(groups.size).toBeLessThan(100);
    const running = Array.from({ length: 5_000 }, () => ({ elapsed: 10 * random(), fraction: null }));
    expect(timeLeft(groups, { waiting: 1_000_000, running, agents: 5_000 })?.seconds).toBeGreaterThan(0);
  });
});
