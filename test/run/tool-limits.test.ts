import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import type { ToolSettings, UsageLimit } from '../../src/domain/tool.ts';
import { type Parking, ToolLimits, type ToolLimitsParts } from '../../src/run/tool-limits.ts';
import { customTool } from '../kit/definitions.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-07-19T10:00:00Z');
/** What is added to each time, where chance is 0. */
const LATER = SECOND;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const claude = customTool(['claude'], { name: 'claude', account: 'claude', fallback: ['codex'] });
const codex = customTool(['codex'], { name: 'codex', account: 'codex' });

function limits(parts: Partial<ToolLimitsParts> = {}): { all: ToolLimits; events: RunEvent[] } {
  const events: RunEvent[] = [];
  const all = new ToolLimits({
    runId: 'this',
    atLimit: 'wait',
    lookUp: (name) => [claude, codex].find((tool) => tool.name === name) ?? null,
    circuit: () => null,
    openParkings: () => [],
    publish: (event) => events.push(event),
    random: () => 0,
    ...parts,
  });
  return { all, events };
}

type Passing = UsageLimit & { class: 'rate' | 'window' };
const limit = (fields: Partial<Passing> = {}): Passing => ({
  class: 'window',
  resetsAt: null,
  exact: false,
  text: 'You are at your limit',
  ...fields,
});
const exact = (seconds: number): Passing => limit({ resetsAt: Date.now() + seconds * SECOND, exact: true });

const pass = (milliseconds: number): void => {
  vi.advanceTimersByTime(milliseconds);
};

/** How long a tool waits from now on, in milliseconds; 0 for one that may be started. */
function wait(all: ToolLimits, settings: ToolSettings = claude): number {
  const choice = all.choose({ agent: settings });
  return 'until' in choice ? choice.until - Date.now() : 0;
}

/** Starts a workstream, if that is allowed. */
function start(all: ToolLimits, id: string, settings: ToolSettings = claude): boolean {
  const choice = all.choose({ agent: settings });
  if ('until' in choice) return false;
  all.started(id, choice.tools);
  return true;
}

describe('a tool that met a limit', () => {
  test('waits until the time that it gave as a number, and a little longer', () => {
    const { all } = limits();
    expect(all.met(claude, exact(5), false).failure).toBeNull();
    expect(wait(all)).toBe(5 * SECOND + LATER);
    pass(5 * SECOND + LATER);
    expect(wait(all)).toBe(0);
  });

  test('waits until the time of its words, within a minute and eight days', () => {
    const waits = [5, 3 * 3600, 30 * 86_400].map((seconds) => {
      const { all } = limits();
      all.met(claude, limit({ resetsAt: START + seconds * SECOND }), false);
      return wait(all);
    });
    expect(waits).toEqual([MINUTE, 3 * HOUR, 8 * 24 * HOUR].map((each) => each + LATER));
  });

  test('waits an hour where it says no time, and twice as long each time after that, up to 16 hours', () => {
    const { all } = limits();
    const waits = [0, 1, 2, 3, 4, 5].map((index) => {
      start(all, `ws-${index}`);
      all.met(claude, limit(), false);
      all.ended(`ws-${index}`);
      const found = wait(all);
      pass(found);
      return found;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 16].map((hours) => hours * HOUR + LATER));
  });

  test('keeps no other tool waiting', () => {
    const { all } = limits();
    all.met(claude, exact(60), false);
    expect(wait(all, codex)).toBe(0);
  });

  test('keeps the tools of its account waiting', () => {
    const { all } = limits();
    all.met(claude, exact(60), false);
    expect(wait(all, { ...codex, account: 'claude' })).toBeGreaterThan(0);
  });

  test('does not wait longer when its words are read again', () => {
    const { all, events } = limits();
    all.met(claude, limit({ resetsAt: START + 5 * HOUR }), false);
    pass(10 * MINUTE);
    all.met(claude, limit({ resetsAt: Date.now() + 5 * HOUR }), false);
    pass(5 * HOUR - 10 * MINUTE + LATER);
    expect(wait(all)).toBe(0);
    expect(events).toHaveLength(1);
  });

  test('waits for a number rather than for what was read from words, and for the later of two numbers', () => {
    const { all } = limits();
    all.met(claude, limit({ resetsAt: START + 5 * HOUR }), false);
    all.met(claude, exact(30), false);
    expect(wait(all)).toBe(30 * SECOND + LATER);
    all.met(claude, exact(20), false);
    all.met(claude, exact(90), false);
    expect(wait(all)).toBe(90 * SECOND + LATER);
  });

  test('is announced with its time and its words', () => {
    const { all, events } = limits();
    all.met(claude, exact(60), false);
    expect(events).toEqual([
      {
        type: 'tool-parked',
        at: '2026-07-19T10:00:00.000Z',
        tool: 'claude',
        class: 'window',
        why: 'You are at your limit',
        until: '2026-07-19T10:01:01.000Z',
        source: 'exact',
        resumptions: 0,
        parkedBy: null,
      },
    ]);
  });

  test('fails its workstream under fail, and is not started for others until the limit has passed', () => {
    const { all } = limits({ atLimit: 'fail' });
    const failure = {
      reason: 'usage-limit',
      tool: 'claude',
      detail: 'You are at your limit',
      tail: '',
      log: null,
      resetsAt: '2026-07-19T10:01:01.000Z',
    };
    expect(all.met(claude, exact(60), false).failure).toEqual(failure);
    expect(all.refusal(claude)).toEqual(failure);
    expect(all.refusal(codex)).toBeNull();
    pass(61 * SECOND);
    expect(all.refusal(claude)).toBeNull();
  });

  test('is never refused under wait', () => {
    const { all } = limits();
    all.met(claude, exact(60), false);
    expect(all.refusal(claude)).toBeNull();
  });
});

describe('after a limit', () => {
  /** A limit that has just passed. */
  function passed(): ReturnType<typeof limits> {
    const made = limits();
    made.all.met(claude, exact(60), false);
    pass(MINUTE + LATER);
    return made;
  }

  test('one start tries, and the others when its tool answers, one a second', () => {
    const { all } = passed();
    expect([start(all, 'ws-1'), start(all, 'ws-2')]).toEqual([true, false]);
    pass(30 * SECOND);
    expect(start(all, 'ws-2')).toBe(false);
    all.answered('ws-1');
    expect([start(all, 'ws-2'), start(all, 'ws-3')]).toEqual([true, false]);
    pass(SECOND);
    expect([start(all, 'ws-3'), start(all, 'ws-4')]).toEqual([true, false]);
  });

  test('the others do not wait for longer than a minute for one that is silent', () => {
    const { all } = passed();
    start(all, 'ws-1');
    pass(MINUTE);
    expect(start(all, 'ws-2')).toBe(true);
  });

  test('starts are free again a minute after the tool worked', () => {
    const { all, events } = passed();
    start(all, 'ws-1');
    all.worked(claude);
    all.ended('ws-1');
    expect(events.at(-1)).toMatchObject({ type: 'tool-resumed', tool: 'claude' });
    pass(MINUTE);
    expect([start(all, 'ws-2'), start(all, 'ws-3')]).toEqual([true, true]);
  });

  test('who waits is told when one more may be started', () => {
    const { all } = limits();
    let told = 0;
    all.onFree(() => (told += 1));
    all.met(claude, exact(60), false);
    pass(MINUTE + LATER + 1);
    expect(told).toBeGreaterThan(0);
  });

  test('a tool that only meets its limit again is given up after five starts', () => {
    const { all } = limits();
    const failures = [0, 1, 2, 3, 4, 5, 6].map((index) => {
      start(all, `ws-${index}`);
      const { failure } = all.met(claude, exact(60), false);
      all.ended(`ws-${index}`);
      pass(2 * MINUTE);
      return failure?.reason ?? null;
    });
    expect(failures).toEqual([null, null, null, null, null, null, 'usage-limit']);
  });

  test('one that gets something done each time is not', () => {
    const { all } = limits();
    for (let index = 0; index < 20; index += 1) {
      start(all, 'ws-1');
      expect(all.met(claude, exact(60), true).failure).toBeNull();
      all.ended('ws-1');
      pass(2 * MINUTE);
    }
  });

  test('limits that were met together count once', () => {
    const { all } = limits();
    for (let index = 0; index < 20; index += 1) expect(all.met(claude, exact(60), false).failure).toBeNull();
  });
});

describe('what other runs and earlier sessions found out', () => {
  const parking = (fields: Partial<Parking> = {}): Parking => ({
    tool: 'claude',
    runId: 'other',
    class: 'window',
    why: 'You are at your limit',
    source: 'exact',
    parkedAt: new Date(START - MINUTE).toISOString(),
    until: new Date(START + MINUTE).toISOString(),
    ...fields,
  });

  test('holds for this run', () => {
    const { all, events } = limits({ openParkings: () => [parking()] });
    expect(wait(all)).toBe(MINUTE);
    expect(events).toMatchObject([{ type: 'tool-parked', parkedBy: 'other' }]);
    pass(MINUTE);
    expect([start(all, 'ws-1'), start(all, 'ws-2')]).toEqual([true, false]);
  });

  test('is looked for again while the run is under way', () => {
    let open: Parking[] = [];
    const { all } = limits({ openParkings: () => open });
    expect(wait(all)).toBe(0);
    open = [parking({ until: new Date(START + HOUR).toISOString() })];
    pass(SECOND);
    expect(wait(all)).toBe(HOUR - SECOND);
  });

  test('counts where this run is resumed', () => {
    const one = (hoursAgo: number): Parking =>
      parking({
        runId: 'this',
        parkedAt: new Date(START - hoursAgo * HOUR).toISOString(),
        until: new Date(START - (hoursAgo - 1) * HOUR).toISOString(),
      });
    const { all } = limits({ openParkings: () => [one(3), one(2), one(1)] });
    start(all, 'ws-1');
    all.met(claude, limit(), false);
    // The fourth guess.
    expect(wait(all)).toBe(8 * HOUR + LATER);
  });

  test('says nothing where it is long over', () => {
    const long = parking({ until: new Date(START - 7 * HOUR).toISOString() });
    const { all, events } = limits({ openParkings: () => [long] });
    expect([start(all, 'ws-1'), start(all, 'ws-2')]).toEqual([true, true]);
    expect(events).toEqual([]);
  });
});

describe('another tool in its place', () => {
  test('is taken while it waits, and the tool itself after that', () => {
    const { all } = limits({ atLimit: 'switch' });
    all.met(claude, exact(60), false);
    expect(all.choose({ agent: claude })).toEqual({ tools: { agent: codex } });
    pass(2 * MINUTE);
    expect(all.choose({ agent: claude })).toEqual({ tools: { agent: claude } });
  });

  test('is not taken while that waits too', () => {
    const { all } = limits({ atLimit: 'switch' });
    all.met(claude, exact(60), false);
    all.met(codex, exact(30), false);
    expect(all.choose({ agent: claude })).toMatchObject({ account: 'claude' });
  });

  test('is taken where the tool has failed too often, and there is a reason where both have', () => {
    const failed = new Set(['claude']);
    const { all } = limits({
      atLimit: 'switch',
      circuit: (tool) =>
        failed.has(tool) ? { reason: 'circuit-open', tool, cause: 'tool-quota', count: 1 } : null,
    });
    expect(all.refusal(claude)).toBeNull();
    expect(all.choose({ agent: claude })).toEqual({ tools: { agent: codex } });
    failed.add('codex');
    expect(all.refusal(claude)).toMatchObject({ reason: 'circuit-open', tool: 'claude' });
  });

  test('is not taken under wait', () => {
    const { all } = limits();
    all.met(claude, exact(60), false);
    expect(all.choose({ agent: claude })).toMatchObject({ account: 'claude' });
  });
});

describe('limits of the configuration', () => {
  test('a tool that has cost what it may is not started any more', () => {
    const { all } = limits();
    const frugal = { ...claude, maxCostUsd: 1 };
    all.spend('claude', 0.6);
    expect(all.refusal(frugal)).toBeNull();
    all.spend('claude', 0.6);
    expect(all.refusal(frugal)).toEqual({
      reason: 'budget-exceeded',
      of: 'tool',
      limitUsd: 1,
      spentUsd: 1.2,
      tool: 'claude',
    });
  });

  test('a tool is started so many times a minute', () => {
    const { all } = limits();
    const slow = { ...claude, startsPerMinute: 2 };
    expect([start(all, 'ws-1', slow), start(all, 'ws-2', slow), start(all, 'ws-3', slow)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(wait(all, slow)).toBe(MINUTE);
    pass(MINUTE);
    expect(start(all, 'ws-3', slow)).toBe(true);
  });

  test('a tool is started once in several minutes', () => {
    const { all } = limits();
    const slow = { ...claude, startsPerMinute: 0.5 };
    expect([start(all, 'ws-1', slow), start(all, 'ws-2', slow)]).toEqual([true, false]);
    expect(wait(all, slow)).toBe(2 * MINUTE);
    pass(2 * MINUTE);
    expect(start(all, 'ws-2', slow)).toBe(true);
  });
});
