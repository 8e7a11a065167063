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

const SUMMARY = /^Tests: +(.*\d+ total)$/;
const NONE = /^No tests found, exiting with code \d/;
const FILE = /^ ?(?:PASS|FAIL) +(\S+)/;
const FAILED = /^ {2}● (.+)$/;
const UNLOADED = 'Test suite failed to run';
const TEST = /^( +)([✓√○✎]) (.+?)(?: \((\d+(?:\.\d+)?) (m?s)\))?$/;

/** The summary of jest, and the cases that it names. Several runs are added up. */
export function parseJest(text: string): ParsedTests | null {
  const reader = new JestReader();
  let counts: TestCounts | null = null;
  for (const line of linesOf(text)) {
    const summary = SUMMARY.exec(line);
    if (summary !== null || NONE.test(line)) {
      reader.endOfRun();
      const found = withFailures(countsIn(summary?.[1] ?? ''), reader.takeUnloaded());
      counts = plus(counts ?? NO_TESTS, found);
    } else reader.take(line);
  }
  return counts === null ? null : { counts, cases: reader.list.cases };
}

class JestReader {
  readonly list = new CaseList();
  readonly #message = new MessageLines();
  #file = '';
  #failed: string | null = null;
  #unloaded = 0;
  /** jest repeats all failures below "Summary of all failing tests". */
  #isRepeated = false;

  take(line: string): void {
    if (line === 'Summary of all failing tests') this.#isRepeated = true;
    if (this.#isRepeated) return;
    const file = FILE.exec(line);
    const failed = FAILED.exec(line);
    const test = TEST.exec(line);
    if (file !== null || failed !== null || line.startsWith('Test Suites: ')) this.#finish();
    if (file !== null) this.#file = file[1] ?? '';
    else if (failed !== null) this.#failed = failed[1] ?? '';
    else if (this.#failed !== null) this.#message.add(line);
    else if (test !== null) this.#add(test);
  }

  /** How many files of the run could not be run: jest counts them among its suites only. */
  takeUnloaded(): number {
    const number = this.#unloaded;
    this.#unloaded = 0;
    return number;
  }

  endOfRun(): void {
    this.#finish();
    this.#isRepeated = false;
  }

  #finish(): void {
    if (this.#failed !== null) {
      const isFile = this.#failed === UNLOADED;
      if (isFile) this.#unloaded += 1;
      const name = isFile ? 'the file could not be run' : this.#failed.replaceAll(' › ', ' > ');
      this.list.add({ suite: this.#file, name, status: 'failed', message: this.#message.take() });
    }
    this.#failed = null;
  }

  #add([, , sign = '', name = '', number, unit]: RegExpExecArray): void {
    const isSkipped = sign === '○' || sign === '✎';
    this.list.add({
      suite: this.#file,
      name: isSkipped ? name.replace(/^(?:skipped|todo) /, '') : name,
      status: isSkipped ? 'skipped' : 'passed',
      durationSeconds: number === undefined ? null : Number(number) / (unit === 'ms' ? 1000 : 1),
    });
  }
}
