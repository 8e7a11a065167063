/** The parts of a consolidated result, with everything that a test does not care about filled in. */

import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { ErrorExample, ErrorPattern } from '../../src/domain/history/pattern.ts';
import type {
  AgentPerformance,
  ConsolidatedResult,
  ExecutionSummary,
  RunSummary,
  ShortResult,
} from '../../src/domain/run-record.ts';
import type { MergedWork, ToolPerformance, ToolTask } from '../../src/domain/tool-record.ts';
import { completedResult, type ResultFields } from './completed-result.ts';

export const RUN_ID = 'ma-run-20260714-093000';

export function shortResult(changes: Partial<ShortResult> = {}): ShortResult {
  return {
    workstreamId: 'ws-sieve',
    title: 'Primes below five million',
    agentId: 'agent-1',
    status: 'completed',
    reason: null,
    explanation: null,
    failure: null,
    startTime: '2026-07-14T09:30:00.120Z',
    endTime: '2026-07-14T09:30:04.320Z',
    durationSeconds: 4.2,
    logFile: null,
    ...changes,
  };
}

/** What a result of a workstream says that did not complete. */
export const because = (failure: Failure): Pick<ShortResult, 'reason' | 'explanation' | 'failure'> => ({
  reason: failure.reason,
  explanation: describeFailure(failure),
  failure,
});

export function agent(agentId: string, changes: Partial<AgentPerformance> = {}): AgentPerformance {
  return {
    agentId,
    workstreams: 2,
    completed: 2,
    failed: 0,
    successRate: 1,
    busySeconds: 8,
    idleSeconds: 2,
    cpuSeconds: 7.5,
    utilisation: 0.8,
    averageSeconds: 4,
    medianSeconds: 4,
    p95Seconds: 5,
    perHour: 720,
    ...changes,
  };
}

export function executionSummary(changes: Partial<ExecutionSummary> = {}): ExecutionSummary {
  return {
    version: 1,
    millrace: '0.1.0',
    node: 'v20.20.2',
    platform: 'linux x64',
    cores: 2,
    agentsCount: 3,
    scaling: null,
    distribution: 'dynamic',
    exitCode: 1,
    interruptedBy: null,
    waitsForLimit: null,
    sessions: 1,
    waitedForRuns: null,
    resources: null,
    speed: {
      wallSeconds: 9.4,
      busySeconds: 17.25,
      oneAgentSeconds: 16.2,
      overheadSeconds: 0.31,
      criticalPathSeconds: 7.9,
      criticalPath: ['ws-sieve', 'ws-codec'],
      reservedSeconds: null,
      speedup: 1.7234,
      limitSeconds: 8.625,
      efficiency: 0.9176,
    },
    agents: [],
    tests: { total: 3, passed: 2, failed: 1, manual: 1 },
    overhead: { storeSeconds: 0.0123, consolidateSeconds: 0.004 },
    ...changes,
  };
}

export function runSummary(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    runId: RUN_ID,
    state: 'ended',
    createdAt: '2026-07-14T09:30:00.000Z',
    resumedAt: null,
    retryOf: null,
    label: null,
    hostname: null,
    checkout: null,
    endedAt: '2026-07-14T09:30:09.400Z',
    totals: {
      workstreams: 6,
      completed: 3,
      failed: 2,
      skipped: 1,
      takenOver: 0,
      savedSeconds: 0,
      filesModified: 2,
      commits: 1,
      errors: 2,
      warnings: 1,
    },
    executionSummary: executionSummary(),
    recommendations: [],
    ...changes,
  };
}

/** A result with nothing in it but totals; the rest is given by the test. */
export function emptyResult(changes: Partial<ConsolidatedResult> = {}): ConsolidatedResult {
  return {
    run: runSummary(),
    agents: [],
    scaling: { shown: [], total: 0 },
    tools: [],
    results: null,
    series: { shown: [], total: 0 },
    outputFiles: { shown: [], total: 0 },
    merges: null,
    competitions: { shown: [], total: 0 },
    reviews: { shown: [], total: 0 },
    tasks: { shown: [], total: 0 },
    retried: { shown: [], total: 0 },
    parked: [],
    patterns: { shown: [], total: 0 },
    failures: { shown: [], total: 0 },
    skipped: { shown: [], total: 0 },
    warnings: { shown: [], total: 0 },
    tests: { total: 0, passed: 0, failed: 0, manual: 0 },
    testCases: null,
    failedTests: { shown: [], total: 0 },
    failedCases: { shown: [], total: 0 },
    manualChecks: { shown: [], total: 0 },
    files: { shown: [], total: 0 },
    commits: { shown: [], total: 0 },
    outputs: { shown: [], total: 0 },
    resources: { shown: [], total: 0 },
    timeline: { shown: [], total: 0 },
    database: '.state/multi_agent_consolidated.db',
    ...changes,
  };
}

/** An error that one workstream has, or more where `count` says so. */
export function errorPattern({
  example,
  ...changes
}: Partial<Omit<ErrorPattern, 'example'>> & { example?: Partial<ErrorExample> } = {}): ErrorPattern {
  const message = example?.message ?? changes.telling ?? 'Error: no';
  const workstreamId = example?.workstreamId ?? changes.workstreams?.[0] ?? 'ws-sieve';
  return {
    id: 'p-1a2b3c4d',
    type: 'thrown',
    pattern: message,
    telling: message,
    count: 1,
    workstreams: [workstreamId],
    values: [],
    places: [],
    history: null,
    goesWith: [],
    ...changes,
    example: {
      agentId: 'agent-1',
      stack: null,
      tail: null,
      logFile: null,
      ...example,
      workstreamId,
      message,
    },
  };
}

export function whole<T>(...shown: T[]): { shown: T[]; total: number } {
  return { shown, total: shown.length };
}

export const agentResult = ({ metadata, ...changes }: ResultFields = {}): AgentResult =>
  completedResult('ws-sieve', {
    runId: RUN_ID,
    startTime: '2026-07-14T09:30:00.120Z',
    endTime: '2026-07-14T09:30:04.320Z',
    durationSeconds: 4.2,
    metadata: {
      title: 'Primes below five million',
      file: 'workstreams/sieve.json',
      output: { primes: 348513 },
      ...metadata,
    },
    cpuSeconds: 4.1,
    cpuWaitSeconds: null,
    ...changes,
  });

/** A file of which git knows nothing. */
export const unknownChange = { status: null, linesAdded: null, linesRemoved: null };

/** What a tool did in one attempt that completed. */
export function tool(changes: Partial<ToolPerformance> = {}): ToolPerformance {
  return {
    tool: 'claude',
    model: 'opus',
    workstreams: 1,
    attempts: 1,
    completed: 1,
    accepted: 1,
    notAccepted: 0,
    falseSuccesses: 0,
    unknownCosts: 0,
    costUsd: 0.25,
    inputTokens: 1000,
    outputTokens: 100,
    seconds: 60,
    ...changes,
  };
}

/** What became of one that completed and was merged. */
export function toolTask(changes: Partial<ToolTask> = {}): ToolTask {
  return {
    workstreamId: 'ws-a',
    title: 'Add a flag',
    tool: 'claude',
    model: 'opus',
    status: 'completed',
    reason: null,
    attempts: 1,
    tests: { passed: 2, failed: 0 },
    costUsd: 0.25,
    durationSeconds: 60,
    files: 2,
    linesAdded: 12,
    linesRemoved: 3,
    branch: 'millrace/run/ws-a',
    merge: 'merged',
    ...changes,
  };
}

/** What is said of an output whose workstream completed. */
export const COMPLETED_OUTPUT = {
  status: 'completed',
  reason: null,
  explanation: null,
  tool: null,
  tests: { passed: 0, failed: 0 },
} as const;

/** Of a run whose work is merged in one branch, as far as `fields` do not say something else. */
export const mergedWork = (fields: Partial<MergedWork>): MergedWork => ({
  branch: 'millrace/run/_merged',
  merged: 1,
  tested: true,
  caveat: '',
  mergeable: 0,
  failing: 0,
  problems: whole(),
  outside: whole(),
  ...fields,
});
