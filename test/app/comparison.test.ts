/** Histories of known truth in a real database, compared as at the end of a run and as on request. */
import { expect, test } from 'vitest';
import { compareSides, earlierRunLike, type LookedBack, lookBack } from '../../src/app/comparison.ts';
import { failureHistories } from '../../src/app/failure-histories.ts';
import type { RunComparison, RunRef } from '../../src/domain/history/history.ts';
import { consolidate } from '../../src/store/read/consolidate.ts';
import type { Connection } from '../../src/store/schema/connection.ts';
import { recordHistory } from '../kit/recorded-history.ts';
import { opened } from '../kit/recorded-run.ts';
import {
  type HistoryEvent,
  type SyntheticRun,
  syntheticHistory,
  syntheticId,
} from '../kit/synthetic-history.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const BROKEN = syntheticId(7);
const FLAKY = syntheticId(11);
const SLOWER = syntheticId(23);

/** A break in run 121, one that was fixed before, a flaky workstream, one that became slower, and noise. */
const events: HistoryEvent[] = [
  { kind: 'break', workstreamId: BROKEN, message: 'Cannot find module ./codec', from: 120, to: 130 },
  { kind: 'break', workstreamId: syntheticId(8), message: 'Unexpected token }', from: 60, to: 80 },
  { kind: 'flaky', workstreamId: FLAKY, message: 'read ECONNRESET', rate: 0.2 },
  { kind: 'slower', workstreamId: SLOWER, from: 105, ratio: 1.6 },
];

function recorded(): { connection: Connection; runs: SyntheticRun[] } {
  const runs = syntheticHistory({ seed: 20, runs: 121, workstreams: 40, events });
  const connection = opened(temporaryFolder());
  recordHistory(connection, runs);
  return { connection, runs };
}

function refAt(runs: readonly SyntheticRun[], position: number): RunRef {
  const found = runs.at(position)?.run;
  if (found === undefined) throw new RangeError(`There is no run ${position}.`);
  return found;
}

function lookBackFrom(connection: Connection, runId: string): LookedBack {
  const result = consolidate(connection, runId, 'runs.db');
  if (result === null) throw new RangeError(`There is no run ${runId}.`);
  return lookBack(connection, result);
}

/** The ids in each of the lists that name what changed. */
const told = ({ new: fresh, regressed, fixed, recurring, flaky, shifts, outside }: RunComparison) => ({
  new: fresh.shown.map(({ workstreamId }) => workstreamId),
  regressed: regressed.shown.map(({ workstreamId }) => workstreamId),
  fixed: fixed.shown.map(({ workstreamId }) => workstreamId),
  recurring: recurring.shown.map(({ workstreamId }) => workstreamId),
  isFlakyTold: flaky.shown.every(({ workstreamId }) => workstreamId === FLAKY),
  shifts: shifts.shown.map(({ workstreamId }) => workstreamId),
  outside: outside.shown.map(({ workstreamId }) => workstreamId),
});

test('the end of run 121 names what broke in it, its pattern and the commits, and nothing that is chance', () => {
  const { connection, runs } = recorded();
  const head = refAt(runs, -1);
  const { comparison, result } = lookBackFrom(connection, head.runId);
  if (comparison === null) throw new Error('It was compared with none.');
  expect(comparison.base).toEqual(refAt(runs, -2));
  expect(told(comparison)).toEqual({
    new: [BROKEN],
    regressed: [],
    fixed: [],
    recurring: [],
    isFlakyTold: true,
    shifts: [SLOWER],
    outside: [],
  });
  expect(comparison.wholeRun).toBeNull();
  const [change] = comparison.new.shown;
  const pattern = result.patterns.shown.find(({ id }) => id === change?.patternId);
  expect(pattern?.example.message).toBe('Cannot find module ./codec');
  expect(pattern?.history).toEqual(change?.history);
  expect(change?.history).toMatchObject({
    state: 'new',
    firstSeen: { runId: head.runId },
    lastPassed: { runId: refAt(runs, -2).runId },
    commitRange: { from: refAt(runs, -2).commit, to: head.commit },
  });
});

test('the end of a run says what a failure goes with', () => {
  const isThere = (_: unknown, { machine }: { machine: string }): boolean => machine === 'build-2';
  const failing: HistoryEvent = {
    kind: 'flaky',
    workstreamId: FLAKY,
    message: 'read ECONNRESET',
    rate: 0.9,
    where: isThere,
  };
  const machines = { 'build-1': 1, 'build-2': 1 };
  const all = syntheticHistory({ seed: 5, runs: 60, workstreams: 20, events: [failing], machines });
  const runs = all.slice(0, all.findLastIndex(({ results }) => results[11]?.error !== null) + 1);
  const connection = opened(temporaryFolder());
  recordHistory(connection, runs);
  const { result } = lookBackFrom(connection, refAt(runs, -1).runId);
  const [pattern] = result.patterns.shown;
  expect(pattern?.goesWith.map(({ factor, value }) => [factor, value])).toEqual([['machine', 'build-2']]);
});

test('a comparison on request says the same', () => {
  const { connection, runs } = recorded();
  const head = refAt(runs, -1);
  const base = earlierRunLike(connection, head);
  if (base === null) throw new Error('It is like none.');
  const asked = told(compareSides(connection, { base: [base], head: [head] }));
  const atEnd = lookBackFrom(connection, head.runId).comparison;
  expect(asked).toEqual(atEnd === null ? null : told(atEnd));
});

test('ranges of runs are compared by what failed in any of them', () => {
  const { connection, runs } = recorded();
  const refs = (from: number, to: number) => runs.slice(from, to).map(({ run }) => run);
  const { fixed, new: fresh } = compareSides(connection, { base: refs(70, 75), head: refs(90, 95) });
  expect(fixed.shown.map(({ workstreamId }) => workstreamId)).toEqual([syntheticId(8)]);
  expect(fresh.total).toBe(0);
});

test('runs of other labels are compared by all runs: what was seen before is not new', () => {
  const message = 'Cannot find module ./codec';
  const broken = (from: number, to: number): HistoryEvent => ({
    kind: 'break',
    workstreamId: BROKEN,
    message,
    from,
    to,
  });
  const all = syntheticHistory({
    seed: 3,
    runs: 20,
    workstreams: 10,
    events: [broken(5, 8), broken(19, 20)],
  });
  const runs = all.map((each, position) =>
    position === 19 ? { ...each, run: { ...each.run, label: 'nightly' } } : each,
  );
  const connection = opened(temporaryFolder());
  recordHistory(connection, runs);
  const sides = { base: [refAt(runs, 18)], head: [refAt(runs, 19)] };
  const { new: fresh, regressed } = compareSides(connection, sides);
  expect(fresh.total).toBe(0);
  expect(regressed.shown).toMatchObject([
    {
      workstreamId: BROKEN,
      history: {
        state: 'regressed',
        firstSeen: { runId: refAt(runs, 5).runId },
        lastPassed: { runId: refAt(runs, 18).runId },
      },
    },
  ]);
});

test('a run is compared with none where it is the first, or so large that it would take long', () => {
  const { connection, runs } = recorded();
  expect(lookBackFrom(connection, refAt(runs, 0).runId).comparison).toBeNull();
  const last = refAt(runs, -1).runId;
  connection.prepare('UPDATE consolidated_runs SET total_workstreams = 100001 WHERE run_id = ?').run(last);
  expect(lookBackFrom(connection, last).comparison).toBeNull();
});

test('each failure of the last 100 runs has its state, with what speaks for it', () => {
  const { connection, runs } = recorded();
  const { failures, patterns, seenIn } = failureHistories(connection, refAt(runs, -1), 100);
  const states = new Map(failures.map(({ workstreamId, history }) => [workstreamId, history.state]));
  expect(Object.fromEntries(states)).toEqual({
    [BROKEN]: 'new',
    [FLAKY]: 'flaky',
    [syntheticId(8)]: 'fixed',
  });
  expect(patterns.map(({ history }) => history.state)).toEqual(['new', 'flaky', 'fixed']);
  const flaky = failures.find(({ workstreamId }) => workstreamId === FLAKY);
  const failedIn = runs.slice(-100).filter(({ results }) => results[11]?.error !== null);
  expect(flaky?.failedRuns).toBe(failedIn.length);
  expect(flaky?.recoveries).toBeGreaterThan(2);
  expect(seenIn(flaky?.patternId ?? '')).toEqual(
    failedIn.map(({ run }) => ({ run, workstreams: 1 })).toReversed(),
  );
});
