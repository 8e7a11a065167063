import type { TestCase } from '../../../src/domain/outcome.ts';
import { CaseList, linesOf, MessageLines, type ParsedTests } from './format.ts';

const RESULT = /^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored;(?: (\d+) measured;)?/;
const RUNNING = /^running \d+ tests?$/;
const SUITE = /^ +(?:Running (?:unittests )?(\S+)|Doc-tests (\S+))/;
const TEST = /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored|bench:)/;
const SECTION = /^---- (.+) stdout ----$/;

interface CargoTestLine {
  suite: string;
  name: string;
  word: string;
}

/** `cargo test` and `cargo bench`: the sum over its test programs. One that died before its summary is a failed case. */
export function parseCargo(text: string): ParsedTests | null {
  const reader = new CargoReader();
  for (const line of linesOf(text)) reader.take(line);
  reader.endProgram();
  return reader.seen ? { counts: reader.counts, cases: reader.list.cases } : null;
}

class CargoReader {
  readonly list = new CaseList();
  readonly counts = { total: 0, passed: 0, failed: 0, skipped: 0 };
  seen = false;
  #suite = '';
  #isRunning = false;
  #tests: CargoTestLine[] = [];
  #messages = new Map<string, MessageLines>();
  #section: MessageLines | null = null;

  take(line: string): void {
    const result = RESULT.exec(line);
    const test = TEST.exec(line);
    const heading = SECTION.exec(line);
    const suite = suiteIn(line);
    if (result !== null) this.#endWith(result);
    else if (test !== null)
      this.#tests.push({ suite: this.#suite, name: test[1] ?? '', word: test[2] ?? '' });
    else if (heading !== null) this.#messages.set(heading[1] ?? '', (this.#section = new MessageLines()));
    else if (line === 'failures:') this.#section = null;
    else if (this.#section !== null) this.#section.add(line);
    else if (RUNNING.test(line)) {
      this.endProgram();
      this.#isRunning = this.#suite !== '';
    } else if (suite !== null) {
      this.endProgram();
      this.#suite = suite;
    }
  }

  /** Where its summary has not come by now it never will. */
  endProgram(): void {
    if (!this.#isRunning) return;
    this.seen = true;
    this.#addTests();
    this.list.add({ suite: this.#suite, name: 'the test program ended before its tests', status: 'failed' });
    for (const { word } of this.#tests) this.#count(statusOf(word), 1);
    this.#count('failed', 1);
    this.#forget();
  }

  #endWith([, ...numbers]: RegExpExecArray): void {
    const [passed = 0, failed = 0, ignored = 0, measured = 0] = numbers.map((number) => Number(number ?? 0));
    this.seen = true;
    this.#count('passed', passed + measured);
    this.#count('failed', failed);
    this.#count('skipped', ignored);
    this.#addTests();
    this.#forget();
  }

  #count(status: TestCase['status'], number: number): void {
    this.counts[status] += number;
    this.counts.total += number;
  }

  /** With `-q` only the failed ones are named, above what they printed. */
  #addTests(): void {
    const named = new Set(this.#tests.map(({ name }) => name));
    for (const { suite, name, word } of this.#tests) {
      this.list.add({
        suite,
        name,
        status: statusOf(word),
        message: this.#messages.get(name)?.take() ?? null,
      });
    }
    for (const [name, message] of this.#messages) {
      if (!named.has(name))
        this.list.add({ suite: this.#suite, name, status: 'failed', message: message.take() });
    }
  }

  #forget(): void {
    this.#isRunning = false;
    this.#tests = [];
    this.#messages = new Map();
    this.#section = null;
  }
}

function statusOf(word: string): TestCase['status'] {
  if (word === 'FAILED') return 'failed';
  return word === 'ignored' ? 'skipped' : 'passed';
}

function suiteIn(line: string): string | null {
  const found = SUITE.exec(line);
  return found?.[1] ?? (found?.[2] === undefined ? null : `doc-tests of ${found[2]}`);
}
