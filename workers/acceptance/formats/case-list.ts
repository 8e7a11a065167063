import type { TestCase, TestCounts } from '../../../src/domain/test-case.ts';
import { shortened } from '../../../src/support/cut-text.ts';

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
