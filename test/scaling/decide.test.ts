import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LoadStatistics } from '../../src/domain/scaling.ts';
import {
  decideScaling,
  SCALING_START,
  type ScalingPolicy,
  type ScalingState,
  startScaling,
} from '../../src/scaling/decide.ts';

const GB = 1e9;
const PLENTY = { limit: 16 * GB, available: 12 * GB, own: 0.2 * GB };
const POLICY: ScalingPolicy = { base: 4, max: 32 };

/** Four agents on four cores that wait for something, with more work ready. */
function load(fields: Partial<LoadStatistics> = {}): LoadStatistics {
  const agents = fields.agents ?? 4;
  return {
    seconds: 0.25,
    cores: 4,
    cpu: 0.1,
    cpuWait: 0,
    totalCpu: 0.2,
    throttled: null,
    coordinator: 0.05,
    memory: PLENTY,
    agents,
    busy: agents,
    inChildren: 0,
    waiting: 100,
    workstreamSeconds: 0.1,
    ...fields,
  };
}

/** What is decided when the same is measured this often in a row. */
function after(times: number, statistics: LoadStatistics, policy = POLICY) {
  let state = SCALING_START;
  for (let count = 1; count < times; count += 1) state = decideScaling(statistics, policy, state).state;
  return decideScaling(statistics, policy, state).change;
}

describe('the start', () => {
  test.each([
    [4, 32, 100, 4, 'this process may use 4 cores'],
    [1.5, 16, 100, 2, 'this process may use 1.5 cores'],
    [0.25, 16, 100, 1, 'this process may use 0.25 cores'],
    [1, 16, 100, 1, 'this process may use 1 core'],
    [8, 2, 100, 2, 'this process may use 8 cores, no more than --max-agents'],
    [8, 64, 3, 3, 'this process may use 8 cores, no more than workstreams'],
    [8, 64, 0, 1, 'this process may use 8 cores, no more than workstreams'],
  ])('%d cores, at most %d, %d workstreams: %d', (cores, max, workstreams, to, explanation) => {
    expect(startScaling({ cores, max, workstreams }).start).toEqual({
      from: null,
      to,
      reason: 'start',
      explanation,
    });
  });
});

describe('more agents', () => {
  test('twice as many when they wait, once two intervals say so, or next to nothing computes', () => {
    expect(after(1, load({ cpu: 1.5 }))).toBeNull();
    expect(after(2, load({ cpu: 1.5 }))).toMatchObject({ to: 8 });
    expect(after(1, load())).toEqual({
      from: 4,
      to: 8,
      reason: 'waiting',
      explanation: '4 busy agents used 0.1 of 4 cores while 100 more workstreams were ready',
    });
  });

  test.each<[string, number, Partial<LoadStatistics>]>([
    ['no more than the work that is ready', 5, { waiting: 1 }],
    ['no more than fill the cores', 6, { cpu: 3 }],
    ['as many as the idle cores need', 9, { agents: 8, cpu: 3.5, cpuWait: 0.8 }],
    ['never more than the most', 32, { agents: 30 }],
    ['no more than memory is enough for', 6, { memory: { limit: GB, available: 0.36 * GB, own: 0.4 * GB } }],
    ['also where child processes wait', 8, { inChildren: 4, totalCpu: 0.3 }],
    ['whatever others compute', 8, { totalCpu: 4 }],
    ['also where the system does not tell who waits', 8, { cpuWait: null, totalCpu: null }],
    ['back to the cores', 2, { agents: 1, cpu: 1 }],
  ])('%s', (_, to, fields) => {
    expect(after(2, load(fields))).toMatchObject({ to, reason: 'waiting' });
  });

  test.each<[string, Partial<LoadStatistics>]>([
    ['they compute', { cpu: 3.9 }],
    ['they compute, on cores that others use too', { cpu: 2, cpuWait: 1.9 }],
    ['they want the cores that others use', { agents: 8, cpu: 2.5, cpuWait: 2, totalCpu: 4 }],
    ['nothing is ready', { waiting: 0 }],
    ['one of them is free: conflicts hold the rest back', { busy: 3 }],
    ['there are as many as there may be', { agents: 32 }],
    ['their child processes fill the machine', { inChildren: 2, totalCpu: 3.9 }],
    ['the quota is used up', { throttled: 0.2 }],
    ['the coordinator is what they wait for', { coordinator: 0.9 }],
    ['memory is not enough', { memory: { limit: GB, available: 0.17 * GB, own: 0.4 * GB } }],
  ])('none while %s', (_, fields) => {
    expect(after(20, load(fields))).toBeNull();
  });
});

describe('fewer agents', () => {
  test('the cores for what only computes', () => {
    const computing = load({ agents: 16, cpu: 4, cpuWait: 11.8 });
    expect(after(5, computing)).toBeNull();
    expect(after(6, computing)).toEqual({
      from: 16,
      to: 4,
      reason: 'cpu-bound',
      explanation: '16 busy agents wanted 15.8 of 4 cores: they compute',
    });
  });

  test('of a mixture, those that wait for something else and the cores', () => {
    expect(after(6, load({ agents: 16, cpu: 4, cpuWait: 8 }))).toMatchObject({ to: 10, reason: 'crowded' });
  });

  test('a quarter at a time where the system does not tell who waits for a processor', () => {
    const full = load({ agents: 16, cpu: 3.95, cpuWait: null });
    expect(after(5, full)).toBeNull();
    expect(after(6, full)).toMatchObject({ from: 16, to: 12, reason: 'crowded' });
  });

  test('half of them at once when memory is short, and none is added for a while', () => {
    const short = load({ agents: 9, memory: { limit: 2 * GB, available: 0.1 * GB, own: 1.5 * GB } });
    const { change, state } = decideScaling(short, POLICY, SCALING_START);
    expect(change).toEqual({
      from: 9,
      to: 4,
      reason: 'memory',
      explanation: '100 MB of 2000 MB of memory were left, 1500 MB were in use by this run',
    });
    let next = state;
    for (let interval = 0; interval < 39; interval += 1) {
      const decision = decideScaling(load(), POLICY, next);
      expect(decision.change).toBeNull();
      next = decision.state;
    }
    expect(decideScaling(load(), POLICY, next).change?.to).toBe(8);
  });

  test.each<[string, Partial<LoadStatistics>]>([
    ['they are no more than the cores', { agents: 4, cpu: 2, cpuWait: 2 }],
    ['there is one', { agents: 1, memory: { limit: GB, available: 0, own: GB } }],
    [
      'the last that were taken away still work',
      { agents: 4, busy: 9, memory: { limit: GB, available: 0, own: GB } },
    ],
    ['cores are idle at times: they work in step', { agents: 16, cpu: 2, cpuWait: 10, waiting: 0 }],
    ['they are just as many as fill the cores', { agents: 9, cpu: 3.9, cpuWait: 1 }],
    ['nothing runs', { agents: 16, busy: 0, cpu: 0 }],
  ])('none while %s', (_, fields) => {
    expect(after(20, load(fields))).toBeNull();
  });
});

test('an agent that is to leave and has hours to go keeps the number for 30 seconds and no longer', () => {
  const memory = { limit: GB, available: 0, own: GB };
  const leaving = load({ agents: 4, busy: 9, memory });
  expect(after(120, leaving)).toBeNull();
  expect(after(121, leaving)).toMatchObject({ from: 4, to: 2, reason: 'memory' });
});

test('by turns, what they do is judged over twice the time that one takes', () => {
  const computing = load({ agents: 8, cpu: 4, cpuWait: 4, workstreamSeconds: 4, waiting: 0 });
  const waiting = load({ agents: 8, cpu: 0, cpuWait: 0, workstreamSeconds: 4, waiting: 0 });
  let state = SCALING_START;
  for (let interval = 0; interval < 64; interval += 1) {
    const decision = decideScaling(interval % 16 < 8 ? computing : waiting, POLICY, state);
    expect(decision.change).toBeNull();
    state = decision.state;
  }
  expect(after(31, computing)).toBeNull();
  expect(after(32, computing)).toMatchObject({ to: 4, reason: 'cpu-bound' });
  expect(after(119, { ...computing, workstreamSeconds: null })).toBeNull();
  expect(after(120, { ...computing, workstreamSeconds: null })).toMatchObject({ to: 4 });
});

test('where other programs have the cores, the number stays for as long as may be', () => {
  const crowdedOut = load({ agents: 16, cpu: 2, cpuWait: 13.8, totalCpu: 4 });
  expect(after(119, crowdedOut)).toBeNull();
  expect(after(120, crowdedOut)).toMatchObject({ to: 4, reason: 'cpu-bound' });
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const cores = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.double({ min: 0.1, max: 64, noNaN: true }));
const anyLoad = fc
  .record({
    cores,
    use: share,
    wait: fc.option(fc.double({ min: 0, max: 200, noNaN: true })),
    total: fc.option(share),
    throttled: fc.option(share),
    coordinator: share,
    memory: fc.option(fc.tuple(share, share)),
    waiting: fc.nat(1000),
    spare: fc.integer({ min: -5, max: 5 }),
    inChildren: share,
    lately: fc.option(fc.double({ min: 0, max: 100, noNaN: true })),
  })
  .map((made) => (agents: number): LoadStatistics => {
    const busy = Math.max(0, agents + made.spare);
    const [available, own] = made.memory ?? [0, 0];
    return {
      seconds: 0.25,
      cores: made.cores,
      cpu: made.use * made.cores,
      cpuWait: made.wait,
      totalCpu: made.total === null ? null : made.total * made.cores,
      throttled: made.throttled,
      coordinator: made.coordinator,
      memory: made.memory === null ? null : { limit: GB, available: available * GB, own: own * GB },
      agents,
      busy,
      inChildren: Math.floor(made.inChildren * busy),
      waiting: made.waiting,
      workstreamSeconds: made.lately,
    };
  });

test('whatever is measured, the number stays between one and the most and a change has its direction', () => {
  fc.assert(
    fc.property(
      cores,
      fc.integer({ min: 1, max: 128 }),
      fc.array(anyLoad, { maxLength: 60 }),
      (c, max, loads) => {
        const { start, policy } = startScaling({ cores: c, max, workstreams: 1000 });
        let agents = start.to;
        let state: ScalingState = SCALING_START;
        let sinceMemory = Number.POSITIVE_INFINITY;
        for (const make of loads) {
          const { change, state: next } = decideScaling(make(agents), policy, state);
          state = next;
          sinceMemory += 1;
          if (change === null) continue;
          expect(change.from).toBe(agents);
          expect(change.to).toBeGreaterThanOrEqual(1);
          expect(change.to).toBeLessThanOrEqual(policy.max);
          if (change.reason === 'waiting') {
            expect(change.to).toBeGreaterThan(agents);
            expect(change.to).toBeLessThanOrEqual(2 * agents);
            expect(sinceMemory).toBeGreaterThanOrEqual(40);
          } else {
            expect(change.to).toBeLessThan(agents);
            if (change.reason === 'memory') sinceMemory = 0;
            else expect(change.to).toBeGreaterThanOrEqual(policy.base);
          }
          agents = change.to;
        }
      },
    ),
  );
});

/** Steady state of agents that compute and wait by turns: what `cores` processors do with `agents` of them. */
function steady(
  agents: number,
  { compute, wait }: { compute: number; wait: number },
): Partial<LoadStatistics> {
  const aSecond = Math.min(agents / (compute + wait), compute === 0 ? Number.POSITIVE_INFINITY : 4 / compute);
  const cpu = aSecond * compute;
  return { agents, cpu, cpuWait: Math.max(0, agents - aSecond * wait - cpu) };
}

test.each([
  { compute: 1, wait: 0, from: 4, to: 4 },
  { compute: 1, wait: 0.25, from: 4, to: 5 },
  { compute: 1, wait: 1, from: 4, to: 8 },
  { compute: 1, wait: 3, from: 4, to: 16 },
  { compute: 0.01, wait: 1, from: 4, to: 32 },
  { compute: 1, wait: 1, from: 32, to: 10 },
  { compute: 1, wait: 0, from: 32, to: 4 },
])('it settles and stays: $compute s computing, $wait s waiting, from $from agents', (work) => {
  let agents = work.from;
  let state = SCALING_START;
  const changes: number[] = [];
  for (let interval = 0; interval < 200; interval += 1) {
    const decision = decideScaling(load(steady(agents, work)), POLICY, state);
    state = decision.state;
    if (decision.change === null) continue;
    agents = decision.change.to;
    changes.push(interval);
  }
  expect(agents).toBe(work.to);
  expect(changes.filter((interval) => interval > 20)).toEqual([]);
});
