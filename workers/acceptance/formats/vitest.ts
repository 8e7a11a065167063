import type { TestCounts } from '../../../src/domain/test-case.ts';
import { CaseList } from './case-list.ts';
import type { ParsedTests } from './format.ts';
import { linesOf, MessageLines } from './lines.ts';
import { countsIn, NO_TESTS, plus } from './summary-line.ts';

const SUMMARY = /^ +Tests +(\d+ .*|no tests)/;
const NONE = /^No test files found, exiting with code \d/;
const FAIL = /^ *FAIL +(.+)$/;
/** The verbose reporter names each test with its file. */
const TEST = /^ *[✓√↓□] (\S+ > .+?)(?: (\d+)ms)?$/;
const RULE = /^ *⎯{3,}/;

/** The summary of vitest, and the cases that it names. Several runs are added up. */
export function parseVitest(text: string): ParsedTests | null {
  const list = new CaseList();
  const message = new MessageLines();
  let counts: TestCounts | null = null;
  let failed: string | null = null;
  const finish = (): void => {
    if (failed !== null) list.add({ ...named(failed), status: 'failed', message: message.take() });
    failed = null;
  };
  for (const line of linesOf(text)) {
    const summary = SUMMARY.exec(line);
    const fail = FAIL.exec(line);
    const test = TEST.exec(line);
    if (summary !== null || NONE.test(line)) counts = plus(counts ?? NO_TESTS, countsIn(summary?.[1] ?? ''));
    else if (fail !== null) {
      finish();
      failed = fail[1] ?? '';
    } else if (RULE.test(line)) finish();
    else if (failed !== null) message.add(line);
    else if (test !== null) {
      const durationSeconds = test[2] === undefined ? null : Number(test[2]) / 1000;
      list.add({
        ...named(test[1] ?? ''),
        durationSeconds,
        status: /^ *[✓√]/.test(line) ? 'passed' : 'skipped',
      });
    }
  }
  finish();
  return counts === null ? null : { counts, cases: list.cases };
}

/** `file > group > test` */
function named(path: string): { suite: string; name: string } {
  const [file = '', ...names] = path.split(' > ');
  return names.length === 0
    ? { suite: file, name: 'the file could not be run' }
    : { suite: file, name: names.join(' > ') };
}
