import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { type HeldLock, keepsFrom, type LockRequest, type LockTable } from '../../src/domain/run-lock.ts';
import { RunGate } from '../../src/run/run-gate.ts';
import { makeWorkstreams, type Sketch } from '../kit/make-workstream.ts';

const OTHER = 'ma-run-20260101-000001';

/** What other runs hold, as a test says, and what was asked of the table. */
class Table implements LockTable {
  others: HeldLock[] = [];
  readonly asked: string[] = [];
  /** Called once what a killed run left has ended. */
  readonly onEnded: (() => void)[] = [];

  take(request: LockRequest): HeldLock | null {
    this.asked.push(`take ${request.workstreamId}`);
    return this.others.find((lock) => keepsFrom(lock, request)) ?? null;
  }

  takeBusy(): HeldLock | null {
    this.asked.push('busy');
    return this.others.find(({ kind }) => kind === 'alone') ?? null;
  }

  release(workstreamId: string): void {
    this.asked.push(`release ${workstreamId}`);
  }

  releaseBusy(): void {
    this.asked.push('idle');
  }

  isHeld(lock: HeldLock): boolean {
    return this.others.includes(lock);
  }
}

function gateFor(...sketches: Omit<Sketch, 'id'>[]) {
  const table = new Table();
  const events: RunEvent[] = [];
  const ended: string[] = [];
  let free: () => void = () => undefined;
  const gate = new RunGate({
    workstreams: makeWorkstreams(...sketches.map((sketch, index) => ({ id: `ws-${index}`, ...sketch }))),
    locks: table,
    folder: '/tree',
    publish: (event) => events.push(event),
    freeLocksOf: (runId) => {
      ended.push(runId);
      return new Promise((resolve) => table.onEnded.push(resolve));
    },
    pollMs: 1,
  });
  gate.onFree(() => free());
  onTestFinished(() => gate.close());
  const nextFree = () => new Promise<void>((resolve) => (free = resolve));
  return { gate, table, events, ended, nextFree };
}

const lock = (fields: Partial<HeldLock>): HeldLock => ({
  runId: OTHER,
  workstreamId: 'ws-x',
  kind: 'group',
  name: '',
  isLeft: false,
  ...fields,
});

const db = { conflictGroup: 'db' };

test('workstreams without locks cost one row for all of them, as long as something is running', () => {
  const { gate, table } = gateFor({}, {}, {}, {});
  expect([gate.admit(0), gate.admit(1), gate.admit(2)]).toEqual([true, true, true]);
  for (const index of [0, 1, 2]) gate.leave(index);
  expect(table.asked).toEqual(['busy']);
  gate.idle();
  gate.idle();
  expect(gate.admit(3)).toBe(true);
  expect(table.asked).toEqual(['busy', 'idle', 'busy']);
});

test('what another run holds is asked for once, however many wait for it, and told once', () => {
  const { gate, table, events } = gateFor(db, db, db, { conflictGroup: 'gpu' });
  table.others = [lock({ name: 'db' })];
  expect([0, 1, 2, 3].map((index) => gate.admit(index))).toEqual([false, false, false, true]);
  expect(table.asked).toEqual(['take ws-0', 'take ws-3']);
  const wait = {
    workstreamId: 'ws-0',
    runId: OTHER,
    explanation: `ws-0 waits for ws-x of ${OTHER}: both are in the conflict_group "db"`,
  };
  expect(events).toEqual([{ type: 'waiting-for-runs', waits: [wait], added: wait }]);
});

test('it is told when something was given up, and no sooner', async () => {
  const { gate, table, events, nextFree } = gateFor(db, { scopes: ['src/**'] });
  const [first, second] = [lock({ name: 'db' }), lock({ kind: 'scope', name: '/tree/src/a' })];
  table.others = [first, second];
  expect([gate.admit(0), gate.admit(1)]).toEqual([false, false]);
  table.others = [second];
  await nextFree();
  expect([gate.admit(0), gate.admit(1)]).toEqual([true, false]);
  table.others = [];
  await nextFree();
  expect(gate.admit(1)).toBe(true);
  expect(events.at(-1)).toEqual({ type: 'waiting-for-runs', waits: [], added: null });
});

describe('what runs alone', () => {
  test('waits for a run that is busy, and others go on', () => {
    const { gate, table } = gateFor({ parallelOk: false }, {});
    table.others = [lock({ kind: 'busy', workstreamId: '' })];
    expect([gate.admit(0), gate.isShut, gate.admit(1)]).toEqual([false, false, true]);
  });

  test('keeps everything else waiting where it is another run’s', async () => {
    const { gate, table, nextFree } = gateFor({}, db);
    table.others = [lock({ kind: 'alone' })];
    expect([gate.admit(0), gate.isShut, gate.admit(1)]).toEqual([false, true, false]);
    table.others = [];
    await nextFree();
    expect([gate.isShut, gate.admit(0)]).toEqual([false, true]);
  });

  test('is admitted once, although it is asked for before and when it is taken', () => {
    const { gate, table } = gateFor({ parallelOk: false });
    expect([gate.admit(0), gate.admit(0)]).toEqual([true, true]);
    gate.leave(0);
    expect(table.asked).toEqual(['take ws-0', 'release ws-0']);
  });
});

test('what a killed run holds is free only when what it left has ended, for which it is looked once', async () => {
  const { gate, table, events, ended, nextFree } = gateFor(db, { conflictGroup: 'gpu' });
  table.others = [lock({ name: 'db', isLeft: true }), lock({ name: 'gpu', isLeft: true })];
  expect([gate.admit(0), gate.admit(1), gate.admit(0)]).toEqual([false, false, false]);
  expect(ended).toEqual([OTHER]);
  expect(events[0]).toMatchObject({
    added: { explanation: `ws-0 waits until what ${OTHER} left, whose process was killed, has ended` },
  });
  table.others = [];
  const free = nextFree();
  table.onEnded.forEach((tell) => tell());
  await free;
  expect([gate.admit(0), gate.admit(1)]).toEqual([true, true]);
});

test('what was waited for, and how long, is known without the time in which nothing waited', async () => {
  const { gate, table, nextFree } = gateFor(db);
  expect(gate.waited).toBeNull();
  table.others = [lock({ name: 'db' })];
  gate.admit(0);
  table.others = [];
  await nextFree();
  const { waited } = gate;
  expect(waited).toEqual({ seconds: expect.any(Number), runIds: [OTHER] });
  expect(waited?.seconds).toBeGreaterThan(0);
  expect(gate.waited).toEqual(waited);
});

describe('tests of merged work', () => {
  test('wait for a group that another run holds, and the wait names them', () => {
    const { gate, table, events } = gateFor();
    table.others = [lock({ name: 'db' })];
    expect(gate.admitTests({ alone: false, conflictGroups: ['gpu', 'db'] })).toBe(false);
    const explanation = `the test of merged work waits for ws-x of ${OTHER}: both are in the conflict_group "db"`;
    expect(events).toMatchObject([{ added: { explanation } }]);
  });

  test('hold their groups until they have ended', () => {
    const { gate, table } = gateFor();
    expect(gate.admitTests({ alone: false, conflictGroups: ['db'] })).toBe(true);
    gate.leaveTests();
    expect(table.asked).toEqual(['take _merged', 'release _merged']);
  });

  test('that hold nothing have the run count as busy, so that nothing of another runs alone beside them', () => {
    const { gate, table } = gateFor();
    expect(gate.admitTests({ alone: false, conflictGroups: [] })).toBe(true);
    expect(table.asked).toEqual(['busy']);
  });
});

test('closing gives up everything', () => {
  const { gate, table } = gateFor(db, {});
  gate.admit(0);
  gate.admit(1);
  gate.close();
  expect(table.asked).toEqual(['take ws-0', 'release ws-0', 'idle']);
});
