import { expect, test } from 'vitest';
import type { ListedRun } from '../../../src/domain/dashboard/answers.ts';
import { listedState, runsOf, runsVerdict, runWords, unseenRuns } from '../../../src/web/model/runs.ts';

const TOTALS: ListedRun['totals'] = {
  workstreams: 4,
  completed: 4,
  failed: 0,
  skipped: 0,
  takenOver: 0,
  savedSeconds: 0,
  filesModified: 0,
  commits: 0,
  errors: 0,
  warnings: 0,
};

const listed = (
  runId: string,
  but: Partial<ListedRun> = {},
  totals: Partial<ListedRun['totals']> = {},
): ListedRun => ({
  runId,
  label: null,
  state: 'ended',
  exitCode: 0,
  interruptedBy: null,
  waitsForLimit: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:09.000Z',
  resumedAt: null,
  wallSeconds: 9,
  running: 0,
  agents: 2,
  costUsd: null,
  tools: [],
  retryOf: null,
  hostname: null,
  checkout: null,
  ...but,
  totals: { ...TOTALS, ...totals },
});

const GREEN = listed('green');
const RED = listed('red', { label: 'nightly' }, { completed: 1, failed: 2, skipped: 1 });
const LIVE = listed('live', { state: 'running', running: 2 }, { completed: 1 });
const DEAD = listed('dead', { state: 'interrupted' }, { completed: 1, failed: 1 });
const WAITS = listed(
  'waits',
  { state: 'interrupted', exitCode: 5, waitsForLimit: { tool: 'claude', until: '2026-01-01T05:00:00.000Z' } },
  { completed: 1 },
);

test('a run is said by the worst that happened in it', () => {
  expect([GREEN, RED, LIVE, DEAD, WAITS].map((run) => `${listedState(run)}: ${runWords(run)}`)).toEqual([
    'completed: all completed',
    'failed: 2 failed',
    'running: 1 of 4',
    'interrupted: interrupted, 1 failed',
    'waiting: waits for claude',
  ]);
});

test('the list begins with what is under way and how the last run ended', () => {
  expect(runsVerdict([])).toBe('No runs yet.');
  expect(runsVerdict([GREEN])).toBe('The last run completed all of its 4 workstreams.');
  const one = { ...GREEN, totals: { ...GREEN.totals, workstreams: 1, completed: 1 } };
  expect(runsVerdict([one])).toBe('The last run completed its only workstream.');
  expect(runsVerdict([LIVE, RED, GREEN])).toBe(
    '1 run is under way. The last nightly has failures: 2 of 4 workstreams.',
  );
  expect(runsVerdict([DEAD])).toBe('The last run was interrupted after 2 of 4.');
  expect(runsVerdict([WAITS])).toMatch(
    /^The last run waits for the usage limit of claude, which resets at 2026-01-01 \d\d:00:00: 1 of 4 have ended\.$/,
  );
});

test('what has become of a list since it was looked at is told, but for figures', () => {
  const unseen = (...now: ListedRun[]): string =>
    unseenRuns([LIVE, RED, DEAD], new Map(now.map((run) => [run.runId, run])));
  expect(unseen({ ...LIVE, running: 1 }, RED, DEAD)).toBe('');
  expect(unseen(GREEN, LIVE, RED, DEAD)).toBe('1 new run');
  expect(unseen(GREEN, WAITS, { ...LIVE, state: 'ended' }, RED, DEAD)).toBe('2 new runs and 1 ended');
  expect(unseen(LIVE, { ...DEAD, state: 'running' })).toBe('1 resumed and 1 removed');
});

test('runs are filtered by state and words, and sorted by a column', () => {
  const all = [GREEN, RED, LIVE, DEAD];
  const ids = (asked: Partial<Parameters<typeof runsOf>[1]>): string[] =>
    runsOf(all, { query: '', states: [], sort: null, ...asked }).map(({ runId }) => runId);
  expect(ids({ states: ['failed', 'running'] })).toEqual(['red', 'live']);
  expect(ids({ query: 'NIGHT' })).toEqual(['red']);
  expect(ids({ sort: { column: 'failed', descending: true } })).toEqual(['red', 'dead', 'green', 'live']);
  expect(ids({ sort: { column: 'nothing', descending: true } })).toEqual(['green', 'red', 'live', 'dead']);
});
