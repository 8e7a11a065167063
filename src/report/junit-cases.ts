/** The single tests that an acceptance test ran, as a JUnit suite of their own. */
import type { AgentResult } from '../domain/agent-result.ts';
import type { TestResult } from '../domain/outcome.ts';
import type { TestCase } from '../domain/test-case.ts';
import { oneLine } from '../support/printable.ts';
import { excerpt } from './excerpt.ts';

/** An element: its attributes begin with `@`. */
export interface Element {
  [name: string]: string | Element | Element[];
}

/** Longest name and message, in characters. */
export const LINE = 500;

/** Most cases of one document that did not fail; one with all of a hundred thousand workstreams is never read. */
const MAX_OTHERS = 20_000;

/** What suites add to the totals of their document. */
export interface SuiteCounts {
  tests: number;
  failures: number;
  skipped: number;
}

/** Makes the suites of one document. Every failed case that is kept is in it, and others up to 20,000. */
export class CaseSuites {
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
