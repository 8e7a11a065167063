import { CaseList } from './case-list.ts';
import type { ParsedTests } from './format.ts';
import { linesOf, MessageLines } from './lines.ts';

const RESULT = /^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored;/;
const SUITE = /^ +(?:Running (?:unittests )?(\S+)|Doc-tests (\S+))/;
const TEST = /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)/;
const SECTION = /^---- (.+) stdout ----$/;

interface Found {
  suite: string;
  name: string;
  word: string;
}

/** `cargo test`: the sum over its test programs. */
export function parseCargo(text: string): ParsedTests | null {
  const counts = { total: 0, passed: 0, failed: 0, skipped: 0 };
  const list = new CaseList();
  let suite = '';
  let tests: Found[] = [];
  let messages = new Map<string, MessageLines>();
  let section: MessageLines | null = null;
  let seen = false;
  for (const line of linesOf(text)) {
    const result = RESULT.exec(line);
    const test = TEST.exec(line);
    const heading = SECTION.exec(line);
    if (result !== null) {
      seen = true;
      addResult(result, counts);
      addTests(tests, messages, list);
      [tests, messages, section] = [[], new Map<string, MessageLines>(), null];
    } else if (test !== null) tests.push({ suite, name: test[1] ?? '', word: test[2] ?? '' });
    else if (heading !== null) messages.set(heading[1] ?? '', (section = new MessageLines()));
    else if (line === 'failures:') section = null;
    else if (section !== null) section.add(line);
    else suite = suiteIn(line) ?? suite;
  }
  return seen ? { counts, cases: list.cases } : null;
}

function suiteIn(line: string): string | null {
  const found = SUITE.exec(line);
  return found?.[1] ?? (found?.[2] === undefined ? null : `doc-tests of ${found[2]}`);
}

function addResult(
  [, ...numbers]: RegExpExecArray,
  counts: { total: number; passed: number; failed: number; skipped: number },
): void {
  const [passed = 0, failed = 0, ignored = 0] = numbers.map(Number);
  counts.passed += passed;
  counts.failed += failed;
  counts.skipped += ignored;
  counts.total += passed + failed + ignored;
}

function addTests(tests: Found[], messages: Map<string, MessageLines>, list: CaseList): void {
  for (const { suite, name, word } of tests) {
    const status = word === 'ok' ? 'passed' : word === 'FAILED' ? 'failed' : 'skipped';
    list.add({ suite, name, status, message: messages.get(name)?.take() ?? null });
  }
}
