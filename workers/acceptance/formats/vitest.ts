import type { TestCounts } from '../../../src/domain/outcome.ts';
import {
  CaseList,
  countsIn,
  linesOf,
  MessageLines,
  NO_TESTS,
  type ParsedTests,
  plus,
  withFailures,
} from './format.ts';

const SUMMARY = /^ +Tests +(\d+ .*|no tests)/;
/** Errors outside of tests; vitest exits with 1 for them. */
const ERRORS = /^ +Errors +(\d+) errors?/;
const NONE = /^No test files found, exiting with code \d/;
/** The heading of files and groups that could not be run, which are listed apart from the tests that failed. */
const PART = /^ *⎯+ *(Failed (?:Suites|Tests)|Unhandled Errors) *\d*/;
const FAIL = /^ *FAIL +(.+)$/;
/** The verbose reporter names each test with its file. */
const TEST = /^ *[✓√↓□] (\S+ > .+?)(?: (\d+)ms)?$/;
const RULE = /^ *⎯{3,}/;

/** The summary of vitest, and the cases that it names. Several runs are added up. */
export function parseVitest(text: string): ParsedTests | null {
  const reader = new VitestReader();
  for (const line of linesOf(text)) reader.take(line);
  reader.finish();
  return reader.counts === null ? null : { counts: reader.counts, cases: reader.list.cases };
}

class VitestReader {
  readonly list = new CaseList();
  counts: TestCounts | null = null;
  readonly #message = new MessageLines();
  #failed: string | null = null;
  #part = '';
  /** Files and groups that could not be run, which vitest counts among its files only. */
  #suites = 0;

  take(line: string): void {
    const summary = SUMMARY.exec(line);
    const errors = ERRORS.exec(line);
    const fail = FAIL.exec(line);
    const test = TEST.exec(line);
    if (summary !== null || NONE.test(line)) this.#add(summary?.[1] ?? '');
    else if (errors !== null) this.#addErrors(Number(errors[1]));
    else if (fail !== null) this.#begin(fail[1] ?? '');
    else if (RULE.test(line)) this.#rule(line);
    else if (this.#failed !== null) this.#message.add(line);
    else if (test !== null) this.#addTest(line, test);
  }

  finish(): void {
    if (this.#failed === null) return;
    this.list.add({ ...named(this.#failed), status: 'failed', message: this.#message.take() });
    this.#failed = null;
  }

  #rule(line: string): void {
    this.finish();
    this.#part = PART.exec(line)?.[1] ?? this.#part;
  }

  #begin(name: string): void {
    this.finish();
    this.#failed = name;
    if (this.#part === 'Failed Suites') this.#suites += 1;
  }

  #add(summary: string): void {
    this.finish();
    this.counts = plus(this.counts ?? NO_TESTS, withFailures(countsIn(summary), this.#suites));
    this.#suites = 0;
    this.#part = '';
  }

  #addErrors(number: number): void {
    this.list.add({ name: 'an error outside of the tests', status: 'failed' });
    this.counts = withFailures(this.counts ?? NO_TESTS, number);
  }

  #addTest(line: string, [, name = '', milliseconds]: RegExpExecArray): void {
    const durationSeconds = milliseconds === undefined ? null : Number(milliseconds) / 1000;
    const status = /^ *[✓√]/.test(line) ? 'passed' : 'skipped';
    this.list.add({ ...named(name), durationSeconds, status });
  }
}

/** `file > group > test`; of a file that could not be run `file [ file ]`. */
function named(path: string): { suite: string; name: string } {
  const [file = '', ...names] = path.replace(/ \[ .* \]$/, '').split(' > ');
  return names.length === 0
    ? { suite: file, name: 'the file could not be run' }
    : { suite: file, name: names.join(' > ') };
}
