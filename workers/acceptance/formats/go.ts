import { type Fields, isFields } from '../../../src/domain/json.ts';
import { CaseList, linesOf, MessageLines, numberOf, type ParsedTests, textOf } from './format.ts';

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

const STATUS_OF_ACTION = { pass: 'passed', fail: 'failed', skip: 'skipped' } as const;

const isEnd = (action: string): action is keyof typeof STATUS_OF_ACTION =>
  Object.hasOwn(STATUS_OF_ACTION, action);

/** Longest line that is an event; one of `go test` holds a line of output. */
const EVENT = 100_000;

const NOT_BUILT = /^FAIL\t(\S+) \[(?:build|setup) failed\]/;

/** Most tests whose output is kept at the same time. */
const MAX_OPEN = 10_000;

/**
 * `go test -json`: an event a line. A test that began and has no end, because of a panic or a time limit, has failed. A
 * package that fails while none of its tests did is a failed case itself.
 */
export function parseGoJson(text: string): ParsedTests | null {
  const events = new GoEvents();
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    if (text[start] === '{' && end - start <= EVENT) events.take(text.slice(start, end));
    else if (text.startsWith('FAIL\t', start))
      events.takeText(text.slice(start, Math.min(end, start + EVENT)));
    start = end + 1;
  }
  events.end();
  return events.seen ? { counts: events.list.counts, cases: events.list.cases } : null;
}

class GoEvents {
  readonly list = new CaseList();
  seen = false;
  readonly #output = new Map<string, MessageLines>();
  /** Tests that have not ended, by package. */
  readonly #begun = new Map<string, Set<string>>();
  readonly #failedPackages = new Set<string>();

  take(line: string): void {
    const event = eventIn(line);
    if (event === null) return;
    const key = `${textOf(event['Package'])}\n${textOf(event['Test'])}`;
    const action = textOf(event['Action']);
    if (isEnd(action)) {
      this.seen = true;
      this.#end(event, action, this.#output.get(key)?.take() ?? '');
      this.#output.delete(key);
    } else if (action === 'run') {
      this.#begin(event);
    } else if (action === 'output' && this.#output.size < MAX_OPEN) {
      const lines = this.#output.get(key) ?? new MessageLines();
      lines.add(textOf(event['Output']).trimEnd());
      this.#output.set(key, lines);
    }
  }

  /** What older versions print between the events of a package that can't be built. */
  takeText(line: string): void {
    const suite = NOT_BUILT.exec(line)?.[1];
    if (suite === undefined || this.#failedPackages.has(suite)) return;
    this.seen = true;
    this.#failedPackages.add(suite);
    this.list.add({ suite, name: 'the package could not be tested', status: 'failed' });
  }

  /** What has not ended by now does not. */
  end(): void {
    for (const suite of this.#begun.keys()) this.#endBegun(suite);
  }

  #begin(event: Fields): void {
    const suite = textOf(event['Package']);
    const tests = this.#begun.get(suite) ?? new Set();
    this.#begun.set(suite, tests.add(textOf(event['Test'])));
  }

  #endBegun(suite: string): void {
    const tests = this.#begun.get(suite) ?? [];
    this.#begun.delete(suite);
    for (const name of tests) {
      this.seen = true;
      this.#failedPackages.add(suite);
      const said = this.#output.get(`${suite}\n${name}`)?.take() ?? '';
      const message = ['It began and did not end.', said].filter((text) => text !== '').join('\n');
      this.list.add({ suite, name, status: 'failed', message });
    }
  }

  #end(event: Fields, action: keyof typeof STATUS_OF_ACTION, message: string): void {
    const suite = textOf(event['Package']);
    const name = textOf(event['Test']);
    if (name === '') this.#endBegun(suite);
    if (name !== '') {
      this.#begun.get(suite)?.delete(name);
      if (action === 'fail') this.#failedPackages.add(suite);
      const durationSeconds = numberOf(event['Elapsed']);
      this.list.add({ suite, name, status: STATUS_OF_ACTION[action], durationSeconds, message });
    } else if (action === 'fail' && !this.#failedPackages.has(suite)) {
      this.list.add({ suite, name: 'the package could not be tested', status: 'failed', message });
    }
  }
}

function eventIn(line: string): Fields | null {
  try {
    const event: unknown = JSON.parse(line);
    return isFields(event) ? event : null;
  } catch {
    // A line of something else between the events.
    return null;
  }
}
