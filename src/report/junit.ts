import { XMLBuilder } from 'fast-xml-parser';
import type { AgentResult } from '../domain/agent-result.ts';
import type { TestCase, TestResult } from '../domain/outcome.ts';
import type { RunSummary } from '../domain/run-record.ts';
import { plural } from '../text/format.ts';
import { oneLine, printable } from '../text/printable.ts';
import { excerpt, parse } from './cells.ts';
import type { FailurePattern } from './document.ts';

/** Most characters of a failure's context in one test case. */
const CONTEXT = 8000;

const builder = new XMLBuilder({
  attributeNamePrefix: '@',
  ignoreAttributes: false,
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
  format: true,
});

/**
 * A run as JUnit XML: one suite, one test case a workstream, and after each one its acceptance tests. A workstream
 * without a duration has time 0, as JUnit knows nothing else. Where an acceptance test says which tests it ran, these
 * are a suite of their own.
 */
export function junitReport(
  run: RunSummary,
  workstreams: Iterable<AgentResult>,
  patterns: ReadonlyMap<string, FailurePattern>,
): string {
  const counts = { tests: 0, failures: 0, skipped: 0, seconds: 0 };
  const cases: Element[] = [];
  const inner = new CaseSuites();
  for (const result of workstreams) {
    counts.tests += 1;
    counts.seconds += result.durationSeconds ?? 0;
    if (result.status === 'failed' || breaksTests(result)) counts.failures += 1;
    if (result.status === 'skipped') counts.skipped += 1;
    cases.push(workstreamCase(result, patterns.get(result.workstreamId) ?? null));
    for (const test of result.testResults.tests) {
      if (test.status === 'manual') continue;
      counts.tests += 1;
      if (test.status === 'failed') counts[test.blocking ? 'failures' : 'skipped'] += 1;
      cases.push(testCase(result, test));
      inner.add(result, test);
    }
  }
  const time = (run.executionSummary?.speed.wallSeconds ?? counts.seconds).toFixed(3);
  const totals = totalsOf(run, counts, time);
  const started = parse(run.createdAt);
  const suite =
    started === null ? totals : { ...totals, '@timestamp': new Date(started).toISOString().slice(0, 19) };
  const all = {
    tests: counts.tests + inner.counts.tests,
    failures: counts.failures + inner.counts.failures,
    skipped: counts.skipped + inner.counts.skipped,
  };
  const own: Element = { ...suite, testcase: cases };
  const suites = { ...totalsOf(run, all, time), testsuite: [own, ...inner.suites] };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ testsuites: suites })}`;
}

function totalsOf(run: RunSummary, counts: SuiteCounts, time: string): Element {
  return {
    '@name': printable(run.runId),
    '@tests': String(counts.tests),
    '@failures': String(counts.failures),
    '@errors': '0',
    '@skipped': String(counts.skipped),
    '@time': time,
  };
}

function workstreamCase(result: AgentResult, pattern: FailurePattern | null): Element {
  const element: Element = {
    '@name': oneLine(result.workstreamId, LINE),
    '@classname': oneLine(result.metadata.kind ?? 'workstream', LINE),
    '@time': (result.durationSeconds ?? 0).toFixed(3),
  };
  const message = oneLine(result.explanation ?? result.reason ?? result.status, LINE);
  if (result.status === 'skipped') element['skipped'] = { '@message': message };
  if (result.status === 'failed') {
    element['failure'] = {
      '@message': message,
      '@type': typeOf(result, pattern),
      '#text': context(result),
    };
  }
  if (breaksTests(result)) {
    const { detail = '', logFile = null } = result.metadata.merge ?? {};
    const text = [detail, ...(logFile === null ? [] : [`Whole output: ${logFile}`])].join('\n\n');
    element['failure'] = {
      '@message': oneLine(detail, LINE),
      '@type': 'breaks-tests',
      '#text': excerpt(text, CONTEXT, 'start'),
    };
  }
  const notes = manualNotes(result);
  if (notes !== '') element['system-out'] = notes;
  return element;
}

/** Work that passed by itself and makes a test of what is merged fail: for JUnit, which knows no third state, a failure. */
const breaksTests = ({ status, metadata }: AgentResult): boolean =>
  status === 'completed' && metadata.merge?.status === 'breaks-tests';

/**
 * Readers group failures by their type: the reason, the id of the pattern and its template, as in
 * "exit-non-zero p-1a2b3c4d: Cannot find module <*>"; the reason alone where an error has no pattern.
 */
function typeOf({ reason }: AgentResult, pattern: FailurePattern | null): string {
  const why = reason ?? 'failed';
  return oneLine(pattern === null ? why : `${why} ${pattern.id}: ${pattern.template}`, LINE);
}

function testCase(result: AgentResult, test: TestResult): Element {
  const element: Element = {
    '@name': oneLine(test.name, LINE),
    '@classname': oneLine(result.workstreamId, LINE),
    '@time': (test.durationSeconds ?? 0).toFixed(3),
  };
  if (test.status === 'failed' && !test.blocking) {
    // JUnit knows no warning, and this one let the workstream complete.
    element['skipped'] = { '@message': oneLine(`It failed and does not block: ${test.detail}`, LINE) };
  } else if (test.status === 'failed') {
    element['failure'] = {
      '@message': oneLine(test.detail || 'failed', LINE),
      '@type': 'acceptance-failed',
      '#text': excerpt(test.detail, CONTEXT, 'start'),
    };
  }
  return element;
}

function context(result: AgentResult): string {
  const { tail } = result.metadata;
  const parts = [
    `${result.agentId}, ${plural(result.attempts, 'attempt')}, ${result.metadata.file}`,
    result.explanation === null ? '' : excerpt(result.explanation, CONTEXT, 'start'),
    result.stack === null ? '' : excerpt(result.stack, CONTEXT, 'start'),
    tail === null ? '' : `Last output:\n${excerpt(tail, CONTEXT, 'end')}`,
    result.logFile === null ? '' : `Whole output: ${result.logFile}`,
  ];
  return printable(parts.filter((part) => part !== '').join('\n\n'));
}

/** Manual checks are no test cases: nothing ran them, so they count neither as passed nor as skipped. */
function manualNotes(result: AgentResult): string {
  const manual = result.testResults.tests.filter((test) => test.status === 'manual');
  return manual
    .map(({ name, detail }) => `Manual check: ${oneLine(detail === '' ? name : `${name}: ${detail}`, LINE)}`)
    .join('\n');
}

// The single tests that an acceptance test ran, as a JUnit suite of their own.

/** An element: its attributes begin with `@`. */
interface Element {
  [name: string]: string | Element | Element[];
}

/** Longest name and message, in characters. */
const LINE = 500;

/** Most cases of one document that did not fail; one with all of a hundred thousand workstreams is never read. */
const MAX_OTHERS = 20_000;

/** What suites add to the totals of their document. */
interface SuiteCounts {
  tests: number;
  failures: number;
  skipped: number;
}

/** Makes the suites of one document. Every failed case that is kept is in it, and others up to 20,000. */
class CaseSuites {
  readonly suites: Element[] = [];
  readonly counts: SuiteCounts = { tests: 0, failures: 0, skipped: 0 };
  #others = 0;

  add(result: AgentResult, test: TestResult): void {
    const cases = test.cases.filter(({ status }) => {
      if (status !== 'failed') this.#others += 1;
      return status === 'failed' || this.#others <= MAX_OTHERS;
    });
    if (cases.length === 0) return;
    const count = (status: TestCase['status']): number => cases.filter((one) => one.status === status).length;
    const counts = { tests: cases.length, failures: count('failed'), skipped: count('skipped') };
    const seconds = cases.reduce((sum, { durationSeconds }) => sum + (durationSeconds ?? 0), 0);
    this.counts.tests += counts.tests;
    this.counts.failures += counts.failures;
    this.counts.skipped += counts.skipped;
    this.suites.push({
      '@name': oneLine(`${result.workstreamId}: ${test.name}`, LINE),
      '@tests': String(counts.tests),
      '@failures': String(counts.failures),
      '@errors': '0',
      '@skipped': String(counts.skipped),
      '@time': seconds.toFixed(3),
      testcase: cases.map((one) => caseElement(result.workstreamId, one)),
    });
  }
}

function caseElement(workstreamId: string, one: TestCase): Element {
  const element: Element = {
    '@name': oneLine(one.name, LINE) || '–',
    '@classname': oneLine(one.suite === '' ? workstreamId : `${workstreamId}.${one.suite}`, LINE),
    '@time': (one.durationSeconds ?? 0).toFixed(3),
  };
  if (one.status === 'skipped') element['skipped'] = '';
  if (one.status === 'failed') {
    const message = one.message ?? 'failed';
    element['failure'] = {
      '@message': oneLine(message, LINE),
      '@type': 'failed',
      '#text': excerpt(message, 2000, 'start'),
    };
  }
  return element;
}
