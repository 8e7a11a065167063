/** One small run with a bit of everything. */

import { shapeOf } from '../../src/analysis/patterns/shape.ts';
import { recommend } from '../../src/analysis/recommendations.ts';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { PatternHistory, RunComparison, RunRef } from '../../src/domain/history/history.ts';
import type { ErrorPattern } from '../../src/domain/history/pattern.ts';
import type { ConsolidatedResult, RunDocumentHead } from '../../src/domain/run-record.ts';
import { type DocumentSource, documentHead } from '../../src/report/document.ts';
import { markdownReport } from '../../src/report/markdown.ts';
import {
  agent,
  because,
  COMPLETED_OUTPUT,
  emptyResult,
  executionSummary,
  RUN_ID,
  runSummary,
  shortResult,
  tool,
  toolTask,
  whole,
} from '../kit/consolidated-result.ts';

const codec = shortResult({
  workstreamId: 'ws-codec',
  title: 'Encode the samples',
  agentId: 'agent-2',
  status: 'failed',
  ...because({
    reason: 'thrown',
    how: 'thrown',
    thrown: { name: 'RangeError', message: 'Invalid | typed array length: -1' },
  }),
  startTime: '2026-07-14T09:30:04.400Z',
  endTime: '2026-07-14T09:30:08.100Z',
  durationSeconds: 3.7,
  logFile: '.state/logs/ma-run-20260714-093000/ws-codec-1.log',
});

const lint = shortResult({
  workstreamId: 'ws-lint',
  title: 'Lint everything',
  agentId: 'agent-3',
  status: 'failed',
  ...because({
    reason: 'exit-non-zero',
    exitCode: 2,
    command: 'npm run lint | tee lint.txt',
    tail: '',
    log: null,
  }),
  startTime: '2026-07-14T09:30:00.130Z',
  endTime: '2026-07-14T09:30:02.480Z',
  durationSeconds: 2.35,
  logFile: '.state/logs/ma-run-20260714-093000/ws-lint-1.log',
});

const publish = shortResult({
  workstreamId: 'ws-publish',
  title: 'Publish',
  agentId: 'coordinator',
  status: 'skipped',
  ...because({ reason: 'dependency-failed', dependency: 'ws-codec', detail: 'failed' }),
  startTime: null,
  endTime: null,
  durationSeconds: null,
});

const mandelbrot = shortResult({
  workstreamId: 'ws-mandelbrot',
  title: 'Draw the set',
  agentId: 'agent-3',
  startTime: '2026-07-14T09:30:02.500Z',
  endTime: '2026-07-14T09:30:08.500Z',
  durationSeconds: 6,
});

const report = shortResult({
  workstreamId: 'ws-report',
  title: 'ws-report',
  agentId: 'agent-2',
  startTime: '2026-07-14T09:30:00.125Z',
  endTime: '2026-07-14T09:30:01.125Z',
  durationSeconds: 1,
});

const patterns: ErrorPattern[] = [
  {
    history: null,
    goesWith: [
      {
        patternId: 'p-0000000a',
        factor: 'machine',
        value: 'build-7',
        unit: 'run',
        here: { failed: 9, total: 10 },
        elsewhere: { failed: 1, total: 40 },
        p: 0.00001,
      },
    ],
    id: 'p-0c0dec00',
    type: 'thrown',
    telling: 'RangeError: Invalid | typed array length: -1',
    values: [],
    places: [{ place: 'tasks/codec.ts encode', count: 1 }],
    pattern: shapeOf('RangeError: Invalid | typed array length: -1'),
    count: 1,
    workstreams: ['ws-codec'],
    example: {
      workstreamId: 'ws-codec',
      agentId: 'agent-2',
      message: 'RangeError: Invalid | typed array length: -1',
      stack:
        'RangeError: Invalid | typed array length: -1\n    at new Uint8Array (<anonymous>)\n    at encode (file:///home/ada/jobs/tasks/codec.ts:41:17)',
      tail: null,
      logFile: codec.logFile,
    },
  },
  {
    history: null,
    goesWith: [],
    id: 'p-11111111',
    type: 'exit-non-zero',
    telling: 'src/a.ts:3:1 error  Use "```" <b>never</b>',
    values: [],
    places: [],
    pattern: shapeOf('`npm run lint | tee lint.txt` ended with exit code 2.'),
    count: 1,
    workstreams: ['ws-lint'],
    example: {
      workstreamId: 'ws-lint',
      agentId: 'agent-3',
      message: '`npm run lint | tee lint.txt` ended with exit code 2.',
      stack: null,
      tail: 'src/a.ts:3:1 error  Use "```" <b>never</b>\n\u001b[31m1 problem\u001b[0m',
      logFile: lint.logFile,
    },
  },
];

const agents = [
  agent('agent-1', {
    workstreams: 1,
    completed: 1,
    busySeconds: 4.2,
    idleSeconds: 5.2,
    cpuSeconds: 4.1,
    utilisation: 0.4468,
    averageSeconds: 4.2,
    medianSeconds: 4.2,
    p95Seconds: 4.2,
    perHour: 382.98,
  }),
  agent('agent-2', {
    completed: 1,
    failed: 1,
    successRate: 0.5,
    busySeconds: 4.7,
    idleSeconds: 4.7,
    cpuSeconds: null,
    utilisation: 0.5,
    averageSeconds: 2.35,
    medianSeconds: 2.35,
    p95Seconds: 3.7,
    perHour: 765.96,
  }),
  agent('agent-3', {
    completed: 1,
    failed: 1,
    successRate: 0.5,
    busySeconds: 8.35,
    idleSeconds: 1.05,
    cpuSeconds: null,
    utilisation: 0.8883,
    averageSeconds: 4.175,
    medianSeconds: 4.175,
    p95Seconds: 6,
    perHour: 765.96,
  }),
];

/** The run of `example.md`. */
export function exampleResult(): ConsolidatedResult {
  const result = emptyResult({
    run: runSummary({ executionSummary: executionSummary({ agents }) }),
    agents,
    patterns: whole(...patterns),
    failures: whole(lint, codec),
    skipped: whole(publish),
    warnings: whole({ workstreamId: 'ws-report', text: 'Step `spell` failed and was allowed to.' }),
    tests: { total: 3, passed: 2, failed: 1, manual: 2 },
    testCases: { total: 43, passed: 38, failed: 2, skipped: 3 },
    failedTests: whole({
      workstreamId: 'ws-codec',
      name: 'npm test',
      detail: 'exit code 1; 2 of 40 tests failed: keeps | the length, encodes <nothing>',
    }),
    failedCases: whole(
      {
        workstreamId: 'ws-codec',
        acceptanceTest: 'npm test',
        suite: 'test/codec.test.ts',
        name: 'blocks > keeps | the length',
        message: 'AssertionError: expected 3 to be 4\n    at test/codec.test.ts:12:20',
      },
      {
        workstreamId: 'ws-codec',
        acceptanceTest: 'npm test',
        suite: '',
        name: 'encodes <nothing>',
        message: null,
      },
    ),
    manualChecks: whole(
      { workstreamId: 'ws-mandelbrot', name: 'The picture looks right', detail: '' },
      {
        workstreamId: 'ws-report',
        name: 'GATE_SECURITY',
        detail: 'No command is configured for it under `gates` in millrace.config.json.',
      },
    ),
    tools: [
      tool(),
      tool({
        tool: 'codex',
        model: null,
        attempts: 3,
        completed: 1,
        accepted: 0,
        notAccepted: 1,
        falseSuccesses: 1,
        unknownCosts: 3,
        costUsd: null,
        seconds: 95,
      }),
    ],
    tasks: whole(
      toolTask({ workstreamId: 'ws-codec', title: 'Encode in blocks', status: 'failed', reason: 'thrown' }),
      toolTask({ workstreamId: 'ws-report', tool: 'codex', model: null, costUsd: null, merge: 'conflict' }),
    ),
    retried: whole({
      workstreamId: 'ws-report',
      status: 'failed',
      attempts: 3,
      reasons: ['no-changes', 'acceptance-failed', 'acceptance-failed'],
      gaveUp: 'The same error came twice in a row (max_error_repeats).',
    }),
    merges: {
      branch: 'millrace/ma-run-20260923-081502/_merged',
      merged: 1,
      mergeable: 0,
      tested: true,
      caveat: '',
      failing: 0,
      outside: whole(),
      problems: whole({
        workstreamId: 'ws-report',
        status: 'conflict',
        partner: null,
        failingTest: null,
        logFile: null,
        branch: 'millrace/ma-run-20260923-081502/ws-report',
        conflictsWith: ['ws-codec'],
        files: ['docs/a|b <new>.md'],
        detail: '',
      }),
    },
    files: whole(
      {
        path: 'src/codec.ts',
        workstreams: ['ws-codec'],
        status: 'modified',
        linesAdded: 12,
        linesRemoved: 3,
      },
      {
        path: 'docs/a|b <new>.md',
        workstreams: ['ws-codec', 'ws-report'],
        status: 'added',
        linesAdded: null,
        linesRemoved: null,
      },
    ),
    commits: whole({ workstreamId: 'ws-codec', commit: '3f2c1e0 Encode in blocks' }),
    outputs: whole(
      {
        ...COMPLETED_OUTPUT,
        workstreamId: 'ws-sieve',
        title: 'Primes below five million',
        output: { primes: 348513, density: 0.0697026000001, largest: 4999999 },
        metrics: { numbersPerSecond: 1190476.1904 },
      },
      {
        ...COMPLETED_OUTPUT,
        workstreamId: 'ws-mandelbrot',
        title: 'Draw the set',
        output: {
          image: 'reports/mandel brot.svg',
          size: { width: 800, height: 600 },
          rows: [
            { depth: 50, seconds: 1.25, inside: true },
            { depth: 100, seconds: 2.3333333333, inside: false },
          ],
        },
        metrics: {},
      },
      {
        workstreamId: 'ws-codec',
        title: 'Encode in blocks',
        status: 'failed',
        reason: 'acceptance-failed',
        explanation: 'Not accepted: npm test (exit code 1).',
        tool: 'claude',
        tests: { passed: 0, failed: 1 },
        output: { text: 'All tests pass.' },
        metrics: {},
      },
      {
        ...COMPLETED_OUTPUT,
        workstreamId: 'ws-report',
        title: 'ws-report',
        tool: 'codex',
        tests: { passed: 2, failed: 0 },
        output: { text: 'The report is written.' },
        metrics: {},
      },
    ),
    timeline: whole(shortResult(), report, lint, mandelbrot, codec, publish),
  });
  return { ...result, run: { ...result.run, recommendations: recommend({ ...result, comparison: null }) } };
}

export const exampleHead = (): RunDocumentHead => documentHead(exampleResult(), null);

/** A run of these workstreams as reports take it. */
export const documentOf = (workstreams: AgentResult[]): DocumentSource => ({
  head: exampleHead(),
  workstreams: () => workstreams,
  workstreamTexts: () => workstreams.map((result) => JSON.stringify(result)),
  patterns: () => new Map(),
  pageResults: (most) => ({ results: workstreams.slice(0, most), aggregates: null }),
});

/** The Markdown report of a run that was not compared with another. */
export const reportOf = (result: ConsolidatedResult): string => markdownReport(documentHead(result, null));

const ref = (runId: string, at: string, commit: string): RunRef => ({
  runId,
  at,
  label: null,
  commit,
  isDirty: false,
});
const BASE = ref('ma-run-20260713-093000', '2026-07-13T09:30:00.000Z', 'a'.repeat(40));
const HEAD = ref(RUN_ID, '2026-07-14T09:30:00.000Z', 'b'.repeat(40));

/** What is known of a pattern that fails again after it had been fixed. */
const regressed = (): PatternHistory => ({
  state: 'regressed',
  firstSeen: BASE,
  lastSeen: HEAD,
  lastPassed: BASE,
  commitRange: { from: 'a'.repeat(40), to: 'b'.repeat(40) },
  rate: { value: 0.25, low: 0.1, high: 0.46, runs: 20 },
});

/** How the run of `example.md` differs from the one before. */
export const comparison = (): RunComparison => ({
  base: BASE,
  head: HEAD,
  new: whole({
    workstreamId: 'ws-lint',
    patternId: 'p-0000000b',
    history: { ...regressed(), state: 'new', firstSeen: HEAD, rate: null },
  }),
  regressed: whole({ workstreamId: 'ws-codec', patternId: 'p-0000000a', history: regressed() }),
  recurring: whole(),
  fixed: whole({
    workstreamId: 'ws-report',
    patternId: null,
    history: { ...regressed(), state: 'fixed', lastSeen: BASE },
  }),
  flaky: whole(),
  notRun: whole('ws-publish'),
  added: whole(),
  removed: whole('ws-old'),
  changedDefinition: whole('ws-sieve'),
  outside: whole({ workstreamId: 'ws-mandelbrot', seconds: 6, medianSeconds: 3.1, runs: 30 }),
  shifts: whole({
    workstreamId: 'ws-sieve',
    beforeSeconds: 3,
    afterSeconds: 4.2,
    ratio: 1.4,
    p: 0.0004,
    since: BASE,
    runs: 35,
  }),
  wholeRun: null,
});
