/**
 * How often what is told of many runs is wrong, on histories of which the truth is known. A table with more histories:
 * `MILLRACE_TEST_CASES=100 npx vitest run test/analysis/error-rates.test.ts`.
 */
import { afterAll, expect, test } from 'vitest';
import { associations } from '../../src/analysis/associations.ts';
import { analyseDurations, outsideDurations } from '../../src/analysis/durations.ts';
import { patternHistory } from '../../src/analysis/states.ts';
import type { PatternState } from '../../src/domain/history/history.ts';
import { seededRandom } from '../kit/random.ts';
import {
  circumstancesOf,
  durationsOf,
  type HistoryEvent,
  observationsOf,
  type SyntheticRun,
  syntheticHistory,
  syntheticId,
} from '../kit/synthetic-history.ts';

/** Histories for each figure. More with the variable MILLRACE_TEST_CASES. */
const HISTORIES = Number(process.env['MILLRACE_TEST_CASES'] ?? 4);
const WINDOW = 70;

/** The figures, as a table for docs/statistics.md. */
const rows: string[] = [];

afterAll(() => {
  if (process.env['MILLRACE_TEST_CASES'] !== undefined)
    console.log(['| what | measured | of |', '| --- | --- | --- |', ...rows].join('\n'));
});

class Share {
  #hits = 0;
  #all = 0;

  add(hit: boolean): void {
    this.#all += 1;
    if (hit) this.#hits += 1;
  }

  /** Puts it into the table. A share of nothing is not a number. */
  tell(what: string): number {
    rows.push(`| ${what} | ${((100 * this.#hits) / this.#all).toFixed(1)} % | ${this.#all} |`);
    return this.#hits / this.#all;
  }
}

const seedsOf = (histories: number): number[] => Array.from({ length: histories }, (_, index) => index + 1);
const seeds = seedsOf(HISTORIES);

/** What is told of the durations of the last of these runs. */
function told(history: readonly SyntheticRun[]) {
  const { workstreams, wholeRun } = analyseDurations(durationsOf(history));
  const shifted = workstreams.flatMap(({ verdict }) => (verdict.kind === 'shifted' ? [verdict.shift] : []));
  const outside = outsideDurations(workstreams, history.at(-1)?.run.runId ?? '');
  return { shifted, outside, wholeRun };
}

test.each([
  ['on one machine', {}],
  ['on three machines of different speed', { machines: { a: 1, b: 1.4, c: 2 } }],
  ['with a fifth not run', { absent: 0.2 }],
])(
  'durations of 300 workstreams to which nothing happened, %s, raise a false alarm in at most one run in a hundred',
  (what, plan) => {
    const any = new Share();
    const shifts = new Share();
    for (const seed of seeds) {
      const history = syntheticHistory({ seed, runs: 2 * WINDOW, workstreams: 300, ...plan });
      for (let end = WINDOW; end <= 2 * WINDOW; end += 10) {
        const { shifted, outside, wholeRun } = told(history.slice(end - WINDOW, end));
        shifts.add(shifted.length > 0);
        any.add(shifted.length > 0 || outside.length > 0 || wholeRun.kind === 'shifted');
      }
    }
    shifts.tell(`runs of 300 equal workstreams ${what} in which any is called slower or faster`);
    expect(any.tell(`the same with anything said of a duration`)).toBeLessThanOrEqual(
      0.01 + chance(8 * HISTORIES),
    );
  },
);

/** With few cases the measured share strays: by two standard deviations of a share of 1 %. */
const chance = (cases: number): number => 2 * Math.sqrt((0.01 * 0.99) / cases);

test.each([
  [1.3, 0.1, 10, 0.95],
  [1.1, 0.05, 10, 0.6],
])(
  'of workstreams that take %d times as long at noise %d most are found after %d runs',
  (ratio, noise, after, least) => {
    const found = new Share();
    const events = Array.from({ length: 3 }, (_, index): HistoryEvent => {
      return { kind: 'slower', workstreamId: syntheticId(index), from: WINDOW, ratio };
    });
    for (const seed of seedsOf(4 * HISTORIES)) {
      const history = syntheticHistory({ seed, runs: WINDOW + after, workstreams: 300, noise, events });
      const { shifted } = told(history.slice(-WINDOW));
      for (const { workstreamId } of events)
        found.add(shifted.some((shift) => shift.workstreamId === workstreamId && shift.ratio > 1));
    }
    const what = `+ ${Math.round(100 * ratio - 100)} % at ${100 * noise} % noise found after ${after} runs`;
    expect(found.tell(what)).toBeGreaterThanOrEqual(least);
  },
);

test('a slower workstream is dated within three runs', () => {
  const near = new Share();
  for (const seed of seeds) {
    const events: HistoryEvent[] = [
      { kind: 'slower', workstreamId: syntheticId(7), from: WINDOW, ratio: 1.3 },
    ];
    const history = syntheticHistory({ seed, runs: WINDOW + 10, workstreams: 100, noise: 0.1, events });
    const [shift] = told(history.slice(-WINDOW)).shifted;
    const position = history.findIndex(({ run }) => run.runId === shift?.since.runId);
    near.add(Math.abs(position - WINDOW) <= 3);
  }
  expect(near.tell('of these dated within 3 runs')).toBeGreaterThanOrEqual(0.75);
});

test.each([
  [1.1, 0.95],
  [1.05, 0.5],
])('a run that takes %d times as long as a whole is found within 15 runs', (ratio, least) => {
  const found = new Share();
  for (const seed of seeds) {
    const events: HistoryEvent[] = [{ kind: 'slower', workstreamId: null, from: WINDOW, ratio }];
    const history = syntheticHistory({ seed, runs: WINDOW + 15, workstreams: 60, runEffect: 0.03, events });
    const ends = Array.from({ length: 12 }, (_, index) => WINDOW + 4 + index);
    found.add(ends.some((end) => told(history.slice(end - WINDOW, end)).wholeRun.kind === 'shifted'));
  }
  const what = `whole runs that take + ${Math.round(100 * ratio - 100)} %, found within 15`;
  expect(found.tell(what)).toBeGreaterThanOrEqual(least);
});

const LAST = 120;

/** Many workstreams to which different things happen, each with the state that it has in the last run. */
function eventful(seed: number): {
  events: HistoryEvent[];
  truth: Map<string, PatternState | 'flaky at 5 %'>;
} {
  const random = seededRandom(seed * 7919);
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const events: HistoryEvent[] = [];
  const truth = new Map<string, PatternState | 'flaky at 5 %'>();
  let index = 0;
  const add = (count: number, state: PatternState | 'flaky at 5 %', eventsOf: () => object[]): void => {
    for (let each = 0; each < count; each += 1) {
      const workstreamId = syntheticId(index);
      index += 1;
      truth.set(workstreamId, state);
      for (const event of eventsOf())
        events.push({ workstreamId, message: `Broken ${workstreamId}`, ...event } as HistoryEvent);
    }
  };
  const broken = (from: number, runs: number): object => ({ kind: 'break', from, to: from + runs });
  add(20, 'flaky', () => [{ kind: 'flaky', rate: 0.2 }]);
  add(10, 'flaky', () => [{ kind: 'flaky', rate: 0.5 }]);
  add(10, 'flaky at 5 %', () => [{ kind: 'flaky', rate: 0.05, healed: 0.3 }]);
  add(20, 'new', () => [broken(LAST, 1)]);
  add(20, 'recurring', () => [broken(between(80, LAST - 3), 99)]);
  add(20, 'fixed', () => [broken(between(10, 80), between(1, 20))]);
  add(10, 'fixed', () => [broken(between(10, 30), between(4, 20)), broken(between(70, 80), between(4, 20))]);
  add(20, 'regressed', () => [broken(between(10, 80), between(4, 20)), broken(LAST, 1)]);
  return { events, truth };
}

test('states are right: fixed, new and regressed in 98 %, flaky at 20 % in 95 %', () => {
  const shares = new Map<string, Share>();
  const note = (what: string, hit: boolean): void => {
    const share = shares.get(what) ?? new Share();
    share.add(hit);
    shares.set(what, share);
  };
  for (const seed of seedsOf(5 * HISTORIES)) {
    const { events, truth } = eventful(seed);
    const history = syntheticHistory({
      seed,
      runs: LAST + 1,
      workstreams: truth.size,
      events,
      absent: 0.05,
      otherFailures: 0.02,
    });
    for (const [workstreamId, is] of truth) {
      const observations = observationsOf(history, workstreamId, `Broken ${workstreamId}`);
      const { state } = patternHistory(observations);
      const last = observations.at(-1)?.what;
      if (last === 'not-run' || last === 'failed-otherwise') {
        // Nothing is known of what would have failed.
        if (is === 'new' || is === 'recurring' || is === 'regressed') continue;
      }
      note(`${is}: called so`, state === (is === 'flaky at 5 %' ? 'flaky' : is));
      note(`called ${state}: is so`, is.startsWith(state));
    }
  }
  const measured = new Map([...shares].map(([what, share]) => [what, share.tell(`state ${what}`)]));
  for (const state of ['fixed', 'new', 'regressed']) {
    expect(measured.get(`${state}: called so`), state).toBeGreaterThanOrEqual(0.98);
    expect(measured.get(`called ${state}: is so`), state).toBeGreaterThanOrEqual(0.98);
  }
  expect(measured.get('flaky: called so')).toBeGreaterThanOrEqual(0.95);
});

test('what failures go with is found, and little else', () => {
  const [found, real] = [new Share(), new Share()];
  for (const seed of seeds) {
    const flaky = (
      index: number,
      where: Extract<HistoryEvent, { kind: 'flaky' }>['where'] & {},
    ): HistoryEvent => ({
      kind: 'flaky',
      workstreamId: syntheticId(index),
      message: `Broken ${syntheticId(index)}`,
      rate: 0.6,
      where,
    });
    const random: HistoryEvent[] = Array.from({ length: 20 }, (_, index) => ({
      kind: 'flaky',
      workstreamId: syntheticId(20 + index),
      message: `Broken ${syntheticId(20 + index)}`,
      rate: 0.15,
    }));
    const history = syntheticHistory({
      seed,
      runs: 100,
      workstreams: 60,
      machines: { 'build-1': 1, 'build-2': 1, 'build-3': 1 },
      agents: ['ada', 'bob', 'eve'],
      events: [
        flaky(0, (_, { machine }) => machine === 'build-2'),
        flaky(1, ({ agentId }) => agentId === 'eve'),
        ...random,
      ],
    });
    const truth = new Set([`Broken ${syntheticId(0)} machine build-2`, `Broken ${syntheticId(1)} agent eve`]);
    const told = associations(
      history.map(({ run, machine }) => ({ run, machine })),
      circumstancesOf(history),
    ).map(({ patternId, factor, value }) => `${patternId} ${factor} ${value}`);
    for (const each of truth) found.add(told.includes(each));
    for (const each of told) real.add(truth.has(each));
  }
  expect(found.tell('machines and agents that failures go with, found')).toBeGreaterThanOrEqual(0.95);
  expect(real.tell('of what is said to go together, what does')).toBeGreaterThanOrEqual(0.85);
});
