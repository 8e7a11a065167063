import type { TestCounts } from '../../../src/domain/test-case.ts';

const KINDS: Readonly<Record<string, 'passed' | 'failed' | 'skipped'>> = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  todo: 'skipped',
  pending: 'skipped',
  // Of tests that are expected to fail and did.
  'expected fail': 'passed',
};

/** `1 failed | 3 passed, 1 todo` as counts. */
export function countsIn(summary: string): TestCounts {
  const counts = { total: 0, passed: 0, failed: 0, skipped: 0 };
  for (const [, number, word] of summary.matchAll(/(\d+) ([a-z]+(?: fail)?)/g)) {
    const kind = KINDS[word ?? ''];
    if (kind === undefined) continue;
    counts[kind] += Number(number);
    counts.total += Number(number);
  }
  return counts;
}

/** These, and failures that the summary has no figure for. */
export function withFailures(counts: TestCounts, number: number): TestCounts {
  return { ...counts, total: counts.total + number, failed: counts.failed + number };
}

/** The sum of two. */
export function plus(a: TestCounts, b: TestCounts): TestCounts {
  return {
    total: a.total + b.total,
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

export const NO_TESTS: TestCounts = { total: 0, passed: 0, failed: 0, skipped: 0 };
