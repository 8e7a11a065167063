import { expect, test } from 'vitest';
import { SpeedMeter } from '../../src/run/speed-meter.ts';
import { workstream } from '../rig/definitions.ts';
import { completed } from './scripted-engine.ts';

const outcome = (durationSeconds: number, cpuWaitSeconds = 0, cpuSeconds = 0) =>
  completed(durationSeconds, { cpuWaitSeconds, cpuSeconds });
const needs = (id: string, ...on: string[]) =>
  workstream(id, [], { dependsOn: on.map((dependency) => ({ id: dependency, when: 'completed' })) });

test('the critical path is the longest chain by measured durations', () => {
  const meter = new SpeedMeter([needs('a'), needs('b'), needs('c', 'a', 'b'), needs('d')]);
  for (const [index, seconds] of [1, 2, 3, 4].entries()) meter.add(index, outcome(seconds));
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
  meter.add(0, outcome(4, 1.5, 2.5));
  meter.add(1, outcome(4, 1.5, 2.5));
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
