import { describe, expect, test } from 'vitest';
import { patternHistory, patternHistoryOverall } from '../../src/analysis/states.ts';
import type { Observation } from '../../src/domain/history/history.ts';

const WHAT = {
  '.': 'passed',
  F: 'failed-so',
  x: 'failed-otherwise',
  '-': 'not-run',
  h: 'passed',
} as const satisfies Record<string, Observation['what']>;

/**
 * One observation a letter, the oldest first: `.` passed, `F` failed so, `x` failed otherwise, `-` not run, `h` healed.
 * Each run has a commit of its own, unless the fields say otherwise.
 */
function course(letters: string, fields: (index: number) => Partial<Observation['run']> = () => ({})) {
  return letters.split('').map((letter, index): Observation => {
    const at = new Date(Date.UTC(2026, 0, 1 + index)).toISOString();
    const run = { runId: `run-${index}`, at, label: null, commit: `c${index}`, isDirty: false };
    const what = WHAT[letter as keyof typeof WHAT];
    return { run: { ...run, ...fields(index) }, definitionHash: 'd1', what, healed: letter === 'h' };
  });
}

const stateOf = (letters: string): string => patternHistory(course(letters)).state;

describe('the state of a pattern', () => {
  test.each([
    ['of which nothing is known', '', 'unknown'],
    ['that never was', '....', 'unknown'],
    ['at its first failure', '.....F', 'new'],
    ['at the first failure of a workstream’s first run', 'F', 'new'],
    ['at its second failure in a row', '.....FF', 'recurring'],
    ['that fails again after a single pass', '....F.F', 'recurring'],
    ['after one pass', '....FFFF.', 'passing'],
    ['after as many passes as chance hardly brings', '....FFFF..', 'fixed'],
    ['after one failure and two passes', '....F..', 'passing'],
    ['after one failure and three passes', '....F...', 'fixed'],
    ['that stays away', '....F.................................', 'fixed'],
    ['that comes back after a fix', '..FFFF......F', 'regressed'],
    ['that stays after it came back', '..FFFF......FF', 'recurring'],
    ['with two episodes that ended', '...F....F.', 'flaky'],
    ['with two breaks that were fixed', '..FFFF......FFFFF......', 'fixed'],
    ['with three breaks, of which one is there', '..FFFF......FFFFF......FF', 'recurring'],
    ['that fails most of the time', 'FFF.FFFF.FFFFFF.FF', 'flaky'],
    ['that healed at a retry', '......h', 'flaky'],
    ['of a flaky workstream that passes a while', '..F..F....F...F........', 'flaky'],
    [
      'of a flaky workstream that passes for long',
      '.F..F...F..F.................................................',
      'fixed',
    ],
    [
      'of a flaky workstream that fails more often in a row than it does by chance',
      '..F....F.....F........F.....FFFFF',
      'recurring',
    ],
    ['of a workstream that was not run', '...FF-', 'unknown'],
    ['of a workstream that fails otherwise', '...FFx', 'unknown'],
    ['of a flaky workstream that was not run', '...F...F.-', 'flaky'],
    ['that was fixed before the workstream was not run', '...FFFF.....-', 'fixed'],
    ['with other failures between its own', '...FFxxFF', 'recurring'],
    ['with another failure before enough passes', '...FFFFx..', 'fixed'],
  ])('%s: %s', (_, letters, state) => {
    expect(stateOf(letters)).toBe(state);
  });
});

test('other failures and runs without it end no episode', () => {
  expect(stateOf('...FxF-FxxF.')).toBe('passing');
});

describe('without a change', () => {
  const unchanged = () => ({ commit: 'c1' });

  test('a later pass is a sign of flakiness', () => {
    expect(patternHistory(course('..F.', unchanged)).state).toBe('flaky');
  });

  test('a dirty tree or no commit may hide a change', () => {
    for (const run of [{ isDirty: true }, { isDirty: null }, { commit: null }])
      expect(patternHistory(course('..F.', () => ({ commit: 'c1', ...run }))).state).toBe('passing');
  });

  test('a definition of which nothing is known may be another', () => {
    const observations = course('..F.', unchanged).map((each) => ({ ...each, definitionHash: null }));
    expect(patternHistory(observations).state).toBe('passing');
  });
});

test('a new definition begins anew what is known of flakiness and rate', () => {
  const observations = course('..F..F..F....').map((each, index) => ({
    ...each,
    definitionHash: index < 9 ? 'd1' : 'd2',
  }));
  expect(patternHistory(observations.slice(0, 9))).toMatchObject({ state: 'flaky' });
  expect(patternHistory(observations.slice(0, 10))).toMatchObject({ state: 'passing', rate: null });
  expect(patternHistory(observations)).toMatchObject({ rate: { value: 0, low: 0, runs: 4 } });
});

describe('what else is told', () => {
  test('the runs in which it was seen, and the last that passed', () => {
    expect(patternHistory(course('..F..FF'))).toMatchObject({
      firstSeen: { runId: 'run-2' },
      lastSeen: { runId: 'run-6' },
      lastPassed: { runId: 'run-4' },
    });
  });

  test('the commits between the last pass and the first failure', () => {
    expect(patternHistory(course('....-xFFF')).commitRange).toEqual({ from: 'c3', to: 'c6' });
  });

  test.each([
    ['that was never seen to pass', course('FF')],
    ['whose commits are not known', course('..FF', () => ({ commit: null }))],
    ['that broke without a commit', course('..FF', () => ({ commit: 'c1' }))],
    ['that is flaky', course('..F..F..F')],
    ['that passes', course('..FF.')],
  ])('no commits of a pattern %s', (_, observations) => {
    expect(patternHistory(observations).commitRange).toBeNull();
  });

  test('the share of runs that failed so, with its interval; other failures do not count', () => {
    const { rate } = patternHistory(course('F.x-.F..h...'));
    expect(rate).toMatchObject({ value: 0.3, runs: 10 });
    expect(rate?.low).toBeCloseTo(0.0927, 3);
    expect(rate?.high).toBeCloseTo(0.6058, 3);
  });

  test('no share of fewer than four runs', () => {
    expect(patternHistory(course('F.F')).rate).toBeNull();
  });
});

describe('a pattern in several workstreams', () => {
  const overall = (...all: string[]) =>
    patternHistoryOverall(all.map((each) => patternHistory(course(each))));

  test('is new only where it is new in each', () => {
    expect(overall('....F', '----F')).toMatchObject({ state: 'new' });
    expect(overall('....F', '...FF')).toMatchObject({ state: 'recurring', firstSeen: { runId: 'run-3' } });
  });

  test('is fixed only where it is fixed in each', () => {
    expect(overall('FFFF...', 'FFFF...')).toMatchObject({ state: 'fixed' });
    expect(overall('FFFF...', 'FFFFFF.')).toMatchObject({ state: 'passing', lastSeen: { runId: 'run-5' } });
  });

  test('is nothing in none', () => {
    expect(overall()).toBeNull();
  });
});
