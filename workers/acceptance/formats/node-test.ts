import { CaseList, linesOf, MessageLines, type ParsedTests } from './format.ts';

const FIGURE = /^ℹ (tests|pass|fail|cancelled|skipped|todo) (\d+)$/;
const GROUP = /^( *)▶ (.+?)(?: \([\d.]+ms\))?$/;
const TEST = /^( *)([✔✖﹣⚠]) (.+?)(?: \(([\d.]+)ms\))?( # .*)?$/;

const FAILURES = '✖ failing tests:';

/** What is still open: its name, and where its tests are indented. */
interface Group {
  indent: number;
  name: string;
}

/** The spec reporter of node:test, which is what `node --test` prints on a terminal. Several runs are added up. */
export function parseNodeTest(text: string): ParsedTests | null {
  const figures = new Map<string, number>();
  const reader = new SpecReader();
  for (const line of linesOf(text)) {
    const figure = FIGURE.exec(line);
    if (figure === null) reader.take(line);
    else {
      const [, name = '', value] = figure;
      figures.set(name, (figures.get(name) ?? 0) + Number(value));
      reader.summary();
    }
  }
  if (!figures.has('tests')) return null;
  const of = (name: string): number => figures.get(name) ?? 0;
  const failed = of('fail') + of('cancelled');
  const skipped = of('skipped') + of('todo');
  reader.finish();
  return {
    counts: { total: of('pass') + failed + skipped, passed: of('pass'), failed, skipped },
    cases: reader.list.cases,
  };
}

class SpecReader {
  readonly list = new CaseList();
  readonly #groups: Group[] = [];
  readonly #message = new MessageLines();
  #failed: { suite: string; name: string; durationSeconds: number | null } | null = null;
  /** The section below the figures, while it is read. */
  #failures: FailureList | null = null;

  take(line: string): void {
    if (line === FAILURES) {
      this.#failures = new FailureList(this.list);
    } else if (this.#failures === null || !this.#failures.take(line)) {
      this.#endFailures();
      this.#takeResult(line);
    }
  }

  #takeResult(line: string): void {
    const group = GROUP.exec(line);
    const test = TEST.exec(line);
    if (group !== null) this.#openOrClose(group[1]?.length ?? 0, group[2] ?? '');
    else if (test !== null) this.#addTest(test);
    else this.#message.add(line);
  }

  summary(): void {
    this.finish();
  }

  finish(): void {
    this.#endFailures();
    if (this.#failed !== null) {
      this.list.add({ ...this.#failed, status: 'failed', message: this.#message.take() });
    }
    this.#failed = null;
    this.#message.take();
  }

  #endFailures(): void {
    this.#failures?.end();
    this.#failures = null;
  }

  /** Older versions end a group with a second line like its first. */
  #openOrClose(indent: number, name: string): void {
    this.finish();
    if (!this.#close(indent, name)) this.#groups.push({ indent, name });
  }

  #close(indent: number, name: string): boolean {
    const last = this.#groups.at(-1);
    if (last === undefined || last.indent !== indent || last.name !== name) return false;
    this.#groups.pop();
    return true;
  }

  #addTest([, indent = '', sign, name = '', milliseconds, note = '']: RegExpExecArray): void {
    this.finish();
    if (this.#close(indent.length, name)) return;
    const suite = this.#groups.map((group) => group.name).join(' > ');
    const durationSeconds = milliseconds === undefined ? null : Number(milliseconds) / 1000;
    const isSkipped =
      sign === '﹣' || sign === '⚠' || note.startsWith(' # TODO') || note.startsWith(' # SKIP');
    if (sign === '✖' && !isSkipped) this.#failed = { suite, name, durationSeconds };
    else this.list.add({ suite, name, durationSeconds, status: isSkipped ? 'skipped' : 'passed' });
  }
}

/**
 * The list of failures below the figures. Up to version 22 it repeats what is above them; since then it alone says
 * why a test failed.
 */
class FailureList {
  readonly #list: CaseList;
  readonly #message = new MessageLines();
  #name: string | null = null;
  #isAnnounced = false;

  constructor(list: CaseList) {
    this.#list = list;
  }

  /** False for a line that is not of the list, because the next run begins with it. */
  take(line: string): boolean {
    if (line.startsWith('test at ')) {
      this.end();
      this.#isAnnounced = true;
      return true;
    }
    if (!/^[▶✔✖﹣⚠] /.test(line)) {
      this.#message.add(line);
      return true;
    }
    if (!this.#isAnnounced) return false;
    this.#isAnnounced = false;
    this.#name = TEST.exec(line)?.[3] ?? null;
    return true;
  }

  end(): void {
    const message = this.#message.take();
    if (this.#name !== null) this.#list.explain(this.#name, message);
    this.#name = null;
  }
}
