import type { TestCase } from '../../../src/domain/outcome.ts';
import { CaseList, linesOf, type ParsedTests } from './format.ts';

/** The words of the summary that are tests; warnings, tests that were deselected, and subtests that passed are none. */
const WORDS: Readonly<Record<string, 'passed' | 'failed' | 'skipped' | null>> = {
  passed: 'passed',
  xpassed: 'passed',
  failed: 'failed',
  error: 'failed',
  errors: 'failed',
  skipped: 'skipped',
  xfailed: 'skipped',
  deselected: null,
};

/** Plugins add words of their own. */
const SUMMARY = /^(?:=+ )?(\d+ [a-z][a-z ]*(?:, \d+ [a-z][a-z ]*)*|no tests ran) in [\d.]+s\b/;

/** How a case, or a part of one, ended. */
const ENDS = 'PASSED|PASS|FAILED|FAIL|ERROR|SKIPPED|SKIP|XFAILED|XFAIL|XPASSED|XPASS';
/** The message and the parameters of a subtest: `[first part] (i=1)`. */
const PART = String.raw`(?<part>(?:\[.*?\])? ?(?:\([^()]*=.*?\))?)`;

/** `test_a.py::test PASSED`, `test_a.py::test SUBFAILED[part] (i=1)`, and `[part] (i=1) SUBFAIL` of pytest-subtests. */
const VERBOSE: readonly RegExp[] = [
  new RegExp(`^(?<id>\\S+::.*?) (?<sub>SUB)?(?<end>${ENDS})${PART}(?: .*)?$`),
  new RegExp(`^(?<id>\\S+::.*?) ${PART} ?(?<sub>SUB)(?<end>${ENDS})\\b`),
];
/** With pytest-xdist. */
const DISTRIBUTED = new RegExp(
  `^\\[gw\\d+\\] \\[ *\\d+%\\] (?<sub>SUB)?(?<end>${ENDS})${PART} (?<id>\\S.*)$`,
);
/** A line of the short summary, also as pytest-subtests has it. */
const SHORT: readonly RegExp[] = [
  new RegExp(`^(?<sub>SUB)?(?<end>${ENDS})${PART} (?<rest>.*)$`),
  new RegExp(`^${PART} ?(?<sub>SUB)(?<end>${ENDS}) (?<rest>.*)$`),
];

interface PytestCase {
  status: TestCase['status'];
  message: string | null;
}

/** The summary line of pytest, and the cases that it names. Several runs are added up. */
export function parsePytest(text: string): ParsedTests | null {
  const counts = { total: 0, passed: 0, failed: 0, skipped: 0 };
  const cases = new CasesById();
  let seen = false;
  for (const line of linesOf(text)) {
    const summary = SUMMARY.exec(line);
    if (summary === null) cases.take(line);
    else seen = addSummary(summary[1] ?? '', counts) || seen;
  }
  return seen ? { counts, cases: cases.list().cases } : null;
}

/** False where none of its words is known. */
function addSummary(
  summary: string,
  counts: { total: number; passed: number; failed: number; skipped: number },
): boolean {
  let isKnown = summary === 'no tests ran';
  for (const part of summary.split(', ')) {
    const [, number, word = ''] = /^(\d+) ([a-z]+)$/.exec(part) ?? [];
    const kind = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (kind === undefined) continue;
    isKnown = true;
    if (kind === null) continue;
    counts[kind] += Number(number);
    counts.total += Number(number);
  }
  return isKnown;
}

/** The cases by their ids, each as the last line about it says. */
class CasesById {
  readonly #cases = new Map<string, PytestCase>();

  take(line: string): void {
    const verbose = firstMatch([...VERBOSE, DISTRIBUTED], line);
    if (verbose !== null) return this.#add(verbose['id'] ?? '', verbose, null);
    const short = firstMatch(SHORT, line);
    if (short === null) return;
    const [id, message] = this.#split(short['rest'] ?? '');
    if (/::|\.py\b/.test(id) && !id.startsWith('[')) this.#add(id, short, message);
  }

  #add(id: string, { sub, end = '', part = '' }: Groups, message: string | null): void {
    const status = statusOf(end);
    const name = sub === undefined ? id : `${id} ${part.trim()}`.trim();
    // Subtests that went well are not counted by pytest either.
    if (sub !== undefined && status !== 'failed') return;
    const before = this.#cases.get(name);
    if (before?.status === 'failed' && status !== 'failed') return;
    this.#cases.set(name, { status, message: message ?? before?.message ?? null });
    // pytest calls a test of unittest passed whose subtests failed.
    if (sub !== undefined && this.#cases.get(id)?.status === 'passed') this.#cases.delete(id);
  }

  /** The id and the message; ids may hold spaces and dashes inside of brackets. */
  #split(rest: string): [string, string | null] {
    for (let at = rest.indexOf(' - '); at !== -1; at = rest.indexOf(' - ', at + 1)) {
      const id = rest.slice(0, at);
      if (this.#cases.has(id) || isBalanced(id)) return [id, rest.slice(at + 3)];
    }
    return [rest, null];
  }

  list(): CaseList {
    const list = new CaseList();
    for (const [id, { status, message }] of this.#cases) {
      const [suite, ...names] = id.split('::');
      list.add({ suite: suite ?? '', name: names.join('::') || id, status, message });
    }
    return list;
  }
}

type Groups = Partial<Record<string, string>>;

function firstMatch(patterns: readonly RegExp[], line: string): Groups | null {
  for (const pattern of patterns) {
    const groups = pattern.exec(line)?.groups;
    if (groups !== undefined) return groups;
  }
  return null;
}

function statusOf(end: string): TestCase['status'] {
  if (end.startsWith('FAIL') || end === 'ERROR') return 'failed';
  return end.startsWith('PASS') || end.startsWith('XPASS') ? 'passed' : 'skipped';
}

const isBalanced = (id: string): boolean => id.split('[').length === id.split(']').length;
