import type { TestCase, TestCounts } from '../../../src/domain/test-case.ts';

/** What a format found in a text. */
export interface ParsedTests {
  /** Null where the tool does not say how many there were. */
  counts: TestCounts | null;
  /** The failed ones first. */
  cases: TestCase[];
}

/**
 * Returns null for a text that is not of its format. Is given text without terminal escapes and with bare line feeds,
 * of at most some 16 MiB and from anywhere: takes time in proportion to its length, and may throw only what a
 * library throws at a text that is not of its format. `isWhole` is false for the end of a longer output.
 */
export type ParseTests = (text: string, isWhole: boolean) => ParsedTests | null;
