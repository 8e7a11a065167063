/** The consolidated result of a run of 100,000 workstreams: every list as long as a store may give it. */
import type { Capped } from '../../src/domain/capped.ts';
import type { ConsolidatedResult } from '../../src/domain/run-record.ts';
import {
  agent,
  COMPLETED_OUTPUT,
  emptyResult,
  executionSummary,
  runSummary,
  shortResult,
  unknownChange,
} from '../kit/consolidated-result.ts';

export const TOTAL = 100_000;

function capped<T>(length: number, total: number, make: (index: number) => T): Capped<T> {
  return { shown: Array.from({ length }, (_, index) => make(index)), total };
}

const log = (index: number): string =>
  `/home/ada/projects/sweep/.state/logs/ma-run-20260714-093000/ws-sweep-${index}-1.log`;

const failure = (index: number) =>
  shortResult({
    workstreamId: `ws-sweep-${index}`,
    title: `Sweep | ${index}`,
    agentId: `agent-${(index % 64) + 1}`,
    status: 'failed',
    reason: 'exit-non-zero',
    explanation: `\`node sweep.js --seed ${index} | tee <out>\` ended with exit code 1. ${'|*_`'.repeat(200)}`,
    logFile: log(index),
  });

export function largeResult(): ConsolidatedResult {
  const agents = Array.from({ length: 64 }, (_, index) => agent(`agent-${index + 1}`));
  return emptyResult({
    run: runSummary({
      totals: {
        workstreams: TOTAL,
        completed: 60_000,
        failed: 30_000,
        skipped: 10_000,
        takenOver: 0,
        savedSeconds: 0,
        filesModified: 80_000,
        commits: 70_000,
        errors: 30_000,
        warnings: 90_000,
      },
      executionSummary: executionSummary({ agents, agentsCount: 64, cores: 64 }),
    }),
    agents,
    patterns: capped(200, 5000, (index) => ({
      id: `p-${index.toString(16).padStart(8, '0')}`,
      type: 'thrown',
      telling: `Error: number ${index}`,
      values: [],
      places: [],
      history: null,
      goesWith: [],
      pattern: `Error: number # of ${'x|'.repeat(400)}`,
      count: 6,
      workstreams: Array.from({ length: 6 }, (_, member) => `ws-sweep-${index * 6 + member}`),
      example: {
        workstreamId: `ws-sweep-${index * 6}`,
        agentId: 'agent-1',
        message: `Error: number ${index} of ${'x|'.repeat(40_000)}`,
        stack: `Error\n${'    at run (/home/ada/sweep.js:1:1)\n'.repeat(2000)}`,
        tail: `${'line of output\n'.repeat(300)}the end`,
        logFile: log(index),
      },
    })),
    failures: capped(500, 30_000, failure),
    skipped: capped(500, 10_000, (index) => ({
      ...failure(index),
      status: 'skipped' as const,
      reason: 'dependency-failed',
    })),
    warnings: capped(500, 90_000, (index) => ({
      workstreamId: `ws-sweep-${index}`,
      text: 'odd '.repeat(500),
    })),
    tests: { total: TOTAL, passed: 80_000, failed: 20_000, manual: 500 },
    failedTests: capped(500, 20_000, (index) => ({
      workstreamId: `ws-sweep-${index}`,
      name: 'npm test '.repeat(100),
      detail: '<b>no</b> '.repeat(300),
    })),
    testCases: { total: 4_000_000, passed: 3_900_000, failed: 60_000, skipped: 40_000 },
    failedCases: capped(500, 60_000, (index) => ({
      workstreamId: `ws-sweep-${index}`,
      acceptanceTest: 'npm test '.repeat(100),
      suite: 'deep/'.repeat(60),
      name: 'keeps the length '.repeat(17),
      message: 'AssertionError '.repeat(130),
    })),
    manualChecks: capped(500, 500, (index) => ({
      workstreamId: `ws-sweep-${index}`,
      name: 'look '.repeat(200),
      detail: '',
    })),
    files: capped(500, 80_000, (index) => ({
      path: `data/${index}/${'deep/'.repeat(30)}out.json`,
      workstreams: Array.from({ length: 5 }, (_, member) => `ws-sweep-${index * 5 + member}`),
      ...unknownChange,
    })),
    commits: capped(500, 70_000, (index) => ({ workstreamId: `ws-sweep-${index}`, commit: 'f'.repeat(40) })),
    outputs: capped(500, TOTAL, (index) => ({
      ...COMPLETED_OUTPUT,
      workstreamId: `ws-sweep-${index}`,
      title: 'Sweep '.repeat(50),
      output: {
        ...Object.fromEntries(
          Array.from({ length: 50 }, (_, key) => [`value ${key}`, 'long value '.repeat(10)]),
        ),
        rows: Array.from({ length: 300 }, (_, row) => ({ row, name: 'x'.repeat(100), share: row / 7 })),
        nested: { grid: Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => 0.123456789)) },
        text: 'word '.repeat(100_000),
      },
      metrics: { rate: index / 3 },
    })),
    timeline: capped(500, TOTAL, failure),
  });
}
