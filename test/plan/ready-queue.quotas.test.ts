/** What is taken where only so many agents may have workstreams of one kind. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { makeWorkstreams, type Sketch } from '../kit/make-workstream.ts';
import { NaiveReadyQueue } from '../kit/naive-ready-queue.ts';

/** Of kind 0 unless it says otherwise. */
type OfKind = Omit<Sketch, 'id'> & { ofKind?: number };

const AGENTS = 8;

/** A queue in which all of these are ready, and its quotas by kind. */
function queue(most: number[], ...sketches: OfKind[]) {
  const ranked = makeWorkstreams(...sketches.map((sketch, index) => ({ id: `ws-${index}`, ...sketch })));
  const ready = new ReadyQueue(ranked, {
    agents: AGENTS,
    distribution: 'dynamic',
    tracks: null,
    quotas: {
      kindOf: Int32Array.from(sketches, ({ ofKind = 0 }) => ofKind),
      kinds: most.length,
      quotaOf: (kind) => most[kind] ?? 0,
    },
  });
  for (const index of ranked.keys()) ready.add(index);
  return ready;
}

/** What these agents get, one each. */
function takeAll(ready: ReadyQueue, agents: readonly number[] = [...Array(AGENTS).keys()]): number[] {
  return agents.flatMap((agent) => ready.take(agent) ?? []);
}

const repeat = (count: number, sketch: OfKind): OfKind[] => Array.from({ length: count }, () => sketch);
const [gpu, plain] = [0, 1];

test('what is beyond its quota takes no agent from the rest', () => {
  const ready = queue([2, AGENTS], ...repeat(5, { ofKind: gpu }), ...repeat(5, { ofKind: plain }));
  expect(takeAll(ready)).toEqual([0, 1, 5, 6, 7, 8, 9]);
  ready.release(6);
  expect(takeAll(ready, [3])).toEqual([]);
  ready.release(1);
  expect(takeAll(ready, [3])).toEqual([2]);
});

test('a quota that grows is followed when it is read again, and one that shrinks keeps what runs', () => {
  const most = [1];
  const ready = queue(most, ...repeat(6, {}));
  expect(takeAll(ready)).toEqual([0]);
  most[gpu] = 3;
  ready.readQuotas();
  expect(takeAll(ready, [1, 2, 3])).toEqual([1, 2]);
  most[gpu] = 1;
  ready.readQuotas();
  ready.release(0);
  ready.release(1);
  expect(takeAll(ready, [0, 1])).toEqual([]);
  ready.release(2);
  expect(takeAll(ready, [0, 1])).toEqual([3]);
});

test('where no agent may have what is ready, that waits', () => {
  const most = [0, 1];
  const ready = queue(most, { ofKind: gpu });
  expect([takeAll(ready), ready.isWaiting]).toEqual([[], true]);
  most[gpu] = Number.POSITIVE_INFINITY;
  ready.readQuotas();
  expect([ready.isWaiting, takeAll(ready), ready.isWaiting]).toEqual([false, [0], false]);
});

test('an agent that has one of the kind gets more of it, unless too many have some', () => {
  const most = [2];
  const ready = queue(most, ...repeat(9, {}));
  expect(takeAll(ready, [0, 1, 2])).toEqual([0, 1]);
  expect(takeAll(ready, [0, 1, 1, 2])).toEqual([2, 3, 4]);
  most[gpu] = 1;
  ready.readQuotas();
  expect(takeAll(ready, [0, 1])).toEqual([]);
  for (const index of [1, 3, 4]) ready.release(index);
  expect(takeAll(ready, [0, 1])).toEqual([5]);
});

test('the share of an agent is that of its kind, among those that may have some', () => {
  const ready = queue([2, 4], ...repeat(100, { ofKind: gpu }), ...repeat(12, { ofKind: plain }));
  const share = ready.shares(8);
  expect([share(0), share(100)]).toEqual([50, 3]);
});

test('members of a conflict group run one after another, whatever their kinds', () => {
  const ready = queue(
    [1, 2],
    { ofKind: gpu, conflictGroup: 'db' },
    { ofKind: gpu, conflictGroup: 'db' },
    { ofKind: plain, conflictGroup: 'db' },
    { ofKind: plain },
  );
  expect(takeAll(ready)).toEqual([0, 3]);
  ready.release(0);
  expect(takeAll(ready)).toEqual([1]);
});

test('one beyond its quota keeps none waiting that conflicts with it', () => {
  const ready = queue(
    [1, 2],
    { ofKind: gpu },
    { ofKind: gpu, conflictGroup: 'db' },
    { ofKind: plain, conflictGroup: 'db' },
  );
  expect(takeAll(ready)).toEqual([0, 2]);
  ready.release(2);
  ready.release(0);
  expect(takeAll(ready)).toEqual([1]);
});

test('what runs alone waits for what runs, and not for its quota, unless that is 0', () => {
  const most = [1, 0];
  const ready = queue(most, {}, { parallelOk: false, ofKind: 1 }, { parallelOk: false }, {});
  expect(takeAll(ready)).toEqual([0]);
  ready.release(0);
  expect(takeAll(ready)).toEqual([2]);
  ready.release(2);
  expect(takeAll(ready)).toEqual([3]);
});

test('what is removed, or set aside by the gate, uses nothing of its quota', () => {
  const ready = queue([1], ...repeat(3, {}));
  ready.remove(0);
  expect(takeAll(ready)).toEqual([1]);
  ready.remove(2);
  expect([ready.size, ready.isWaiting]).toEqual([0, false]);
});

test('20,000 of three kinds are each looked at once, however few run at a time', () => {
  const most = [1, 2, 4];
  const kinds = Array.from({ length: 20_000 }, (_, index) => index % 3);
  const ranked = makeWorkstreams(kinds.map((_, index) => ({ id: `ws-${index}` })));
  const asked = { gate: 0, quotas: 0 };
  const ready = new ReadyQueue(ranked, {
    agents: AGENTS,
    distribution: 'dynamic',
    tracks: null,
    gate: {
      isShut: false,
      admit: () => {
        asked.gate += 1;
        return true;
      },
      leave: () => undefined,
    },
    quotas: {
      kindOf: Int32Array.from(kinds),
      kinds: most.length,
      quotaOf: (kind) => {
        asked.quotas += 1;
        return most[kind] ?? 0;
      },
    },
  });
  for (const index of ranked.keys()) ready.add(index);
  const running: [index: number, agent: number][] = [];
  const free = [...Array(AGENTS).keys()];
  let ended = 0;
  for (;;) {
    for (const agent of free.splice(0)) {
      const index = ready.take(agent);
      if (index === undefined) free.push(agent);
      else running.push([index, agent]);
    }
    const first = running.shift();
    if (first === undefined) break;
    ready.release(first[0]);
    free.push(first[1]);
    ended += 1;
  }
  expect({ ended, ...asked }).toEqual({ ended: 20_000, gate: 20_000, quotas: 3 });
});

const sketch = fc.record({
  ofKind: fc.nat(2),
  conflictGroup: fc.option(fc.constantFrom('g', 'h'), { freq: 3 }),
  scopes: fc.array(fc.constantFrom('a', 'a/b', 'c'), { maxLength: 1 }),
  parallelOk: fc.nat(9).map((n) => n > 0),
});
const step = fc.tuple(
  fc.constantFrom('take', 'take', 'take', 'take', 'release', 'release', 'again', 'quota'),
  fc.nat(),
);

test('any sequence of calls takes what the plain rules take', () => {
  fc.assert(
    fc.property(
      fc.array(sketch, { minLength: 1, maxLength: 30 }),
      fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)),
      fc.array(step, { minLength: 1, maxLength: 200, size: 'max' }),
      (sketches, quotas, steps) => {
        const most = [...quotas];
        const ready = queue(most, ...sketches);
        const model = naive(most, sketches);
        for (const [action, n] of steps) act(ready, model, most, [action, n]);
      },
    ),
    { seed: 11, numRuns: 500 },
  );
});

interface Model {
  queue: NaiveReadyQueue;
  /** The agent of each that runs. */
  running: Map<number, number>;
}

function naive(most: readonly number[], sketches: readonly OfKind[]): Model {
  const running = new Map<number, number>();
  const kindOf = (index: number): number => sketches[index]?.ofKind ?? 0;
  const isWithinQuota = (index: number, agent: number): boolean => {
    const quota = most[kindOf(index)] ?? 0;
    if (sketches[index]?.parallelOk === false) return quota > 0;
    const users = new Set(
      [...running].flatMap(([other, its]) => (kindOf(other) === kindOf(index) ? [its] : [])),
    );
    return users.size < quota || (users.size === quota && users.has(agent));
  };
  const ranked = makeWorkstreams(...sketches.map((each, index) => ({ id: `ws-${index}`, ...each })));
  const model = new NaiveReadyQueue(ranked, AGENTS, false, () => false, isWithinQuota);
  for (const index of ranked.keys()) model.apply('add', index);
  return { queue: model, running };
}

function act(ready: ReadyQueue, model: Model, most: number[], [action, n]: [string, number]): void {
  const pick = (from: readonly number[]): number | undefined => from[n % Math.max(1, from.length)];
  if (action === 'take') {
    const agent = n % AGENTS;
    const index = ready.take(agent);
    expect(index).toBe(model.queue.take(agent));
    if (index !== undefined) model.running.set(index, agent);
  } else if (action === 'quota') {
    most[n % most.length] = Math.floor(n / most.length) % 4;
    ready.readQuotas();
  } else {
    const index = pick(action === 'release' ? model.queue.in('release') : model.queue.ended());
    if (index === undefined) return;
    if (action === 'release') ready.release(index);
    else ready.add(index);
    model.queue.apply(action, index);
    model.running.delete(index);
  }
  expect(ready.size).toBe(model.queue.size);
}
