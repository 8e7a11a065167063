import { expect, onTestFinished, test, vi } from 'vitest';
import type { Load } from '../../src/domain/scaling.ts';
import { LoadMeter, type LoadSample, loadBetween } from '../../src/scaling/load-meter.ts';

function sample(at: number, fields: Partial<LoadSample> = {}): LoadSample {
  return {
    at,
    tree: { cpuSeconds: 10, waitedSeconds: new Map([['1', 1]]), memory: 5e8, processes: 1 },
    machine: { busySeconds: 100, memory: { limit: 8e9, available: 4e9 } },
    cgroup: { cores: null, cpu: null, memory: null },
    cores: 4,
    ...fields,
  };
}

test('what was used is told in cores', () => {
  const tree = { cpuSeconds: 11, waitedSeconds: new Map([['1', 1.25]]), memory: 6e8, processes: 2 };
  const machine = { busySeconds: 101.5, memory: { limit: 8e9, available: 3e9 } };
  expect(loadBetween(sample(1), sample(1.5, { tree, machine }), 0.3)).toEqual({
    seconds: 0.5,
    cores: 4,
    cpu: 2,
    cpuWait: 0.5,
    totalCpu: 3,
    throttled: null,
    coordinator: 0.3,
    memory: { limit: 8e9, available: 3e9, own: 6e8 },
  });
});

test('a thread that came has waited since then, and one that went counts no more', () => {
  const waited = (threads: Record<string, number>) => ({
    tree: { ...sample(0).tree, waitedSeconds: new Map(Object.entries(threads)) },
  });
  const load = loadBetween(sample(0, waited({ 1: 5, 2: 7 })), sample(1, waited({ 2: 7.5, 3: 0.25 })), 0);
  expect(load.cpuWait).toBe(0.75);
});

test('processes that ended unseen take their time with them: nothing is less than none', () => {
  const tree = { ...sample(0).tree, cpuSeconds: 9 };
  expect(loadBetween(sample(0), sample(1, { tree }), 0).cpu).toBe(0);
  expect(loadBetween(sample(1), sample(1), 0).cpu).toBe(0);
});

test('in a container with a quota it is the container that counts', () => {
  const cgroup = (seconds: number, periods: number, throttled: number): Partial<LoadSample> => ({
    cgroup: {
      cores: 1.5,
      cpu: { seconds, periods, throttled },
      memory: { limit: 1e9, available: 1e8 },
    },
    cores: 1.5,
  });
  expect(loadBetween(sample(0, cgroup(1, 10, 1)), sample(1, cgroup(2.25, 20, 6)), 0)).toMatchObject({
    cores: 1.5,
    totalCpu: 1.25,
    throttled: 0.5,
    memory: { limit: 1e9, available: 1e8 },
  });
});

test('where the system does not tell, it is not known', () => {
  const blind: Partial<LoadSample> = {
    tree: { ...sample(0).tree, waitedSeconds: null },
    machine: { busySeconds: 1, memory: null },
  };
  expect(loadBetween(sample(0, blind), sample(1, blind), 0)).toMatchObject({ cpuWait: null, memory: null });
});

test('it tells of this process until it is told to stop', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const meter = new LoadMeter();
  const loads: Load[] = [];
  const stop = meter.watch((load) => loads.push(load));
  vi.advanceTimersByTime(250);
  expect(loads).toHaveLength(1);
  stop();
  vi.advanceTimersByTime(1000);
  expect(loads).toHaveLength(1);
  expect(loads[0]?.cores).toBe(meter.cores);
  expect(loads[0]?.cpu).toBeGreaterThanOrEqual(0);
});
