import { type Fields, isFields } from '../../../src/domain/json.ts';
import type { TestCase, TestCounts } from '../../../src/domain/outcome.ts';
import { firstOf, shortened } from '../../../src/text/cut-text.ts';

/** What a format found in a text. */
export interface ParsedTests {
  /** Null where the tool does not say how many there were. */
  counts: TestCounts | null;
  /** The failed ones first. */
  cases: TestCase[];
}

/**
 * Returns null for a text that is not of its format. The text has no terminal escapes and bare line feeds, is
 * at most some 16 MiB and untrusted: takes time in proportion to its length, and may throw only what a
 * library throws at a text that is not of its format. `isWhole` is false for the end of a longer output.
 */
export type ParseTests = (text: string, isWhole: boolean) => ParsedTests | null;

/** Most cases that are kept: of the failed ones, and of all together. */
const MAX_FAILED_CASES = 200;
const MAX_CASES = 1000;

/** Longest name and message, in characters. */
const NAME = 300;
const MESSAGE = 2000;

/** A case as a parser found it; lengths and numbers need not be right yet. */
export interface FoundCase {
  suite?: string;
  name: string;
  status: TestCase['status'];
  durationSeconds?: number | null;
  message?: string | null;
}

/** Counts every case and keeps as many as a result may hold: the failed ones first, each cut to its length. */
export class CaseList {
  readonly #failed: TestCase[] = [];
  readonly #others: TestCase[] = [];
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };

  add(found: FoundCase): void {
    this.#counts[found.status] += 1;
    const [list, limit] =
      found.status === 'failed' ? [this.#failed, MAX_FAILED_CASES] : [this.#others, MAX_CASES];
    if (list.length < limit) list.push(asCase(found));
  }

  /** Counts some that have no name; none where the number is not positive. */
  count(status: TestCase['status'], number: number): void {
    if (Number.isSafeInteger(number)) this.#counts[status] += Math.max(0, number);
  }

  /** Takes the message of the first failed case of this name that has none. */
  explain(name: string, message: string): void {
    const wanted = asCase({ name, status: 'failed', message });
    const found = this.#failed.find((one) => one.name === wanted.name && one.message === null);
    if (found !== undefined) found.message = wanted.message;
  }

  get counts(): TestCounts {
    const { passed, failed, skipped } = this.#counts;
    return { total: passed + failed + skipped, passed, failed, skipped };
  }

  get cases(): TestCase[] {
    return [...this.#failed, ...this.#others.slice(0, MAX_CASES - this.#failed.length)];
  }
}

function asCase({ suite = '', name, status, durationSeconds, message }: FoundCase): TestCase {
  const seconds = durationSeconds ?? null;
  const said = status === 'failed' ? cut((message ?? '').trim(), MESSAGE) : '';
  return {
    suite: cut(suite.trim(), NAME),
    name: cut(name.trim(), NAME),
    status,
    durationSeconds: seconds !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds : null,
    message: said === '' ? null : said,
  };
}

/** At most `limit` characters, never half of one. A copy, so that it does not hold the text it was cut from. */
function cut(text: string, limit: number): string {
  const kept = shortened(text, limit);
  return Buffer.from(kept).toString();
}

// Longest line that is read, in characters.

const LINE = 4000;

/** The lines of a text one by one, each cut to 4,000 characters, so that no line costs more than that. */
export function* linesOf(text: string): Generator<string, void, undefined> {
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    yield firstOf(text.slice(start, Math.min(end, start + LINE + 1)), LINE);
    start = end + 1;
  }
}

/** Collects the lines of one message, up to the length that a result may hold. */
export class MessageLines {
  #text = '';

  add(line: string): void {
    if (this.#text.length < LINE) this.#text += `${line}\n`;
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}

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

/** Adds failures that the summary has no figure for. */
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

// Reads values that came out of a parser and may be anything.

export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Null for what is not a number, nor text that is one. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
