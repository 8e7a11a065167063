/** What is taken where workstreams reserve processors and memory. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reservation } from '../../src/domain/workstream.ts';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { makeWorkstreams, type Sketch } from '../kit/make-workstream.ts';

type Needing = Omit<Sketch, 'id'> & Partial<Reservation>;

interface Machine {
  agents?: number;
  cpus?: number;
  memoryMb?: number;
  distribution?: 'dynamic' | 'round-robin';
}

/** A queue in which all of these are ready. */
function queue(
  { agents = 8, cpus = 8, memoryMb = 16_000, distribution = 'dynamic' }: Machine,
  needing: Needing[],
) {
  const ranked = makeWorkstreams(...needing.map((sketch, index) => ({ id: `ws-${index}`, ...sketch })));
  const needs = needing.map(({ cpus: own = null, memoryMb: memory = null }) => ({
    cpus: own,
    memoryMb: memory,
  }));
  const reserving = { needs, capacity: { cpus, memoryMb } };
  const ready = new ReadyQueue(ranked, { agents, distribution, tracks: null, reserving });
  for (const index of ranked.keys()) ready.add(index);
  return ready;
}

/** What free agents get until there is nothing for any of them. */
function takeAll(ready: ReadyQueue, agents = 8): number[] {
  const taken: number[] = [];
  for (let agent = 0; agent < agents; agent += 1) {
    const index = ready.take(agent);
    if (index !== undefined) taken.push(index);
  }
  return taken;
}

const repeat = (count: number, needing: Needing): Needing[] => Array.from({ length: count }, () => needing);

describe('what is taken at the same time', () => {
  test('four of 2 processors fill 8, whatever the number of agents', () => {
    const ready = queue({}, repeat(6, { cpus: 2 }));
    expect(takeAll(ready)).toEqual([0, 1, 2, 3]);
    ready.release(1);
    expect(takeAll(ready)).toEqual([4]);
  });

  test('two of 10 GB do not fit into 16', () => {
    const ready = queue({}, repeat(2, { memoryMb: 10_000 }));
    expect(takeAll(ready)).toEqual([0]);
    ready.release(0);
    expect(takeAll(ready)).toEqual([1]);
  });

  test('fractions of a processor add up exactly', () => {
    const ready = queue({ agents: 20, cpus: 1 }, repeat(12, { cpus: 0.1 }));
    expect(takeAll(ready, 20)).toHaveLength(10);
  });

  test('what reserves nothing is not bounded by the processors', () => {
    const ready = queue({ cpus: 1 }, [{ cpus: 1 }, { cpus: 1 }, ...repeat(5, {})]);
    expect(takeAll(ready)).toEqual([0, 2, 3, 4, 5, 6]);
  });

  test('a smaller one that fits goes past one that does not', () => {
    const ready = queue({}, [{ cpus: 6 }, { cpus: 4 }, { cpus: 2, memoryMb: 20 }, { cpus: 1 }]);
    expect(takeAll(ready)).toEqual([0, 2]);
    ready.release(0);
    expect(takeAll(ready)).toEqual([1, 3]);
  });

  test('what runs alone reserves nothing, and waits for its turn as before', () => {
    const ready = queue({}, [{ cpus: 5 }, { parallelOk: false, cpus: 8 }, { cpus: 1 }]);
    expect(takeAll(ready)).toEqual([0]);
    ready.release(0);
    expect(takeAll(ready)).toEqual([1]);
    ready.release(1);
    expect(takeAll(ready)).toEqual([2]);
  });
});

describe('one that is held up', () => {
  /** Ends the one that was taken first, and takes what may be taken then, until the queue is empty. */
  function order(ready: ReadyQueue, agents: number): number[] {
    const taken = takeAll(ready, agents);
    for (const index of taken) {
      ready.release(index);
      taken.push(...takeAll(ready, agents));
    }
    return taken;
  }

  test('gets what it needs after eight others have gone past it', () => {
    const ready = queue({ agents: 4, cpus: 4 }, [{ cpus: 1 }, { cpus: 4 }, ...repeat(30, { cpus: 1 })]);
    const taken = order(ready, 4);
    expect(taken.indexOf(1)).toBe(1 + 8);
    expect(taken).toHaveLength(32);
  });

  test('lets pass any number of those that reserve nothing', () => {
    const ready = queue({ agents: 4, cpus: 4 }, [{ cpus: 1 }, { cpus: 4 }, ...repeat(30, {})]);
    expect(takeAll(ready, 4)).toEqual([0, 2, 3, 4]);
    expect(Array.from({ length: 27 }, () => ready.take(3))).toEqual(
      Array.from({ length: 27 }, (_, at) => at + 5),
    );
    expect(ready.take(3)).toBeUndefined();
  });

  test('lets those start that fit beside it', () => {
    const small = repeat(20, { memoryMb: 1000 });
    const ready = queue({ agents: 4, memoryMb: 4000 }, [{ memoryMb: 3000 }, { memoryMb: 3000 }, ...small]);
    expect(takeAll(ready, 4)).toEqual([0, 2]);
    for (let next = 2; next < 15; next += 1) {
      ready.release(next);
      expect(takeAll(ready, 4)).toEqual([next + 1]);
    }
    ready.release(0);
    expect(takeAll(ready, 4)).toEqual([1]);
  });

  test('keeps what conflicts with it from being started', () => {
    const small = repeat(20, { cpus: 1, conflictGroup: 'db' });
    const ready = queue({ agents: 3, cpus: 2 }, [{ cpus: 1 }, { cpus: 2, conflictGroup: 'db' }, ...small]);
    expect(takeAll(ready, 3)).toEqual([0, 2]);
    for (let next = 2; next < 9; next += 1) {
      ready.release(next);
      expect(takeAll(ready, 3)).toEqual([next + 1]);
    }
    ready.release(9);
    expect(takeAll(ready, 3)).toEqual([]);
    ready.release(0);
    expect(takeAll(ready, 3)).toEqual([1]);
  });

  test('is held up by those of other agents too, where it is pinned to an idle one', () => {
    const others = repeat(40, { cpus: 1 });
    const ready = queue({ agents: 2, cpus: 2, distribution: 'round-robin' }, [
      { cpus: 1 },
      { cpus: 2 },
      ...others,
    ]);
    const taken = order(ready, 2);
    expect(taken.indexOf(1)).toBeLessThan(12);
    expect(taken).toHaveLength(42);
  });
});

/** A run on a machine of 4 processors and 2,000 MB in which `end` says which of the running ones ends next. */
class Simulation {
  readonly #all: Needing[];
  readonly #ready: ReadyQueue;
  readonly #idle: Set<number>;
  readonly #running = new Map<number, number>();
  readonly #waiting: Set<number>;
  /** How often one that needs something was taken before each that waited. */
  readonly #passed = new Map<number, number>();
  readonly #pinnedTo: number | null;

  constructor(all: Needing[], agents: number, distribution: 'dynamic' | 'round-robin') {
    this.#all = all;
    this.#ready = queue({ agents, cpus: 4, memoryMb: 2000, distribution }, all);
    this.#idle = new Set(Array.from({ length: agents }, (_, agent) => agent));
    this.#waiting = new Set(all.keys());
    this.#pinnedTo = distribution === 'round-robin' ? agents : null;
  }

  get isOver(): boolean {
    return this.#waiting.size + this.#running.size === 0;
  }

  step(end: number): void {
    for (const agent of this.#idle) this.#offer(agent);
    expect(this.#used('cpus')).toBeLessThanOrEqual(4 + 1e-9);
    expect(this.#used('memoryMb')).toBeLessThanOrEqual(2000);
    // With nothing running something is taken, or the run would never end.
    const ended = [...this.#running][end % this.#running.size];
    if (ended === undefined) throw new Error('nothing runs');
    const [index, agent] = ended;
    this.#ready.release(index);
    this.#running.delete(index);
    this.#idle.add(agent);
  }

  #offer(agent: number): void {
    const index = this.#ready.take(agent);
    if (index === undefined) {
      // An agent is left idle beside what fits only for one that was held up long enough.
      const passes = [...this.#passed.values()].reduce((sum, count) => sum + count, 0);
      if (passes < 8) expect(this.#couldHave(agent)).toEqual([]);
      return;
    }
    this.#idle.delete(agent);
    this.#waiting.delete(index);
    this.#passed.delete(index);
    this.#running.set(index, agent);
    if (this.#need(index, 'cpus') + this.#need(index, 'memoryMb') === 0) return;
    for (const earlier of this.#waiting)
      if (earlier < index) this.#passed.set(earlier, (this.#passed.get(earlier) ?? 0) + 1);
  }

  /** Those that fit and are in conflict with nothing; none while one that runs alone waits. */
  #couldHave(agent: number): number[] {
    const isAlone = (index: number): boolean => this.#all[index]?.parallelOk === false;
    if ([...this.#waiting, ...this.#running.keys()].some(isAlone)) return [];
    return [...this.#waiting].filter(
      (index) =>
        (this.#pinnedTo === null || index % this.#pinnedTo === agent) &&
        this.#used('cpus') + this.#need(index, 'cpus') <= 4 &&
        this.#used('memoryMb') + this.#need(index, 'memoryMb') <= 2000 &&
        ![...this.#running.keys()].some((other) => this.#conflict(index, other)),
    );
  }

  #conflict(a: number, b: number): boolean {
    const [one, other] = [this.#all[a], this.#all[b]];
    if (one === undefined || other === undefined) throw new RangeError('no such workstream');
    if (one.conflictGroup !== null && one.conflictGroup === other.conflictGroup) return true;
    return (one.scopes ?? []).some((scope) =>
      (other.scopes ?? []).some(
        (its) => `${scope}/`.startsWith(`${its}/`) || `${its}/`.startsWith(`${scope}/`),
      ),
    );
  }

  #need(index: number, what: 'cpus' | 'memoryMb'): number {
    const { parallelOk = true, ...needing } = this.#all[index] ?? {};
    return parallelOk ? (needing[what] ?? 0) : 0;
  }

  #used(what: 'cpus' | 'memoryMb'): number {
    return [...this.#running.keys()].reduce((sum, index) => sum + this.#need(index, what), 0);
  }
}

test('all get their turn on any machine, and agents are idle beside what fits only for one that was held up', () => {
  const needing: fc.Arbitrary<Needing> = fc.record({
    cpus: fc.constantFrom(null, 0.25, 0.5, 1, 2, 3, 4),
    memoryMb: fc.constantFrom(null, 100, 900, 1500, 2000),
    parallelOk: fc.integer({ min: 0, max: 9 }).map((number) => number > 0),
    conflictGroup: fc.constantFrom(null, null, null, 'a', 'b'),
    scopes: fc.constantFrom<string[]>([], [], [], ['src'], ['src/a'], ['src/a/b', 'docs']),
  });
  fc.assert(
    fc.property(
      fc.array(needing, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom('dynamic' as const, 'round-robin' as const),
      fc.array(fc.nat({ max: 1000 }), { minLength: 40, maxLength: 40 }),
      (all, agents, distribution, ends) => {
        const simulation = new Simulation(all, agents, distribution);
        for (const end of ends) if (!simulation.isOver) simulation.step(end);
        expect(simulation.isOver).toBe(true);
      },
    ),
    { seed: 7, numRuns: 1000 },
  );
});

describe('what is taken out before it was taken', () => {
  test('leaves what it had a claim to', () => {
    // The first needs all processors, and has a claim once enough have gone past it.
    const ready = queue({ agents: 2, cpus: 2 }, [{ cpus: 1 }, { cpus: 2 }, ...repeat(20, { cpus: 1 })]);
    let taken = takeAll(ready, 2);
    for (let turn = 0; turn < 12 && !taken.includes(1); turn += 1) {
      const [first = -1] = taken;
      ready.release(first);
      taken = [...taken.slice(1), ...takeAll(ready, 2)];
      if (taken.length === 1) break;
    }
    // One place is free, and kept for the one with the claim.
    expect([taken.length, ready.has(1)]).toEqual([1, true]);
    ready.remove(1);
    expect([ready.has(1), takeAll(ready, 2)]).toEqual([false, [expect.any(Number)]]);
  });

  test('is not taken, and may be added again', () => {
    const ready = queue({ cpus: 8 }, repeat(3, {}));
    ready.remove(1);
    expect([ready.size, takeAll(ready)]).toEqual([2, [0, 2]]);
    ready.add(1);
    expect(takeAll(ready)).toEqual([1]);
  });

  test('does not keep what is in conflict with it from being taken', () => {
    const ready = queue({}, repeat(3, { conflictGroup: 'g' }));
    ready.remove(0);
    expect(takeAll(ready)).toEqual([1]);
    ready.remove(2);
    ready.release(1);
    expect([takeAll(ready), ready.size]).toEqual([[], 0]);
    ready.add(0);
    expect(takeAll(ready)).toEqual([0]);
  });
});
