import type { TestCase } from '../../../src/domain/test-case.ts';
import { CaseList } from './case-list.ts';
import type { ParsedTests } from './format.ts';
import { linesOf } from './lines.ts';

/** The words of the summary that are tests; warnings, and tests that were deselected, are none. */
const WORDS: Readonly<Record<string, 'passed' | 'failed' | 'skipped'>> = {
  passed: 'passed',
  xpassed: 'passed',
  failed: 'failed',
  error: 'failed',
  errors: 'failed',
  skipped: 'skipped',
  xfailed: 'skipped',
};

const SUMMARY =
  /^(?:=+ )?((?:\d+ (?:passed|xpassed|failed|errors?|skipped|xfailed|deselected|warnings?|rerun|subtests passed)(?:, )?)+|no tests ran) in [\d.]+s\b/;
const VERBOSE = /^(\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b/;
const SHORT = /^(?:FAILED|ERROR) (.*?)(?: - (.*))?$/;

/** The summary line of pytest, and the cases that it names. Several runs are added up. */
export function parsePytest(text: string): ParsedTests | null {
  const counts = { total: 0, passed: 0, failed: 0, skipped: 0 };
  const cases = new Map<string, Pick<TestCase, 'status' | 'message'>>();
  let seen = false;
  for (const line of linesOf(text)) {
    const summary = SUMMARY.exec(line);
    if (summary !== null) {
      seen = true;
      addSummary(summary[1] ?? '', counts);
    } else addCase(line, cases);
  }
  if (!seen) return null;
  const list = new CaseList();
  for (const [id, { status, message }] of cases) {
    const [suite, ...names] = id.split('::');
    list.add({ suite: suite ?? '', name: names.join('::') || id, status, message });
  }
  return { counts, cases: list.cases };
}

function addSummary(
  summary: string,
  counts: { total: number; passed: number; failed: number; skipped: number },
): void {
  for (const [, number, word] of summary.matchAll(/(\d+) ([a-z]+)/g)) {
    const kind = WORDS[word ?? ''];
    if (kind === undefined) continue;
    counts[kind] += Number(number);
    counts.total += Number(number);
  }
}

function addCase(line: string, cases: Map<string, Pick<TestCase, 'status' | 'message'>>): void {
  const verbose = VERBOSE.exec(line);
  if (verbose !== null) {
    const word = verbose[2] ?? '';
    const failed = word === 'FAILED' || word === 'ERROR';
    const status = failed ? 'failed' : word === 'PASSED' || word === 'XPASS' ? 'passed' : 'skipped';
    cases.set(verbose[1] ?? '', { status, message: null });
    return;
  }
  const short = SHORT.exec(line);
  if (short !== null && /::|\.py\b/.test(short[1] ?? '')) {
    cases.set(short[1] ?? '', { status: 'failed', message: short[2] ?? null });
  }
}
