import { describe, expect, test } from 'vitest';
import {
  analyseDurations,
  durationChanges,
  outsideDurations,
  type WorkstreamDurations,
} from '../../src/analysis/durations.ts';
import type { DurationHistory } from '../../src/domain/history/history.ts';
import { durationsOf, type HistoryPlan, syntheticHistory, syntheticId } from '../kit/synthetic-history.ts';

const SLOW = syntheticId(3);

/** 60 workstreams on one machine with 10 % noise. */
const history = (plan: Partial<HistoryPlan>) =>
  syntheticHistory({ seed: 42, runs: 40, workstreams: 60, noise: 0.1, ...plan });

const slower = (ratio: number, from: number, workstreamId: string | null = SLOW) =>
  ({ kind: 'slower', workstreamId, from, ratio }) as const;

const analysed = (plan: Partial<HistoryPlan>) => analyseDurations(durationsOf(history(plan)));

/** Ids of the workstreams of which it is said that they are slower or faster. */
const shifted = ({ workstreams }: { workstreams: readonly WorkstreamDurations[] }): string[] =>
  workstreams.flatMap(({ workstreamId, verdict }) => (verdict.kind === 'shifted' ? [workstreamId] : []));

function verdictOf({ workstreams }: { workstreams: readonly WorkstreamDurations[] }, id = SLOW) {
  return workstreams.find(({ workstreamId }) => workstreamId === id)?.verdict;
}

describe('a workstream', () => {
  test('that takes longer is told with both medians, and since when', () => {
    const runs = history({ events: [slower(1.5, 30)] });
    const found = analyseDurations(durationsOf(runs));
    expect(shifted(found)).toEqual([SLOW]);
    const verdict = verdictOf(found);
    if (verdict?.kind !== 'shifted') throw new Error('It is not shifted.');
    const { shift } = verdict;
    expect(shift.ratio).toBeGreaterThan(1.3);
    expect(shift.ratio).toBeLessThan(1.7);
    expect(shift.afterSeconds / shift.beforeSeconds).toBeCloseTo(shift.ratio, 12);
    expect(runs.findIndex(({ run }) => run.runId === shift.since.runId)).toBe(30);
  });

  test('that takes shorter is told as well', () => {
    const verdict = verdictOf(analysed({ events: [slower(0.6, 30)] }));
    expect(verdict).toMatchObject({ kind: 'shifted', shift: { ratio: expect.closeTo(0.6, 1) } });
  });

  test('with fewer than four runs on each side has too few', () => {
    const found = analysed({ runs: 7, events: [slower(9, 4)] });
    expect(verdictOf(found)).toEqual({ kind: 'too-few-runs', runs: 7, needed: 8 });
    expect(found.wholeRun).toEqual({ kind: 'too-few-runs', runs: 7, needed: 8 });
    expect(verdictOf(analysed({ runs: 8 }))).toEqual({ kind: 'steady', runs: 8 });
  });

  test('is compared within its present definition only', () => {
    const events = [slower(3, 34), { kind: 'redefined', workstreamId: SLOW, from: 34 } as const];
    expect(verdictOf(analysed({ events }))).toEqual({ kind: 'too-few-runs', runs: 6, needed: 8 });
  });

  test('that takes 2 % longer is not worth a sentence, however certain', () => {
    expect(shifted(analysed({ noise: 0.0001, events: [slower(1.02, 30)] }))).toEqual([]);
    expect(shifted(analysed({ noise: 0.0001, events: [slower(1.04, 30)] }))).toEqual([SLOW]);
  });

  test('that takes no time is nothing to compare', () => {
    const samples = Array.from({ length: 20 }, (_, position) => ({
      position,
      definitionHash: null,
      seconds: position < 10 ? 0 : 0.0009,
    }));
    const runs = history({ runs: 20 }).map(({ run, machine }) => ({ run, machine }));
    const found = analyseDurations({ runs, samples: new Map([['ws-0', samples]]) });
    expect(found.workstreams[0]?.verdict).toEqual({ kind: 'steady', runs: 20 });
  });

  test('has lasting changes, each with its run', () => {
    const runs = history({ runs: 90, events: [slower(1.4, 30), slower(0.5, 60)] });
    const { workstreams } = analyseDurations(durationsOf(runs));
    const own = workstreams.find(({ workstreamId }) => workstreamId === SLOW);
    if (own === undefined) throw new Error('It is missing.');
    const changes = durationChanges(own);
    const found = changes.map(({ since }) => runs.findIndex(({ run }) => run.runId === since.runId));
    expect(found).toEqual([30, 60]);
    expect(changes.map(({ ratio }) => ratio)).toEqual([expect.closeTo(1.4, 0), expect.closeTo(0.5, 0)]);
  });
});

describe('a run', () => {
  test('that is slower as a whole is no matter of its workstreams', () => {
    const found = analysed({ runEffect: 0.02, events: [slower(1.3, 35, null)] });
    expect(shifted(found)).toEqual([]);
    expect(found.wholeRun).toMatchObject({
      kind: 'shifted',
      shift: { workstreamId: null, ratio: expect.closeTo(1.3, 1) },
    });
  });

  test('in which most became slower does not make the others faster', () => {
    const events = Array.from({ length: 40 }, (_, index) => slower(1.3, 35, syntheticId(index)));
    const found = analysed({ runEffect: 0.02, events });
    expect(found.wholeRun.kind).toBe('shifted');
    const ratios = found.workstreams.flatMap(({ verdict }) =>
      verdict.kind === 'shifted' ? [verdict.shift.ratio] : [],
    );
    expect(ratios.filter((ratio) => ratio < 1)).toEqual([]);
  });

  test('of few workstreams has no effect of its own', () => {
    const found = analysed({ workstreams: 4, runEffect: 0, events: [slower(1.5, 30)] });
    expect(shifted(found)).toEqual([SLOW]);
    expect(found.wholeRun.kind).toBe('too-few-runs');
  });
});

describe('machines', () => {
  const at = (names: readonly string[]): DurationHistory => {
    const runs = history({ runs: names.length, runEffect: 0.02 });
    const durations = durationsOf(runs);
    return {
      ...durations,
      runs: durations.runs.map(({ run }, position) => ({ run, machine: names[position] ?? '' })),
    };
  };
  const known = ({ wholeRun }: ReturnType<typeof analyseDurations>): number =>
    wholeRun.kind === 'shifted' ? wholeRun.shift.runs : wholeRun.runs;

  test('are not compared with each other', () => {
    const names = Array.from({ length: 40 }, (_, index) => (index % 4 === 3 ? 'small' : 'large'));
    expect(known(analyseDurations(at(names)))).toBe(10);
  });

  test('that come and go are compared as one', () => {
    const names = Array.from({ length: 40 }, (_, index) => `runner-${index}`);
    expect(known(analyseDurations(at(names)))).toBe(40);
  });
});

describe('one duration', () => {
  const outside = (plan: Partial<HistoryPlan>) => {
    const runs = history({ runs: 31, ...plan });
    const { workstreams } = analyseDurations(durationsOf(runs));
    return outsideDurations(workstreams, runs.at(-1)?.run.runId ?? '');
  };

  test('far beyond its last thirty is told with their median', () => {
    const [found, ...others] = outside({ events: [slower(3, 30)] });
    expect(others).toEqual([]);
    expect(found).toMatchObject({ workstreamId: SLOW, runs: 30 });
    expect((found?.seconds ?? 0) / (found?.medianSeconds ?? 1)).toBeGreaterThan(2);
  });

  test('a little beyond them is chance', () => {
    expect(outside({ events: [slower(1.25, 30)] })).toEqual([]);
  });

  test('of fewer than eight runs before it tells nothing', () => {
    expect(outside({ runs: 8, events: [slower(3, 7)] })).toEqual([]);
    expect(outside({ runs: 9, events: [slower(9, 8)] })).toHaveLength(1);
  });

  test('is nothing special where durations jump all the time', () => {
    const jumping = outside({ outliers: 0.1, events: [slower(3, 30)] });
    expect(jumping).toEqual([]);
  });

  test('that differs by milliseconds is noise', () => {
    const runs = history({ runs: 31, runEffect: 0 }).map(({ run, machine }) => ({ run, machine }));
    const taking = (last: number) =>
      runs.map((_, position) => ({
        position,
        definitionHash: null,
        seconds: position < 30 ? 0.002 + position * 0.00001 : last,
      }));
    const told = (last: number) => {
      const { workstreams } = analyseDurations({ runs, samples: new Map([['ws-0', taking(last)]]) });
      return outsideDurations(workstreams, runs.at(-1)?.run.runId ?? '');
    };
    expect(told(0.008)).toEqual([]);
    expect(told(0.08)).toMatchObject([{ workstreamId: 'ws-0', seconds: 0.08, runs: 30 }]);
  });

  test('of a run in which it was not run is not told', () => {
    const runs = history({ runs: 31, events: [slower(3, 30)] });
    const last = runs.at(-1)?.run.runId ?? '';
    const durations = durationsOf(runs.slice(0, 30));
    expect(outsideDurations(analyseDurations(durations).workstreams, last)).toEqual([]);
  });
});
