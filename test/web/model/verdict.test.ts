import { expect, test } from 'vitest';
import { localTime } from '../../../src/web/model/format.ts';
import { needsOf } from '../../../src/web/model/needs.ts';
import type { Run } from '../../../src/web/model/run.ts';
import { stepsOf, verdictOf } from '../../../src/web/model/verdict.ts';
import {
  errorPattern,
  executionSummary,
  mergedWork,
  runSummary,
  toolTask,
  whole,
} from '../../kit/consolidated-result.ts';
import { failed, runOf, skippedFor, workstream } from '../kit.ts';

const sentence = (run: Run): string => verdictOf(run, needsOf(run)).sentence;
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `ws-${index}`);
const error = (type = 'thrown', ...workstreams: string[]) =>
  errorPattern({ id: `p-${type}`, type, telling: `${type}!`, workstreams, count: workstreams.length });

test('a run in which all is well', () => {
  expect(sentence(runOf(ids(27).map((id) => workstream(id))))).toBe('All 27 workstreams completed.');
  expect(sentence(runOf([workstream('ws-first')]))).toBe('ws-first completed.');
  expect(sentence(runOf([workstream('a'), workstream('b', { attemptCount: 2 }), workstream('c')]))).toBe(
    'All 3 workstreams completed, 1 of them on a second attempt.',
  );
});

test('failures and the errors behind them', () => {
  const run = runOf([workstream('a'), failed('b', 'thrown'), failed('c', 'thrown')], {
    errors: [error('thrown', 'b', 'c')],
  });
  expect(sentence(run)).toBe('2 of 3 workstreams failed, with 1 error.');
});

test('a single failure and what it says', () => {
  const run = runOf([workstream('a'), failed('b', 'timed-out')], { errors: [error('timed-out', 'b')] });
  expect(sentence(run)).toBe('1 of 2 workstreams failed: timed-out!');
});

test('all failed with one error: a guess that is marked as one', () => {
  const run = runOf(
    ids(4).map((id) => failed(id, 'thrown')),
    { errors: [error('thrown', ...ids(4))] },
  );
  expect(sentence(run)).toBe('All 4 workstreams failed, with 1 error.');
  expect(verdictOf(run, needsOf(run)).more[0]).toContain('probably');
});

test('only skips', () => {
  expect(sentence(runOf([workstream('a'), skippedFor('b', 'x')]))).toBe(
    '1 of 2 workstreams completed; 1 was skipped.',
  );
  expect(sentence(runOf([skippedFor('a', 'x'), skippedFor('b', 'x')]))).toBe(
    'Nothing ran: all 2 workstreams were skipped.',
  );
});

test('no workstreams, a run under way, an interrupted one', () => {
  expect(sentence(runOf([]))).toBe('This run had no workstreams.');
  const totals = { ...runSummary().totals, workstreams: 54, completed: 30, failed: 1, skipped: 0 };
  expect(sentence(runOf([workstream('a')], { run: { state: 'running', totals } }))).toBe(
    '31 of 54 workstreams have ended.',
  );
  expect(sentence(runOf([workstream('a')], { run: { state: 'interrupted', totals } }))).toBe(
    'Interrupted after 31 of 54 workstreams; 23 did not run to the end.',
  );
});

test('all that is left waits for a usage limit', () => {
  const totals = { ...runSummary().totals, workstreams: 54, completed: 30, failed: 0, skipped: 24 };
  const until = '2026-07-14T14:00:00.000Z';
  const summary = executionSummary({ waitsForLimit: { tool: 'claude', until } });
  const run = runOf([workstream('a')], { run: { state: 'interrupted', totals, executionSummary: summary } });
  expect(sentence(run)).toBe('24 of 54 workstreams wait for a usage limit.');
  const { more } = verdictOf(run, needsOf(run));
  expect(more).toEqual([
    `That of claude, which resets at ${localTime(until)}. What ended is kept and is not run again.`,
  ]);
});

const passed = { name: 't', status: 'passed' as const, seconds: 1, detail: '', counts: null };

test('a backlog of coding agents: what is done, and what needs a person', () => {
  const run = runOf(
    [
      workstream('a', { tool: 'claude', tests: [passed], merge: 'merged' }),
      workstream('b', { tool: 'claude', tests: [passed], merge: 'conflict' }),
      failed('c', 'acceptance-failed', { tool: 'codex' }),
      failed('d', 'no-changes', { tool: 'codex', claim: 'Done!' }),
    ],
    { tasks: whole(toolTask()), errors: [error('acceptance-failed', 'c'), error('no-changes', 'd')] },
  );
  const { sentence: said, more } = verdictOf(run, needsOf(run));
  expect(said).toBe('1 of 4 tasks is done, tested and merged. 3 need you.');
  expect(more[0]).toBe(
    '1 was not accepted by its tests, 1 ended as if it were done and is not and 1 conflicts with other work.',
  );
});

test('a sweep: cells with results, and what those without have in common', () => {
  const cell = (codec: string, level: number) => ({ matrix: { codec, level } });
  const run = runOf(
    [
      workstream('a', cell('gzip', 1)),
      workstream('b', cell('gzip', 9)),
      workstream('c', cell('xz', 1)),
      failed('d', 'out-of-memory', cell('xz', 9)),
      failed('e', 'out-of-memory', cell('xz', 9)),
    ],
    { errors: [error('out-of-memory', 'd', 'e')] },
  );
  const { sentence: said, more } = verdictOf(run, needsOf(run));
  expect(said).toBe('3 of 5 cells have results; 2 ran out of memory.');
  expect(more[0]).toBe(
    'What failed has codec="xz" and level=9, and nothing that completed has them together.',
  );
});

test('a sweep with workstreams around it: only its cells are counted as cells', () => {
  const run = runOf([
    workstream('prepare'),
    ...ids(3).map((id, index) => failed(id, 'thrown', { matrix: { rate: index } })),
    workstream('summary'),
  ]);
  const { sentence: said, more } = verdictOf(run, needsOf(run));
  expect(said).toBe('0 of 3 cells have results; 3 failed.');
  expect(more).toContain('2 workstreams outside the sweep completed.');
  expect(stepsOf(run, needsOf(run)).map(({ bold }) => bold)).not.toContain('Take the results.');
});

test('a sweep in which only what is around it failed', () => {
  const run = runOf([
    ...ids(3).map((id, index) => workstream(id, { matrix: { rate: index } })),
    failed('summary', 'thrown'),
  ]);
  expect(sentence(run)).toBe('3 of 3 cells have results; 1 other workstream failed.');
});

test('what to do now: take over what is merged, start with the worst, run again what failed', () => {
  const run = runOf(
    [workstream('a', { merge: 'merged', tool: 'claude' }), failed('b', 'thrown', { tool: 'claude' })],
    {
      tasks: whole(toolTask()),
      errors: [error('thrown', 'b')],
      merges: mergedWork({}),
      run: { runId: 'ma-run-20260101-000000' },
    },
  );
  expect(stepsOf(run, needsOf(run)).map(({ bold, command }) => [bold, command])).toEqual([
    ['Take over the one that is merged.', 'git merge millrace/run/_merged'],
    ['Start with “thrown!”.', null],
    ['Then run again what failed.', 'millrace run --retry-failed ma-run-20260101-000000'],
  ]);
});

test('where nothing needs a person, the recommendations of the run are told', () => {
  const run = runOf([workstream('a')], { recommendations: ['It was slow: `millrace run -j 4` is faster.'] });
  expect(stepsOf(run, []).map(({ rest, command }) => [rest, command])).toEqual([
    ['It was slow: `millrace run -j 4` is faster.', 'millrace run -j 4'],
  ]);
});
