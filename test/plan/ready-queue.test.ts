import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Gate } from '../../src/domain/run-lock.ts';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { makeWorkstreams, type Sketch } from '../kit/make-workstream.ts';
import { NaiveReadyQueue } from '../kit/naive-ready-queue.ts';

function queue(agents: number, distribution: 'dynamic' | 'round-robin', ...sketches: Omit<Sketch, 'id'>[]) {
  const ranked = makeWorkstreams(...sketches.map((sketch, index) => ({ id: `ws-${index}`, ...sketch })));
  const ready = new ReadyQueue(ranked, { agents, distribution, tracks: null });
  for (const index of ranked.keys()) ready.add(index);
  return ready;
}

describe('order', () => {
  test('the first in order goes to whoever asks', () => {
    const ready = queue(2, 'dynamic', {}, {}, {});
    expect([ready.take(1), ready.take(0), ready.take(1), ready.take(0)]).toEqual([0, 1, 2, undefined]);
  });

  test('one that becomes ready later comes before those after it', () => {
    const ready = new ReadyQueue(makeWorkstreams({ id: 'a' }, { id: 'b' }, { id: 'c' }), {
      agents: 1,
      distribution: 'dynamic',
      tracks: null,
    });
    ready.add(2);
    ready.add(0);
    expect(ready.take(0)).toBe(0);
    ready.add(1);
    expect(ready.take(0)).toBe(1);
    expect(ready.size).toBe(1);
  });

  test('round-robin gives position i to agent i mod N only', () => {
    const ready = queue(2, 'round-robin', {}, {}, {}, {});
    expect([ready.take(1), ready.take(1), ready.take(1)]).toEqual([1, 3, undefined]);
    expect([ready.take(0), ready.take(0), ready.take(0)]).toEqual([0, 2, undefined]);
  });
});

describe('what the gate refuses', () => {
  /** A gate that refuses these workstreams, or everything. */
  function gated(refused: Set<number>, ...sketches: Omit<Sketch, 'id'>[]) {
    const ranked = makeWorkstreams(...sketches.map((sketch, index) => ({ id: `ws-${index}`, ...sketch })));
    const asked: string[] = [];
    const gate = {
      isShut: false,
      admit: (index: number) => {
        asked.push(`${index}`);
        return !refused.has(index);
      },
      leave: (index: number) => void asked.push(`left ${index}`),
    };
    const ready = new ReadyQueue(ranked, { agents: 3, distribution: 'dynamic', tracks: null, gate });
    for (const index of ranked.keys()) ready.add(index);
    return { ready, gate, asked };
  }

  test('is passed, keeps nothing of this run waiting, and comes back in its place', () => {
    const refused = new Set([0]);
    const { ready, asked } = gated(refused, { conflictGroup: 'db' }, { conflictGroup: 'db' }, {}, {});
    expect([ready.take(0), ready.take(1), ready.isWaiting, ready.size]).toEqual([1, 2, true, 1]);
    ready.release(1);
    refused.clear();
    ready.retry();
    expect([ready.take(0), ready.isWaiting, ready.take(2)]).toEqual([0, false, 3]);
    expect(asked).toEqual(['0', '1', '2', 'left 1', '0', '3']);
  });

  test('where it runs alone, it is asked for before anything has to end for it', () => {
    const refused = new Set<number>([1, 2]);
    const { ready } = gated(refused, {}, { parallelOk: false }, { parallelOk: false }, {});
    expect([ready.take(0), ready.take(1)]).toEqual([0, 3]);
    refused.clear();
    ready.retry();
    expect(ready.take(2)).toBeUndefined();
    ready.release(0);
    ready.release(3);
    expect([ready.take(2), ready.take(0)]).toEqual([1, undefined]);
  });

  test('may be everything', () => {
    const { ready, gate, asked } = gated(new Set(), {}, {});
    gate.isShut = true;
    expect([ready.take(0), ready.isWaiting, asked]).toEqual([undefined, true, []]);
    gate.isShut = false;
    expect(ready.take(0)).toBe(0);
  });
});

describe('conflicts', () => {
  test('members of a group run one after another while others pass them', () => {
    const ready = queue(3, 'dynamic', { conflictGroup: 'db' }, { conflictGroup: 'db' }, {});
    expect([ready.take(0), ready.take(1), ready.take(2)]).toEqual([0, 2, undefined]);
    ready.release(0);
    expect(ready.take(2)).toBe(1);
  });

  test('a scope blocks what is inside it and what it is inside of, not its neighbours', () => {
    const ready = queue(
      9,
      'dynamic',
      { scopes: ['src/a/**'] },
      { scopes: ['src/a/x.ts'] },
      { scopes: ['src/**'] },
      { scopes: ['src/ab/**', 'docs'] },
      { scopes: ['./docs/'] },
    );
    expect([ready.take(0), ready.take(1), ready.take(2)]).toEqual([0, 3, undefined]);
    ready.release(0);
    expect([ready.take(0), ready.take(2)]).toEqual([1, undefined]);
    ready.release(3);
    expect([ready.take(1), ready.take(2)]).toEqual([4, undefined]);
    ready.release(1);
    expect(ready.take(0)).toBe(2);
  });
});

describe('tests that are held', () => {
  const db = { alone: false, conflictGroups: ['db', 'not in the plan'] };
  const alone = { alone: true, conflictGroups: [] };

  test('keep members of their groups from running, and no others', () => {
    const ready = queue(3, 'dynamic', { conflictGroup: 'db' }, { conflictGroup: 'gpu' }, {});
    const end = ready.hold(db);
    expect([ready.take(0), ready.take(1), ready.take(2)]).toEqual([1, 2, undefined]);
    end?.();
    expect(ready.take(2)).toBe(0);
  });

  test('wait for a member of their groups that runs', () => {
    const ready = queue(2, 'dynamic', { conflictGroup: 'db' });
    ready.take(0);
    expect(ready.hold(db)).toBeNull();
    ready.release(0);
    expect(ready.hold(db)).not.toBeNull();
  });

  test('and run alone wait for everything that runs, and keep everything from running', () => {
    const ready = queue(2, 'dynamic', {}, {});
    ready.take(0);
    expect(ready.hold(alone)).toBeNull();
    ready.release(0);
    const end = ready.hold(alone);
    expect([ready.take(0), ready.hold(db)]).toEqual([undefined, null]);
    end?.();
    expect(ready.take(0)).toBe(1);
  });
});

describe('what runs alone', () => {
  test('waits for what runs when it is first, and starts nothing else meanwhile', () => {
    const ready = queue(3, 'dynamic', {}, { parallelOk: false }, {});
    expect([ready.take(0), ready.take(1), ready.take(2)]).toEqual([0, undefined, undefined]);
    ready.release(0);
    expect([ready.take(1), ready.take(0)]).toEqual([1, undefined]);
    ready.release(1);
    expect(ready.take(0)).toBe(2);
  });

  test('does not hold up others while it is not first, or is itself blocked by a conflict', () => {
    const ready = queue(
      3,
      'dynamic',
      { conflictGroup: 'db' },
      { parallelOk: false, conflictGroup: 'db' },
      {},
      {},
    );
    expect([ready.take(0), ready.take(1), ready.take(2)]).toEqual([0, 2, 3]);
  });

  test('waits for its own agent under round-robin, and lets an earlier one pass that may run', () => {
    const ready = queue(2, 'round-robin', {}, { parallelOk: false }, {});
    expect(ready.take(1)).toBeUndefined();
    expect([ready.take(0), ready.take(0)]).toEqual([0, undefined]);
    ready.release(0);
    expect([ready.take(0), ready.take(1)]).toEqual([undefined, 1]);
  });
});

test('what was passed by comes before what runs alone all the same', () => {
  const ready = queue(2, 'dynamic', {}, {}, { parallelOk: false }, {});
  expect(ready.take(0)).toBe(0);
  expect(ready.take(1)).toBe(1);
  ready.release(1);
  expect(ready.take(1, true)).toBe(3);
  ready.add(1);
  ready.release(0);
  expect(ready.take(0)).toBe(1);
});

describe('use', () => {
  test('a workstream may be added again after its release', () => {
    const ready = queue(1, 'dynamic', { conflictGroup: 'g' }, { conflictGroup: 'g' });
    expect(ready.take(0)).toBe(0);
    ready.release(0);
    ready.add(0);
    expect([ready.take(0), ready.size]).toEqual([0, 1]);
  });

  test('when the gate refuses the one that stood for others that wait, the next of them is found', () => {
    const scopes = ['a/b', 'a', 'a/b', 'a/f'];
    const refused = new Set<number>();
    const ranked = makeWorkstreams(scopes.map((path, n) => ({ id: `ws-${n}`, scopes: [path] })));
    const ready = new ReadyQueue(ranked, {
      agents: 2,
      distribution: 'dynamic',
      tracks: null,
      gate: gateOf(refused),
    });
    for (const index of [0, 2]) ready.add(index);
    expect([ready.take(0), ready.take(1)]).toEqual([0, undefined]);
    ready.release(0);
    for (const index of [1, 3]) ready.add(index);
    // 2 waits for 0's path, and that waits for 1's as a whole.
    expect([ready.take(0), ready.take(1)]).toEqual([1, undefined]);
    ready.release(1);
    refused.add(2);
    expect(ready.take(0)).toBe(3);
  });

  test('wrong use is refused', () => {
    const ready = queue(2, 'dynamic', {});
    expect(() => ready.add(0)).toThrow('workstream 0 is in the queue already');
    expect(() => ready.add(1)).toThrow('there is no workstream 1');
    expect(() => ready.take(2)).toThrow('there is no agent 2');
    expect(() => ready.release(0)).toThrow('workstream 0 is not running');
    expect(() => new ReadyQueue([], { agents: 0, distribution: 'dynamic', tracks: null })).toThrow(
      '0 is no number of agents',
    );
  });
});

/** Refuses these and admits the rest. */
const gateOf = (refused: ReadonlySet<number>): Gate => ({
  isShut: false,
  admit: (index) => !refused.has(index),
  leave: () => undefined,
});

const scope = fc.constantFrom('a', 'a/**', 'a/b', 'a/b/*.ts', 'a/b/c/d', 'a/f', 'd', 'd/e', '../x', '..');
/** Much in conflict, so that little runs and much waits, in up to `most` scopes each. */
const conflicting = (most: number) =>
  fc.record({
    conflictGroup: fc.option(fc.constantFrom('g', 'h'), { freq: 1 }),
    scopes: fc.array(scope, { maxLength: most }),
    parallelOk: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  });
const sketches = fc
  .constantFrom(1, 3)
  .chain((most) => fc.array(conflicting(most), { minLength: 1, maxLength: 40 }));
/** What a caller does next; the number picks the agent or workstream among those possible. */
const step = fc.tuple(
  fc.constantFrom(
    'add',
    'add',
    'add',
    'take',
    'take',
    'take',
    'take',
    'release',
    'release',
    'again',
    'refuse',
    'retry',
  ),
  fc.nat(),
);

describe('any sequence of calls', () => {
  test('gives what the plain rules give', () => {
    fc.assert(
      fc.property(
        sketches,
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('dynamic' as const, 'round-robin' as const),
        fc.array(step, { minLength: 1, maxLength: 300, size: 'max' }),
        (parts, agents, distribution, steps) => {
          const ranked = makeWorkstreams(...parts.map((part, index) => ({ id: `ws-${index}`, ...part })));
          const refused = new Set<number>();
          const gate = gateOf(refused);
          const pair: Pair = {
            ready: new ReadyQueue(ranked, { agents, distribution, tracks: null, gate }),
            model: new NaiveReadyQueue(ranked, agents, distribution === 'round-robin', (index) =>
              refused.has(index),
            ),
            refused,
            agents,
          };
          for (const [action, n] of steps) act(pair, action, n);
          finish(pair);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

/** The queue, what it should do, and what its gate refuses. */
interface Pair {
  ready: ReadyQueue;
  model: NaiveReadyQueue;
  refused: Set<number>;
  agents: number;
}

function act(pair: Pair, action: string, n: number): void {
  const { ready, model, refused, agents } = pair;
  const pick = (from: readonly number[]): number | undefined => from[n % Math.max(1, from.length)];
  if (action === 'take') {
    expect(ready.take(n % agents)).toBe(model.take(n % agents));
  } else if (action === 'retry') {
    retry(pair);
  } else {
    const isOfFresh = action === 'add' || action === 'refuse';
    const index = pick(isOfFresh ? model.fresh() : action === 'again' ? model.ended() : model.in(action));
    if (index === undefined) return;
    // The gate never refuses what it has admitted, so it begins before the workstream is ready.
    if (action === 'refuse') return void refused.add(index);
    if (action === 'release') ready.release(index);
    else ready.add(index);
    model.apply(action, index);
  }
  expect(ready.size).toBe(model.size);
}

/** From now on nothing is refused. */
function retry({ ready, model, refused }: Pair): void {
  refused.clear();
  ready.retry();
  model.retry();
}

/** Every workstream is taken in the end, and agents are only refused when the rules say so. */
function finish(pair: Pair): void {
  const { ready, model, agents } = pair;
  retry(pair);
  for (const index of model.fresh()) {
    ready.add(index);
    model.apply('add', index);
  }
  while (ready.size > 0 || model.in('release').length > 0) {
    const before = ready.size;
    for (let agent = 0; agent < agents; agent++) expect(ready.take(agent)).toBe(model.take(agent));
    const [running] = model.in('release');
    if (running === undefined) expect(ready.size).toBeLessThan(before);
    else {
      ready.release(running);
      model.apply('release', running);
    }
  }
  expect(model.size).toBe(0);
}
