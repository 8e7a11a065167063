import { CaseList } from './case-list.ts';
import type { ParsedTests } from './format.ts';
import { linesOf, MessageLines } from './lines.ts';

const STATUSES = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' } as const;
type Word = keyof typeof STATUSES;
const isWord = (word: string | undefined): word is Word =>
  word !== undefined && Object.hasOwn(STATUSES, word);

/** Names the test that the lines after it belong to. */
const CURRENT = /^=== (RUN|CONT|NAME) +(\S+)/;
const TEST = /^ *--- (PASS|FAIL|SKIP): (\S+)(?: \(([\d.]+)s\))?/;
const PACKAGE = /^(ok {2}|FAIL|\? {3})\t(\S+)/;
const NO_TESTS = /\[no (?:test files|tests to run)\]/;

/** Most tests of a package whose output is kept. */
const MAX_MESSAGES = 10_000;

/**
 * `go test`. Without `-v` it names only what failed and does not say how many tests there were, so there are no
 * counts, except where there were none at all.
 */
export function parseGo(text: string): ParsedTests | null {
  const reader = new GoReader();
  for (const line of linesOf(text)) reader.take(line);
  reader.end();
  const { list, packages, empty, isVerbose } = reader;
  if (packages === 0 && list.counts.total === 0) return null;
  const isCounted = isVerbose || (packages > 0 && packages === empty);
  return { counts: isCounted ? list.counts : null, cases: list.cases };
}

class GoReader {
  readonly list = new CaseList();
  packages = 0;
  /** Packages in which no test was run. */
  empty = 0;
  isVerbose = false;
  #current = '';
  /** Tests of the package that have not ended; known under `-v` only. */
  readonly #begun = new Set<string>();
  #tests: { name: string; word: Word; seconds: number | null }[] = [];
  #messages = new Map<string, MessageLines>();

  take(line: string): void {
    const current = CURRENT.exec(line);
    const test = TEST.exec(line);
    const ended = PACKAGE.exec(line);
    if (current !== null) {
      this.isVerbose = true;
      this.#current = current[2] ?? '';
      if (current[1] === 'RUN' && this.#begun.size < MAX_MESSAGES) this.#begun.add(this.#current);
    } else if (isWord(test?.[1])) {
      this.#current = test?.[2] ?? '';
      this.#begun.delete(this.#current);
      this.#tests.push({ name: this.#current, word: test[1], seconds: test[3] ? Number(test[3]) : null });
    } else if (ended !== null) {
      this.packages += 1;
      if (NO_TESTS.test(line)) this.empty += 1;
      this.endPackage(ended[2] ?? '', ended[1] === 'FAIL');
    } else if (!/^(?:PASS|FAIL|exit status \d+)$/.test(line)) {
      this.#addMessage(line);
    }
  }

  /** What has not ended by now does not. */
  end(): void {
    this.endPackage('', this.#begun.size > 0);
  }

  /** A package is named after its tests; one that fails while none of them did is a failed case itself. */
  endPackage(suite: string, failed = false): void {
    for (const { name, word, seconds } of this.#tests) {
      const message = this.#messages.get(name)?.take() ?? null;
      this.list.add({ suite, name, status: STATUSES[word], durationSeconds: seconds, message });
    }
    const unended = failed ? [...this.#begun] : [];
    for (const name of unended) {
      const message = this.#messages.get(name)?.take() ?? 'It did not end.';
      this.list.add({ suite, name, status: 'failed', message });
    }
    if (failed && unended.length === 0 && !this.#tests.some(({ word }) => word === 'FAIL')) {
      const message = this.#messages.get('')?.take() ?? null;
      this.list.add({ suite, name: 'the package could not be tested', status: 'failed', message });
    }
    this.#tests = [];
    this.#begun.clear();
    this.#messages = new Map();
    this.#current = '';
  }

  #addMessage(line: string): void {
    const lines = this.#messages.get(this.#current) ?? new MessageLines();
    if (this.#messages.size < MAX_MESSAGES) this.#messages.set(this.#current, lines);
    lines.add(line);
  }
}
