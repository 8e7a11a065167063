import { expect, test } from 'vitest';
import type { LiveState } from '../../../src/domain/dashboard/answers.ts';
import { countdown, liveTitle, liveVerdict, roughly, unseenText } from '../../../src/web/model/live.ts';

const LIVE = {
  now: '2026-01-01T00:10:00.000Z',
  startedAt: '2026-01-01T00:00:00.000Z',
  ended: 12,
  completed: 11,
  failed: 1,
  skipped: 0,
  total: 24,
  running: [],
  waiting: 12,
  parked: [],
  estimate: { seconds: 3000, low: 2280, high: 4800, basis: { kind: 'this-run', known: 2_665, of: 9_000 } },
  canAct: true,
} satisfies LiveState;

test('an estimate whose ends read the same is given once', () => {
  const estimate = { ...LIVE.estimate, seconds: 3, low: 2, high: 4 };
  expect(liveVerdict({ ...LIVE, estimate }).more[0]).toMatch(/^About 5\u202fs, from how long/);
});

test('an estimate is as exact as it can be', () => {
  expect(
    [3, 42, 55, 720, 3600, 4800, 7190].map((seconds) => roughly(seconds).replaceAll('\u202f', ' ')),
  ).toEqual(['5 s', '45 s', '1 min', '12 min', '1 h', '1 h 20 min', '2 h']);
});

test('a run under way says how many have ended, how long it still takes, and from what that is known', () => {
  const { sentence, more } = liveVerdict(LIVE);
  expect(sentence.replaceAll('\u202f', ' ')).toBe('12 of 24 have ended; about 50 min left.');
  expect(more.join(' ').replaceAll('\u202f', ' ')).toBe(
    'Between 38 min and 1 h 20 min, from how long the last 2 665 workstreams took that have ended, and how long those under way take already. 1 failed so far; the run goes on all the same.',
  );
});

test.each([
  [{ kind: 'this-run', known: 1_000, of: 1_000 }, 'the 1\u202f000 workstreams took that have ended'],
  [{ kind: 'earlier-runs', known: 9, of: 12 }, 'these took when they last completed'],
] as const)('what an estimate is made from is said: %j', (basis, words) => {
  const { more } = liveVerdict({ ...LIVE, estimate: { ...LIVE.estimate, basis } });
  expect(more[0]).toContain(`, from how long ${words}, and how long those under way take already.`);
});

test('a run without a history has no estimate, and says so', () => {
  const { sentence, more } = liveVerdict({ ...LIVE, estimate: null, failed: 0 });
  expect(sentence).toBe('12 of 24 have ended.');
  expect(more).toEqual(['No estimate yet: too little is known of how long these take.']);
});

test('a run that only waits for a usage limit says for which', () => {
  const parked = [{ tool: 'claude', until: null, why: 'its five-hour limit' }];
  const { sentence, more } = liveVerdict({ ...LIVE, failed: 0, parked });
  expect(sentence).toBe('12 of 24 have ended; the rest waits for a usage limit.');
  expect(more).toEqual(['Nothing runs until claude can go on.']);
  expect(liveTitle({ ...LIVE, parked })).toBe('◐ 12 of 24 · waits for a usage limit');
});

test('the title of the window says how far the run is', () => {
  expect(liveTitle(LIVE).replaceAll('\u202f', ' ')).toBe('◐ 12 of 24 · about 50 min left');
});

test('what has not been listed yet is told as more, and what was taken back as changed', () => {
  expect(unseenText({ more: 2, changed: 0, needing: 0 })).toBe('2 more since you looked');
  expect(unseenText({ more: 1, changed: 1, needing: 1 })).toBe('1 more and 1 changed since you looked');
});

test('a countdown ends with now', () => {
  const now = Date.parse(LIVE.now);
  expect(countdown('2026-01-01T00:22:41.000Z', now)).toBe('12:41');
  expect(countdown('2026-01-01T01:12:03.000Z', now)).toBe('1:02:03');
  expect(countdown(LIVE.now, now)).toBe('now');
});
