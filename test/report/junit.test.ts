import * as fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { RunSummary } from '../../src/domain/run-record.ts';
import { junitReport as report } from '../../src/report/junit.ts';
import { anyText } from '../kit/any-text.ts';
import { agentResult, runSummary } from '../kit/consolidated-result.ts';
import { testResult } from '../kit/definitions.ts';

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseAttributeValue: false,
  parseTagValue: false,
  isArray: (name) => name === 'testcase',
});

/** Of failures without patterns. */
const junitReport = (run: RunSummary, workstreams: AgentResult[]): string =>
  report(run, workstreams, new Map());

function suite(xml: string): Record<string, unknown> & { testcase?: Record<string, unknown>[] } {
  expect(XMLValidator.validate(xml)).toBe(true);
  return parser.parse(xml).testsuites.testsuite;
}

function failed(changes: Partial<AgentResult> = {}): AgentResult {
  const base = agentResult();
  return agentResult({
    workstreamId: 'ws-codec',
    agentId: 'agent-2',
    status: 'failed',
    reason: 'exit-non-zero',
    explanation: '`npm test` ended with exit code 1.',
    durationSeconds: 3.7,
    attempts: 2,
    logFile: '.state/logs/ws-codec-2.log',
    stack: null,
    metadata: { ...base.metadata, kind: 'codec', file: 'workstreams/codec.json', tail: 'not ok\n' },
    ...changes,
  });
}

test('one suite, one case a workstream, its acceptance tests after it', () => {
  const skipped = agentResult({
    workstreamId: 'ws-publish',
    agentId: 'coordinator',
    status: 'skipped',
    reason: 'dependency-failed',
    explanation: 'It needs "ws-codec", which failed.',
    startTime: null,
    endTime: null,
    durationSeconds: null,
  });
  const tested = agentResult({
    testResults: {
      total: 2,
      passed: 1,
      failed: 1,
      manual: 1,
      cases: null,
      tests: [
        testResult('npm test', 'passed', { durationSeconds: 1.5 }),
        testResult('npm run e2e', 'failed', { durationSeconds: 2, detail: '3 of 9 failed' }),
        testResult('It looks right', 'manual'),
      ],
    },
  });
  const xml = junitReport(runSummary(), [tested, failed(), skipped]);
  expect(
    xml.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="ma-run-20260714-093000"'),
  ).toBe(true);
  const { testcase: cases, ...attributes } = suite(xml);
  expect(attributes).toEqual({
    '@name': 'ma-run-20260714-093000',
    '@tests': '5',
    '@failures': '2',
    '@errors': '0',
    '@skipped': '1',
    '@time': '9.400',
    '@timestamp': '2026-07-14T09:30:00',
  });
  expect(cases).toEqual([
    {
      '@name': 'ws-sieve',
      '@classname': 'workstream',
      '@time': '4.200',
      'system-out': 'Manual check: It looks right',
    },
    { '@name': 'npm test', '@classname': 'ws-sieve', '@time': '1.500' },
    {
      '@name': 'npm run e2e',
      '@classname': 'ws-sieve',
      '@time': '2.000',
      failure: { '@message': '3 of 9 failed', '@type': 'acceptance-failed', '#text': '3 of 9 failed' },
    },
    {
      '@name': 'ws-codec',
      '@classname': 'codec',
      '@time': '3.700',
      failure: {
        '@message': '`npm test` ended with exit code 1.',
        '@type': 'exit-non-zero',
        '#text':
          'agent-2, 2 attempts, workstreams/codec.json\n\n`npm test` ended with exit code 1.\n\nLast output:\nnot ok\n\nWhole output: .state/logs/ws-codec-2.log',
      },
    },
    {
      '@name': 'ws-publish',
      '@classname': 'workstream',
      '@time': '0.000',
      skipped: { '@message': 'It needs "ws-codec", which failed.' },
    },
  ]);
});

test('the cases of an acceptance test are a suite of their own; what does not block is no failure', () => {
  const tested = agentResult({
    testResults: {
      total: 2,
      passed: 0,
      failed: 2,
      manual: 0,
      cases: { total: 3, passed: 1, failed: 1, skipped: 1 },
      tests: [
        testResult('npm test', 'failed', {
          detail: 'exit code 1',
          cases: [
            { suite: 'a.test.ts', name: 'x < y', status: 'failed', durationSeconds: 0.25, message: '3 <> 4' },
            { suite: '', name: 'good', status: 'passed', durationSeconds: null, message: null },
            { suite: '', name: 'later', status: 'skipped', durationSeconds: null, message: null },
          ],
        }),
        testResult('GATE_LINT', 'failed', { blocking: false, detail: 'exit code 2' }),
      ],
    },
  });
  const xml = junitReport(runSummary(), [tested]);
  expect(XMLValidator.validate(xml)).toBe(true);
  const { testsuites } = parser.parse(xml);
  expect(testsuites).toMatchObject({ '@tests': '6', '@failures': '2', '@skipped': '2' });
  const [own, inner] = testsuites.testsuite;
  expect(own).toMatchObject({ '@tests': '3', '@failures': '1', '@skipped': '1' });
  expect(own.testcase[2]).toEqual({
    '@name': 'GATE_LINT',
    '@classname': 'ws-sieve',
    '@time': '0.000',
    skipped: { '@message': 'It failed and does not block: exit code 2' },
  });
  expect(inner).toEqual({
    '@name': 'ws-sieve: npm test',
    '@tests': '3',
    '@failures': '1',
    '@errors': '0',
    '@skipped': '1',
    '@time': '0.250',
    testcase: [
      {
        '@name': 'x < y',
        '@classname': 'ws-sieve.a.test.ts',
        '@time': '0.250',
        failure: { '@message': '3 <> 4', '@type': 'failed', '#text': '3 <> 4' },
      },
      { '@name': 'good', '@classname': 'ws-sieve', '@time': '0.000' },
      { '@name': 'later', '@classname': 'ws-sieve', '@time': '0.000', skipped: '' },
    ],
  });
});

test('the type of a failure is its reason, with the pattern of its error where there is one', () => {
  const xml = report(
    runSummary(),
    [failed({ workstreamId: 'ws-a', reason: 'thrown' }), failed({ workstreamId: 'ws-b' })],
    new Map([['ws-a', { id: 'p-0a1b2c3d', template: 'Cannot find module <*>' }]]),
  );
  const types = suite(xml).testcase?.map(({ failure }) => (failure as Record<string, unknown>)['@type']);
  expect(types).toEqual(['thrown p-0a1b2c3d: Cannot find module <*>', 'exit-non-zero']);
});

test('a run without workstreams, made by an older system', () => {
  const { testcase, ...attributes } = suite(junitReport(runSummary({ executionSummary: null }), []));
  expect(testcase).toBeUndefined();
  expect(attributes).toMatchObject({ '@tests': '0', '@failures': '0', '@skipped': '0', '@time': '0.000' });
});

test('any text is valid XML and stays text', () => {
  fc.assert(
    fc.property(anyText, (nasty) => {
      const result = failed({ workstreamId: `x${nasty}x`, explanation: nasty, stack: nasty, agentId: nasty });
      const xml = junitReport(runSummary(), [result]);
      // What XML 1.0 forbids.
      // oxlint-disable-next-line no-control-regex
      expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
      const { testcase: cases } = suite(xml);
      expect(cases?.length).toBe(1);
      expect(Object.keys(cases?.[0] ?? {})).toEqual(['failure', '@name', '@classname', '@time']);
    }),
    { numRuns: 200 },
  );
});

test('names keep their characters', () => {
  const { testcase: cases } = suite(junitReport(runSummary(), [agentResult({ workstreamId: `a<b>&"c'|d` })]));
  expect(cases?.[0]?.['@name']).toBe(`a<b>&"c'|d`);
});

test('a huge stack and output are cut', () => {
  const huge = failed({ stack: 'x'.repeat(5_000_000) });
  expect(junitReport(runSummary(), [huge]).length).toBeLessThan(20_000);
});
