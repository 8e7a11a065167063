import { CaseList } from './case-list.ts';
import type { ParsedTests } from './format.ts';
import { type Fields, isFields, numberOf, textOf } from './value.ts';
import { MessageLines } from './lines.ts';

const STATUSES = { pass: 'passed', fail: 'failed', skip: 'skipped' } as const;

const isEnd = (action: string): action is keyof typeof STATUSES => Object.hasOwn(STATUSES, action);

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

  #end(event: Fields, action: keyof typeof STATUSES, message: string): void {
    const suite = textOf(event['Package']);
    const name = textOf(event['Test']);
    if (name === '') this.#endBegun(suite);
    if (name !== '') {
      this.#begun.get(suite)?.delete(name);
      if (action === 'fail') this.#failedPackages.add(suite);
      const durationSeconds = numberOf(event['Elapsed']);
      this.list.add({ suite, name, status: STATUSES[action], durationSeconds, message });
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
