import { describe, expect, test } from 'vitest';
import type { EarlierResult } from '../../src/domain/history/earlier-run.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { SpeedMeter } from '../../src/run/speed-meter.ts';
import { commandStep, moduleStep, runStep, workstream } from '../kit/definitions.ts';
import { completed } from '../kit/scripted-engine.ts';

/** Of a workstream that began so many seconds after the run. */
const outcome = (durationSeconds: number, { at = 0, cpuWaitSeconds = 0, cpuSeconds = 0 } = {}) =>
  completed(durationSeconds, { startedAt: 1_700_000_000_000 + at * 1000, cpuWaitSeconds, cpuSeconds });
const needs = (id: string, ...on: string[]) =>
  workstream(id, [], { dependsOn: on.map((dependency) => ({ id: dependency, when: 'completed' })) });

test('the critical path is the longest chain by measured durations', () => {
  const meter = new SpeedMeter([needs('a'), needs('b'), needs('c', 'a', 'b'), needs('d')]);
  const starts = [0, 0, 2, 4];
  for (const [index, seconds] of [1, 2, 3, 4].entries()) {
    meter.add(index, outcome(seconds, { at: starts[index] ?? 0 }));
  }
  const speed = meter.speed(8, 2);
  expect(speed).toMatchObject({
    busySeconds: 10,
    oneAgentSeconds: 10,
    criticalPathSeconds: 5,
    limitSeconds: 5,
  });
  expect(speed.criticalPath).toEqual(['b', 'c']);
  expect(speed.speedup).toBeCloseTo(1.25);
  expect(speed.efficiency).toBeCloseTo(0.625);
});

test('time that threads waited for a processor is not time that one agent would have needed', () => {
  const meter = new SpeedMeter([needs('a'), needs('b')]);
  meter.add(0, outcome(4, { cpuWaitSeconds: 1.5, cpuSeconds: 2.5 }));
  meter.add(1, outcome(4, { at: 1, cpuWaitSeconds: 1.5, cpuSeconds: 2.5 }));
  expect(meter.speed(5, 4)).toMatchObject({ busySeconds: 8, oneAgentSeconds: 5, speedup: 1 });
});

test('a run in which nothing was executed has no ratios', () => {
  expect(new SpeedMeter([]).speed(0.01, 3)).toMatchObject({
    speedup: null,
    efficiency: null,
    criticalPath: [],
    criticalPathSeconds: 0,
  });
});

describe('the speed-up', () => {
  const two = (one: Workstream, other: Workstream): SpeedMeter => {
    const meter = new SpeedMeter([one, other]);
    meter.add(0, outcome(6, { at: 1, cpuWaitSeconds: 2 }));
    meter.add(1, outcome(6, { at: 1, cpuWaitSeconds: 2 }));
    return meter;
  };

  test('is 1 for one agent, whatever the run does beside its work', () => {
    const meter = new SpeedMeter([needs('a')]);
    meter.add(0, outcome(0.1, { at: 0.4 }));
    expect(meter.speed(1, 1)).toMatchObject({ speedup: 1, efficiency: null });
    expect(meter.speed(1, 1).overheadSeconds).toBeCloseTo(0.9);
  });

  test('is not told of less than 5 s of work', () => {
    const meter = new SpeedMeter([needs('a'), needs('b')]);
    meter.add(0, outcome(2.4));
    meter.add(1, outcome(2.4));
    expect(meter.speed(3, 2)).toMatchObject({ speedup: null, efficiency: null, oneAgentSeconds: 4.8 });
  });

  test('counts as overhead, which one agent would have too, when no agent worked', () => {
    // 1 s before, 1 s between and 1 s behind two waves of two.
    const meter = new SpeedMeter(['a', 'b', 'c', 'd'].map((id) => needs(id)));
    for (const [index, at] of [1, 1, 4, 4].entries()) meter.add(index, outcome(2, { at }));
    expect(meter.speed(7, 2)).toMatchObject({ overheadSeconds: 3, oneAgentSeconds: 8, speedup: 11 / 7 });
  });

  test('of a chain is 1', () => {
    const meter = new SpeedMeter([needs('a'), needs('b', 'a')]);
    meter.add(0, outcome(4, { at: 0.5 }));
    meter.add(1, outcome(4, { at: 5 }));
    expect(meter.speed(10, 8).speedup).toBe(1);
  });

  test('leaves waiting for a processor out of threads only', () => {
    const module = moduleStep('/a.mjs');
    const thread = (id: string): Workstream => workstream(id, [module]);
    expect(two(thread('a'), thread('b')).speed(7, 2).oneAgentSeconds).toBe(8);
    expect(two(thread('a'), workstream('b', [module, runStep('b')])).speed(7, 2).oneAgentSeconds).toBe(10);
    const apart = workstream('b', [module], { isolation: 'process' });
    expect(two(workstream('a', [commandStep(['a'])]), apart).speed(7, 2).oneAgentSeconds).toBe(12);
  });

  test('knows no overhead of a run that was resumed', () => {
    const meter = new SpeedMeter([needs('a'), needs('b')]);
    meter.addEarlier({ ...EARLIER, workstreamId: 'a', durationSeconds: 6 });
    meter.add(1, outcome(6));
    expect(meter.speed(8, 2)).toMatchObject({ overheadSeconds: null, speedup: 1.5 });
  });

  test('counts earlier attempts', () => {
    const meter = new SpeedMeter([needs('a')]);
    const startTime = new Date(1_700_000_000_000).toISOString();
    meter.add(0, outcome(3, { at: 5 }), [{ startTime, durationSeconds: 4 }]);
    expect(meter.speed(8, 2)).toMatchObject({ busySeconds: 7, overheadSeconds: 1, speedup: 1 });
  });
});

const EARLIER: EarlierResult = {
  workstreamId: 'a',
  title: 'a',
  file: 'a.json',
  position: 0,
  status: 'completed',
  reason: null,
  definitionHash: null,
  durationSeconds: 0,
  cpuSeconds: null,
  cpuWaitSeconds: null,
  branch: null,
  toMerge: null,
  leftUnmerged: null,
  couldNotMerge: false,
};
