import type { TestResult } from '../../src/domain/outcome.ts';

/** What a test result holds where nothing was run or nothing was found. */
export const NOTHING_KNOWN = {
  blocking: true,
  durationSeconds: null,
  detail: '',
  logFile: null,
  format: null,
  counts: null,
  cases: [],
} satisfies Partial<TestResult>;
