import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import { describe, expect, test } from 'vitest';
import type { RunComparison } from '../../src/domain/history/history.ts';
import { ASCII, UNICODE } from '../../src/progress/style.ts';
import { summary } from '../../src/progress/summary.ts';
import {
  emptyResult,
  errorPattern,
  executionSummary,
  RUN_ID,
  runSummary,
  whole,
} from '../kit/consolidated-result.ts';

const plain = {
  report: 'reports/r.md',
  page: 'reports/r.html',
  comparison: null,
  colour: new Chalk({ level: 0 }),
  glyphs: UNICODE,
};
const DATABASE = '.state/multi_agent_consolidated.db';

const none = { filesModified: 0, commits: 0, errors: 0, warnings: 0 };
const failure = (n: number) =>
  errorPattern({
    type: 'exit-non-zero',
    example: {
      workstreamId: `ws-${n}`,
      message: '`npm test` ended with exit code 1.',
      logFile: `.state/logs/${RUN_ID}/ws-${n}.log`,
    },
  });

test('a run over a queue says which hosts executed how many', () => {
  const host = { agents: 1, completed: 1, failed: 0, busySeconds: 1 };
  const hosts = [
    { ...host, host: 'alpha', workstreams: 12, lost: 0 },
    { ...host, host: 'beta', workstreams: 1, lost: 2 },
  ];
  expect(summary(emptyResult({ hosts }), plain)).toContain(
    'Executed by alpha (12 workstreams), beta (1 workstream, 2 lost)',
  );
});

test('the failures come last, each with its reason, the line that tells, and its log', () => {
  const tsc = { ...failure(1), telling: 'a.ts(1,2): error TS2345: no' };
  const cycle = errorPattern({ type: 'cycle', example: { workstreamId: 'ws-b', message: '' } });
  expect(summary(emptyResult({ patterns: whole(tsc, cycle) }), plain)).toEqual([
    '6 workstreams: 3 completed, 2 failed, 1 skipped',
    'Took 9.4s with 3 agents, 1.7 × the speed of one agent',
    'Report    reports/r.md',
    'Page      reports/r.html',
    `Database  ${DATABASE}`,
    `Try again millrace run --retry-failed ${RUN_ID}`,
    '',
    '✗ ws-1 exit-non-zero: `npm test` ended with exit code 1.',
    '  a.ts(1,2): error TS2345: no',
    `  log .state/logs/${RUN_ID}/ws-1.log`,
    '✗ ws-b cycle',
  ]);
});

test('failures of one pattern are one paragraph: what tells, how many, three of them, and what shows more', () => {
  const many = errorPattern({
    type: 'exit-non-zero',
    telling: 'a.ts(1,2): error TS2345: no',
    count: 47,
    workstreams: ['ws-1', 'ws-2', 'ws-3', 'ws-4'],
    example: { message: '`npm test` ended with exit code 1.', logFile: 'ws-1.log' },
  });
  expect(summary(emptyResult({ patterns: whole(many) }), plain).slice(-4)).toEqual([
    '✗ 47 × exit-non-zero: a.ts(1,2): error TS2345: no',
    '  in ws-1, ws-2, ws-3 and 44 more',
    '  log ws-1.log',
    '  more millrace errors --history p-1a2b3c4d',
  ]);
});

test('a run that all went well in', () => {
  const totals = {
    ...none,
    workstreams: 1,
    completed: 1,
    failed: 0,
    skipped: 0,
    takenOver: 0,
    savedSeconds: 0,
  };
  const executed = executionSummary({ agentsCount: 1 });
  expect(
    summary(emptyResult({ run: runSummary({ totals, executionSummary: executed }) }), {
      ...plain,
      report: null,
      page: null,
    }),
  ).toEqual(['1 workstream: 1 completed', 'Took 9.4s', `Database  ${DATABASE}`]);
});

test('a run that waited for others says how long, and for which', () => {
  const executed = executionSummary({ waitedForRuns: { seconds: 3.21, runIds: ['ma-run-a', 'ma-run-b'] } });
  expect(summary(emptyResult({ run: runSummary({ executionSummary: executed }) }), plain)).toContain(
    'Waited 3.2s for locks of ma-run-a, ma-run-b',
  );
});

test('of more than ten patterns the first ten, and how to see the rest', () => {
  const patterns = { shown: Array.from({ length: 50 }, (_, n) => failure(n + 1)), total: 1_234 };
  const lines = summary(emptyResult({ patterns }), plain);
  expect(lines.filter((line) => line.startsWith('✗'))).toHaveLength(10);
  expect(lines.at(-1)).toBe(`and 1224 more patterns: millrace errors ${RUN_ID}`);
});

test('an interrupted run says what is left', () => {
  const run = runSummary({
    state: 'interrupted',
    executionSummary: executionSummary({ interruptedBy: 'SIGINT' }),
  });
  expect(summary(emptyResult({ run }), plain)[2]).toBe(
    `Interrupted by SIGINT; continue with: millrace run --resume ${RUN_ID}`,
  );
});

test('a run in which all that is left waits for a usage limit says until when', () => {
  const waitsForLimit = { tool: 'claude', until: '2026-07-14T14:00:00.000Z' };
  const run = runSummary({ state: 'interrupted', executionSummary: executionSummary({ waitsForLimit }) });
  expect(summary(emptyResult({ run }), plain)[2]).toBe(
    `What is left waits for the usage limit of claude, which resets at 2026-07-14T14:00:00.000Z; continue after that with: millrace run --resume ${RUN_ID}`,
  );
});

test('a run of nothing, and one whose speed is not known', () => {
  const totals = {
    ...none,
    workstreams: 0,
    completed: 0,
    failed: 0,
    skipped: 0,
    takenOver: 0,
    savedSeconds: 0,
  };
  const run = runSummary({ totals, executionSummary: null });
  expect(summary(emptyResult({ run }), plain).slice(0, 2)).toEqual([
    '0 workstreams',
    'Report    reports/r.md',
  ]);
});

test('text of a workstream stays on its line and does nothing', () => {
  const evil = '\u001B[2Jone\ntwo\u0007';
  const patterns = whole(
    errorPattern({ type: evil, example: { workstreamId: evil, message: evil, logFile: evil } }),
    errorPattern({ type: evil, telling: evil, count: 2, workstreams: [evil, evil] }),
  );
  expect(
    summary(emptyResult({ patterns, database: 'a  b\n.db' }), { ...plain, report: evil, page: evil }).slice(
      2,
    ),
  ).toEqual([
    'Report    one\\u{a}two\\u{7}',
    'Page      one\\u{a}two\\u{7}',
    'Database  a  b\\u{a}.db',
    `Try again millrace run --retry-failed ${RUN_ID}`,
    '',
    '✗ one two\\u{7} one two\\u{7}: one two\\u{7}',
    '  log one\\u{a}two\\u{7}',
    '✗ 2 × one two\\u{7}: one two\\u{7}',
    '  in one two\\u{7}, one two\\u{7}',
    '  more millrace errors --history p-1a2b3c4d',
  ]);
});

test('a long explanation is cut', () => {
  const patterns = whole(errorPattern({ example: { message: 'é'.repeat(500) } }));
  expect(summary(emptyResult({ patterns }), plain).at(-1)).toBe(`✗ ws-sieve thrown: ${'é'.repeat(199)}…`);
});

test('colour, and ASCII', () => {
  const patterns = whole(failure(1));
  const lines = summary(emptyResult({ patterns }), {
    ...plain,
    colour: new Chalk({ level: 1 }),
    glyphs: ASCII,
  });
  expect(lines[0]).toContain('\u001B[31m2 failed\u001B[39m');
  expect(lines[1]).toBe('Took 9.4s with 3 agents, 1.7 x the speed of one agent');
  expect(stripVTControlCharacters(lines.join(''))).toMatch(/^[ -~]*$/);
});

describe('what changed since the run before', () => {
  const run = { at: '2026-07-13T09:30:00.000Z', label: null, commit: null, isDirty: null };
  const none = { shown: [], total: 0 };
  const comparison = (changed: Partial<RunComparison>): RunComparison => ({
    base: { ...run, runId: 'ma-run-20260713-093000' },
    head: { ...run, runId: RUN_ID },
    new: none,
    regressed: none,
    recurring: none,
    fixed: none,
    flaky: none,
    notRun: none,
    added: none,
    removed: none,
    changedDefinition: none,
    outside: none,
    shifts: none,
    wholeRun: null,
    ...changed,
  });
  const told = (changed: Partial<RunComparison>): string | undefined =>
    summary(emptyResult({}), { ...plain, comparison: comparison(changed) }).find((line) =>
      line.includes('since'),
    );
  const some = (total: number) => ({ shown: [], total });

  test('is one line, with what is new first', () => {
    expect(told({ new: some(2), fixed: some(1) })).toBe(
      '2 new failures, 1 fixed since ma-run-20260713-093000.',
    );
    expect(told({ new: some(1), regressed: some(1), recurring: some(3), flaky: some(1) })).toBe(
      '1 new failure, 1 failing again, 3 still failing, 1 flaky since ma-run-20260713-093000.',
    );
  });

  test('says so where nothing new broke', () => {
    expect(told({ fixed: some(1), recurring: some(2) })).toBe(
      'Nothing new broke since ma-run-20260713-093000: 1 fixed, 2 still failing.',
    );
  });

  test('is left out where neither run had a failure', () => {
    expect(told({})).toBeUndefined();
  });
});
