import { describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/analysis/compare.ts';
import type { ComparedRun, RunComparison } from '../../src/domain/history/history.ts';
import {
  durationsOf,
  type HistoryEvent,
  observationsOf,
  type SyntheticRun,
  syntheticHistory,
  syntheticId,
} from '../kit/synthetic-history.ts';

const [A, B, C] = [syntheticId(0), syntheticId(1), syntheticId(2)];

const broken = (workstreamId: string, from: number, to = 99): HistoryEvent => ({
  kind: 'break',
  workstreamId,
  message: `Broken ${workstreamId}`,
  from,
  to,
});

const compared = ({ run, results }: SyntheticRun): ComparedRun => ({
  run,
  results: results.map(({ workstreamId, definitionHash, error, healed }) => ({
    workstreamId,
    status: error === null ? 'completed' : 'failed',
    definitionHash,
    patternId: error,
    healed: healed === null ? [] : [healed],
  })),
});

/** Compares two runs of a history of 20 runs, by default the last with the one before it. */
function comparison(
  events: readonly HistoryEvent[],
  { base = 18, head = 19, change = (run: ComparedRun): ComparedRun => run, limit = 10 } = {},
): RunComparison {
  const history = syntheticHistory({ seed: 8, runs: 20, workstreams: 6, events }).slice(0, head + 1);
  const [before, after] = [history[base], history[head]];
  if (before === undefined || after === undefined) throw new RangeError('There is no such run.');
  return compareRuns({
    base: compared(before),
    head: change(compared(after)),
    observations: (workstreamId, patternId) => observationsOf(history, workstreamId, patternId ?? ''),
    durations: durationsOf(history),
    limit,
  });
}

/** The lists that are not empty, with the ids of their workstreams. */
function lists({ base: _base, head: _head, wholeRun: _wholeRun, ...rest }: RunComparison) {
  const named = Object.entries(rest).map(([name, { shown }]) => [
    name,
    shown.map((each) => (typeof each === 'string' ? each : each.workstreamId)),
  ]);
  return Object.fromEntries(named.filter(([, ids]) => ids?.length !== 0));
}

describe('a failure', () => {
  test('that never was before is new', () => {
    const found = comparison([broken(A, 19)]);
    expect(lists(found)).toEqual({ new: [A] });
    expect(found.new.shown[0]).toMatchObject({ patternId: `Broken ${A}`, history: { state: 'new' } });
  });

  test('of both runs is recurring', () => {
    expect(lists(comparison([broken(A, 12)]))).toEqual({ recurring: [A] });
  });

  test('that was fixed once is regressed', () => {
    expect(lists(comparison([broken(A, 3, 7), broken(A, 19)]))).toEqual({ regressed: [A] });
  });

  test('that came between two runs is new, though it is there for long', () => {
    expect(lists(comparison([broken(A, 12)], { base: 10 }))).toEqual({ new: [A] });
  });

  test('of the base that passes now is fixed, surely or not', () => {
    const found = comparison([broken(A, 14, 19), broken(B, 5, 17)], { base: 16 });
    expect(lists(found)).toEqual({ fixed: [A, B] });
    expect(found.fixed.shown.map(({ history }) => history.state)).toEqual(['passing', 'fixed']);
  });

  test('that comes and goes is flaky, and neither new nor fixed', () => {
    const events = [3, 8, 13, 19].map((from) => broken(A, from, from + 1));
    expect(lists(comparison(events))).toEqual({ flaky: [A] });
    expect(lists(comparison(events, { base: 13, head: 14 }))).toEqual({ flaky: [A] });
    expect(lists(comparison(events, { base: 15, head: 16 }))).toEqual({});
  });

  test('that a retry healed is flaky', () => {
    const events: HistoryEvent[] = [
      { kind: 'flaky', workstreamId: A, message: 'Now and then', rate: 1, healed: 1 },
    ];
    expect(lists(comparison(events))).toEqual({ flaky: [A] });
  });

  test('that another took the place of is not fixed', () => {
    const other = { ...broken(A, 19), message: 'Another' };
    expect(lists(comparison([broken(A, 5, 19), other]))).toEqual({ new: [A] });
  });

  test('of a workstream that is not run now is neither fixed nor there', () => {
    const skip = (run: ComparedRun): ComparedRun => ({
      ...run,
      results: run.results.map((each) =>
        each.workstreamId === A ? { ...each, status: 'skipped', patternId: null } : each,
      ),
    });
    expect(lists(comparison([broken(A, 5)], { change: skip }))).toEqual({ notRun: [A] });
  });
});

describe('workstreams', () => {
  test('that came, went and changed are named', () => {
    const change = (run: ComparedRun): ComparedRun => ({
      ...run,
      results: run.results
        .filter(({ workstreamId }) => workstreamId !== A)
        .map((each) => (each.workstreamId === B ? { ...each, workstreamId: 'ws-of-late' } : each)),
    });
    const redefined: HistoryEvent = { kind: 'redefined', workstreamId: C, from: 19 };
    expect(lists(comparison([redefined], { change }))).toEqual({
      added: ['ws-of-late'],
      removed: [A, B],
      changedDefinition: [C],
    });
  });

  test('beyond the limit are counted', () => {
    const events = Array.from({ length: 6 }, (_, index) => broken(syntheticId(index), 19));
    const { new: found } = comparison(events, { limit: 2 });
    expect(found.shown.map(({ workstreamId }) => workstreamId)).toEqual([A, B]);
    expect(found.total).toBe(6);
  });
});

test('durations are told by the runs before', () => {
  const events: HistoryEvent[] = [{ kind: 'slower', workstreamId: A, from: 19, ratio: 20 }];
  expect(lists(comparison(events))).toEqual({ outside: [A] });
});

test('two runs in which the same happened differ in nothing', () => {
  expect(lists(comparison([]))).toEqual({});
});
