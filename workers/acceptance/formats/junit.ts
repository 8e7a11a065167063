import { XMLParser } from 'fast-xml-parser';
import { type Fields, isFields } from '../../../src/domain/json.ts';
import type { TestCase, TestCounts } from '../../../src/domain/outcome.ts';
import { CaseList, fieldsOf, listOf, NO_TESTS, numberOf, type ParsedTests, plus, textOf } from './format.ts';

/** A suite of a hundred thousand cases has some three hundred thousand. */
const MAX_TAGS = 1_000_000;

const LISTS = new Set(['testsuites', 'testsuite', 'testcase', 'failure', 'error', 'skipped']);

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseAttributeValue: false,
  parseTagValue: false,
  htmlEntities: true,
  isArray: (name) => LISTS.has(name),
});

/**
 * JUnit XML, from its first `<testsuite` to the last that is closed. One that was cut off is not read: the tests that
 * are missing may be those that failed. Neither is a document with a DOCTYPE, which no tool writes and by which an
 * entity could expand without limit, nor one with more than a million tags.
 */
export function parseJunit(text: string): ParsedTests | null {
  const start = text.search(/<testsuites?[\s/>]/);
  if (start === -1 || /<!(?:DOCTYPE|ENTITY)/i.test(text) || hasTooManyTags(text)) return null;
  const end = endOf(text, start);
  if (end === null) return null;
  const root = fieldsOf(parser.parse(text.slice(start, end)));
  const list = new CaseList();
  const suites = [...listOf(root['testsuites']), ...listOf(root['testsuite'])];
  const counts = suites.reduce<TestCounts>(
    (sum, suite) => plus(sum, addSuite(fieldsOf(suite), '', list)),
    NO_TESTS,
  );
  return { counts, cases: list.cases };
}

/** The end of the last suite; null where one that was opened is not closed. One pass over the text. */
function endOf(text: string, start: number): number | null {
  const tags = /<\/?testsuites?(?=[\s/>])/g;
  tags.lastIndex = start;
  let open = 0;
  let end: number | null = null;
  for (let tag = tags.exec(text); tag !== null; tag = tags.exec(text)) {
    const last = endOfTag(text, tags.lastIndex);
    if (last === null) return null;
    if (tag[0].startsWith('</')) open -= 1;
    else if (text[last - 1] !== '/') open += 1;
    tags.lastIndex = last + 1;
    if (open === 0) end = last + 1;
  }
  return open === 0 ? end : null;
}

/** The position of its `>`; one in quotes is part of a value. */
function endOfTag(text: string, from: number): number | null {
  let quote: string | null = null;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (quote !== null) quote = character === quote ? null : quote;
    else if (character === '>') return at;
    else if (character === '"' || character === "'") quote = character;
  }
  return null;
}

function hasTooManyTags(text: string): boolean {
  let tags = 0;
  for (let at = text.indexOf('<'); at !== -1 && tags <= MAX_TAGS; at = text.indexOf('<', at + 1)) tags += 1;
  return tags > MAX_TAGS;
}

/** Adds the cases of a suite and of those in it. Returns their counts, reconciled with its attributes. */
function addSuite(suite: Fields, name: string, list: CaseList): TestCounts {
  let counts = NO_TESTS;
  for (const test of listOf(suite['testcase'])) {
    counts = plus(counts, one(addCase(fieldsOf(test), name, list)));
  }
  // What goes wrong outside of its cases is a failure of the suite.
  for (const problem of problemsOf(suite)) {
    list.add({
      suite: name,
      name: 'the suite could not be run',
      status: 'failed',
      message: problemText(problem),
    });
    counts = plus(counts, one('failed'));
  }
  for (const inner of listOf(suite['testsuite'])) {
    const fields = fieldsOf(inner);
    counts = plus(counts, addSuite(fields, textOf(fields['@name']) || name, list));
  }
  return reconciled(counts, declaredFigures(suite));
}

const one = (status: TestCase['status']): TestCounts => ({ ...NO_TESTS, total: 1, [status]: 1 });

const problemsOf = (element: Fields): unknown[] => [
  ...listOf(element['failure']),
  ...listOf(element['error']),
];

/** What `status` and `result` say of a test that was not run; others have an element for that. */
const NOT_RUN = new Set(['notrun', 'skipped', 'disabled', 'suppressed', 'ignored', 'pending', 'todo']);
const FAILED = new Set(['fail', 'failed', 'failure', 'error']);

function addCase(test: Fields, suite: string, list: CaseList): TestCase['status'] {
  const [problem] = problemsOf(test);
  const status = statusOf(test, problem !== undefined);
  list.add({
    suite: suiteOf(textOf(test['@classname']), suite),
    name: textOf(test['@name']),
    status,
    durationSeconds: numberOf(test['@time']),
    message: problem === undefined ? null : problemText(problem),
  });
  return status;
}

/** A test that is still to be done may fail. One that failed at first and passed when it was run again has passed. */
function statusOf(test: Fields, hasFailed: boolean): TestCase['status'] {
  const skipped = listOf(test['skipped']);
  if (skipped.some((each) => fieldsOf(each)['@type'] === 'todo')) return 'skipped';
  const words = [textOf(test['@status']), textOf(test['@result'])].map((word) => word.toLowerCase());
  if (hasFailed || words.some((word) => FAILED.has(word))) return 'failed';
  const isSkipped = skipped.length > 0 || test['disabled'] !== undefined;
  return isSkipped || words.some((word) => NOT_RUN.has(word)) ? 'skipped' : 'passed';
}

/** The class, which most tools fill with file or group; that of node:test only ever says "test". */
function suiteOf(className: string, suite: string): string {
  return className === '' || className === 'test' ? suite : className;
}

/** The message, and the text below it unless it begins with the same words. */
function problemText(problem: unknown): string {
  if (!isFields(problem)) return textOf(problem);
  const message = textOf(problem['@message']).trim();
  const body = textOf(problem['#text']).trim();
  return body.includes(message) ? body : `${message}\n${body}`;
}

// The figures that a suite of JUnit XML has in its attributes, beside its cases.

/** Null where it has none, or such as no suite has. */
export function declaredFigures(suite: Fields): TestCounts | null {
  const of = (...names: string[]): number =>
    names.reduce((sum, name) => sum + Math.max(0, Math.trunc(numberOf(suite[`@${name}`]) ?? 0)), 0);
  const total = of('tests');
  const failed = of('failures', 'errors');
  const skipped = of('skipped', 'disabled', 'ignored');
  const passed = total - failed - skipped;
  return total > 0 && Number.isSafeInteger(total) && passed >= 0 ? { total, passed, failed, skipped } : null;
}

/**
 * Where the attributes and the cases contradict each other, the less favourable of both: as many failed and skipped as
 * either says, and no more passed. Some tools leave out the cases that were skipped, or count failures that are no
 * cases, such as those of subtests.
 */
export function reconciled(cases: TestCounts, declared: TestCounts | null): TestCounts {
  if (declared === null) return cases;
  const failed = Math.max(cases.failed, declared.failed);
  const skipped = Math.max(cases.skipped, declared.skipped);
  const passed = Math.min(cases.passed, declared.passed);
  return { total: passed + failed + skipped, passed, failed, skipped };
}
