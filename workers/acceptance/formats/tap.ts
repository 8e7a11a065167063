import { Parser } from 'tap-parser';
import { CaseList, fieldsOf, linesOf, type ParsedTests, textOf } from './format.ts';

/** What the parser says of one test point. */
interface Point {
  ok: boolean;
  name: string;
  skip: boolean | string;
  todo: boolean | string;
  /** Milliseconds. */
  time: number | null;
  diag: unknown;
  /** Whether it sums up the subtests before it. */
  closingTestPoint: boolean;
}

/** What it says of a whole stream, or of one of the groups in it. */
interface Results {
  count: number;
  bailout: boolean | string;
  /** Null where there was none. */
  plan: { start: number | null; end: number | null };
}

/**
 * TAP 13 and 14, of several programs too. Test points that only sum up their subtests are not cases of their own. A
 * plan that is not fulfilled is a failure, and so is none. Of more than 300,000 lines only these are read, and there are
 * no counts.
 * @param isWhole whether this is all that was printed; of a part no plan can be judged.
 */
export function parseTap(text: string, isWhole: boolean): ParsedTests | null {
  if (!/^(?:TAP version 1[34]$|(?:not )?ok\b|1\.\.\d|Bail out!)/m.test(text)) return null;
  // node:test counts a test that has subtests as well, and not its suites.
  const isNodeTest = /^# tests \d+$/m.test(text) && /^# suites \d+$/m.test(text);
  const found = tapStreams(text);
  const list = new CaseList();
  for (const stream of found.streams) {
    new StreamReader(list, { isNodeTest, isWhole: isWhole && found.isWhole }).read(stream);
  }
  return { counts: found.isWhole ? list.counts : null, cases: list.cases };
}

/** A stream without a version and without a plan: told from other output only by its numbers. */
export function parseBareTap(text: string, isWhole: boolean): ParsedTests | null {
  return /^TAP version |^1\.\.\d/m.test(text) ? null : parseTap(text, isWhole);
}

class StreamReader {
  readonly #list: CaseList;
  readonly #isNodeTest: boolean;
  readonly #isWhole: boolean;

  constructor(list: CaseList, { isNodeTest, isWhole }: { isNodeTest: boolean; isWhole: boolean }) {
    this.#list = list;
    this.#isNodeTest = isNodeTest;
    this.#isWhole = isWhole;
  }

  read({ name, text, hasPlan }: TapStream): void {
    const parser = new Parser();
    const path = name === '' ? [] : [name];
    this.#follow(parser, path);
    parser.on('bailout', (reason: string) =>
      this.#list.add({ suite: name, name: 'Bail out!', status: 'failed', message: reason }),
    );
    const noPlan = { start: null, end: null };
    parser.on('complete', (results: Results) =>
      this.#judgePlan(hasPlan ? results : { ...results, plan: noPlan }, path),
    );
    parser.end(text);
  }

  #follow(parser: Parser, path: string[]): { failed: number } {
    const seen = { failed: 0 };
    let group = { failed: 0 };
    parser.on('assert', (point: Point) => {
      const isCase = this.#isCase(point, group);
      if (isCase) this.#add(point, path);
      if (!point.ok) seen.failed += 1;
    });
    parser.on('child', (child: Parser) => {
      const inner = [...path, child.name];
      const own = this.#follow(child, inner);
      group = own;
      child.on('complete', (results: Results) => {
        // Of a group that failed its own words say why.
        if (own.failed === 0) this.#judgePlan(results, inner, own);
      });
    });
    return seen;
  }

  /** A group is one where it failed and nothing in it did. */
  #isCase(point: Point, group: { failed: number }): boolean {
    if (this.#isNodeTest) return fieldsOf(point.diag)['type'] !== 'suite';
    return !point.closingTestPoint || (!point.ok && group.failed === 0);
  }

  #add(point: Point, path: string[]): void {
    const isSkipped = point.skip !== false || point.todo !== false;
    this.#list.add({
      suite: path.join(' > '),
      name: point.name,
      status: isSkipped ? 'skipped' : point.ok ? 'passed' : 'failed',
      durationSeconds: point.time === null ? null : point.time / 1000,
      message: diagnosis(fieldsOf(point.diag)),
    });
  }

  #judgePlan({ count, bailout, plan }: Results, path: string[], group?: { failed: number }): void {
    if (!this.#isWhole || bailout !== false) return;
    const planned = plan.start === null || plan.end === null ? null : plan.end - plan.start + 1;
    if (planned === count) return;
    const message =
      planned === null
        ? 'It did not say how many tests there are, so some may not have been run.'
        : `${planned} planned, ${count} run.`;
    const name = planned === null ? 'no plan of its tests' : 'the plan of its tests';
    this.#list.add({ suite: path.join(' > '), name, status: 'failed', message });
    if (planned !== null) this.#list.count('failed', planned - count - 1);
    if (group !== undefined) group.failed += 1;
  }
}

function diagnosis(diag: Record<string, unknown>): string {
  const error = fieldsOf(diag['error']);
  const message = textOf(diag['error']) || textOf(error['message']) || textOf(diag['message']);
  const parts = [message, textOf(diag['at']) || textOf(diag['location']), textOf(diag['stack'])];
  return parts.filter((part) => part !== '').join('\n');
}

// Takes an output apart into the streams of TAP in it, one for each program that printed one.

/** Most lines that the parser gets: about a second of its time. */
const MAX_LINES = 300_000;

/** Most lines of one YAML block. */
const MAX_YAML_LINES = 100;

/** A line that TAP gives a meaning. */
const MEANS =
  /^\s*(?:TAP version \d|\d+\.\.\d|(?:not )?ok\b|Bail out!|\}\s*$|# (?:Subtest|tests|suites|pass|fail)\b)/;

/** What `prove -v` prints before the output of a program, and at its end when nothing was wrong. */
const PROVE = /^(\S.*?) \.{2,} *(?:skipped: (.*))?$/;
const PROVE_OK = 'ok';

const VERSION = /^TAP version 1[34]\s*$/;
const PLAN = /^1\.\.\d+/;
const FIRST = /^(?:not )?ok 1\b/;
const POINT = /^(?:not )?ok\b/;

export interface TapStream {
  /** The program, where that is known. */
  name: string;
  text: string;
  hasPlan: boolean;
}

export interface TapStreams {
  streams: TapStream[];
  /** False where there were more lines than the parser gets. */
  isWhole: boolean;
}

/**
 * What of a text is TAP; all the rest, which TAP allows between its lines, would only cost time. A stream ends where
 * another version or plan follows, or where the numbers begin again.
 */
export function tapStreams(text: string): TapStreams {
  const splitter = new Splitter(/^\S.*? \.{2,} *$/m.test(text) && /^Result: \w+$/m.test(text));
  for (const line of linesOf(text)) if (!splitter.take(line)) break;
  return splitter.end();
}

class Splitter {
  readonly #isProve: boolean;
  readonly #streams: TapStream[] = [];
  #name = '';
  #kept: string[] = [];
  #count = 0;
  #hasVersion = false;
  #hasPlan = false;
  #hasPoint = false;
  #yaml: { end: string; lines: number } | null = null;

  constructor(isProve: boolean) {
    this.#isProve = isProve;
  }

  /** False when no more are taken. */
  take(line: string): boolean {
    if (this.#count >= MAX_LINES) return false;
    if (this.#yaml !== null) this.#takeYaml(line, this.#yaml);
    else this.#takeLine(line);
    return true;
  }

  end(): TapStreams {
    this.#close();
    return { streams: this.#streams, isWhole: this.#count < MAX_LINES };
  }

  #takeYaml(line: string, yaml: { end: string; lines: number }): void {
    yaml.lines += 1;
    const isEnd = line.trimEnd() === yaml.end;
    if (isEnd || yaml.lines <= MAX_YAML_LINES) this.#keep(line);
    if (isEnd) this.#yaml = null;
  }

  #takeLine(line: string): void {
    const start = /^( +)---\s*$/.exec(line);
    const program = this.#isProve ? PROVE.exec(line) : null;
    if (start !== null && /^\s*(?:not )?ok\b/.test(this.#kept.at(-1) ?? '')) {
      this.#yaml = { end: `${start[1] ?? ''}...`, lines: 0 };
      this.#keep(line);
    } else if (program !== null) {
      this.#close();
      this.#name = program[1] ?? '';
      if (program[2] !== undefined) this.#takeTap(`1..0 # SKIP ${program[2]}`);
    } else if (MEANS.test(line) && !(this.#isProve && line === PROVE_OK)) this.#takeTap(line);
  }

  #takeTap(line: string): void {
    const isVersion = VERSION.test(line);
    const isPlan = PLAN.test(line);
    const beginsAnew =
      (isVersion && (this.#hasVersion || this.#hasPoint || this.#hasPlan)) ||
      (isPlan && this.#hasPlan) ||
      (FIRST.test(line) && this.#hasPoint);
    if (beginsAnew) this.#close();
    this.#hasVersion ||= isVersion;
    this.#hasPlan ||= isPlan;
    this.#hasPoint ||= POINT.test(line);
    this.#keep(line);
  }

  #keep(line: string): void {
    this.#kept.push(line);
    this.#count += 1;
  }

  #close(): void {
    if (this.#kept.length > 0) {
      const text = `${this.#kept.join('\n')}\n`;
      this.#streams.push({ name: this.#name, text, hasPlan: this.#hasPlan });
    }
    this.#kept = [];
    this.#name = '';
    this.#hasVersion = false;
    this.#hasPlan = false;
    this.#hasPoint = false;
  }
}
