/** What recommendations are made from, with everything that a test does not care about filled in. */
import type { AdviceInput } from '../../src/analysis/failure-advice.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { ErrorPattern } from '../../src/domain/history/pattern.ts';
import type {
  AgentPerformance,
  ExecutionSummary,
  RunState,
  ShortResult,
  Speed,
  Totals,
} from '../../src/domain/run-record.ts';

export const RUN = 'ma-run-20260714-093000';

export const TOTALS: Totals = {
  workstreams: 10,
  completed: 10,
  failed: 0,
  skipped: 0,
  takenOver: 0,
  savedSeconds: 0,
  filesModified: 0,
  commits: 0,
  errors: 0,
  warnings: 0,
};

const ENDED: RunState = 'ended';

export function input(
  changes: Partial<Omit<AdviceInput, 'run'>> & { run?: Partial<AdviceInput['run']> } = {},
): AdviceInput {
  const failed = changes.failures?.total ?? 0;
  const skipped = changes.skipped?.total ?? 0;
  return {
    agents: [],
    merges: null,
    patterns: whole(),
    failures: whole(),
    skipped: whole(),
    manualChecks: whole(),
    timeline: whole(),
    parked: [],
    resources: whole(),
    comparison: null,
    ...changes,
    run: {
      runId: RUN,
      state: ENDED,
      totals: { ...TOTALS, failed, skipped, completed: TOTALS.workstreams - failed - skipped },
      executionSummary: null,
      ...changes.run,
    },
  };
}

export function whole<T>(...shown: T[]): { shown: T[]; total: number } {
  return { shown, total: shown.length };
}

export function result(workstreamId: string, changes: Partial<ShortResult> = {}): ShortResult {
  return {
    workstreamId,
    title: workstreamId,
    agentId: 'agent-1',
    status: 'completed',
    reason: null,
    explanation: null,
    failure: null,
    startTime: '2026-07-14T09:30:00.000Z',
    endTime: '2026-07-14T09:30:01.000Z',
    durationSeconds: 1,
    logFile: null,
    ...changes,
  };
}

export function failed(
  workstreamId: string,
  failure: Failure,
  status: 'failed' | 'skipped' = 'failed',
): ShortResult {
  const explanation = describeFailure(failure);
  return result(workstreamId, { status, reason: failure.reason, explanation, failure });
}

export function skipped(workstreamId: string, dependency: string): ShortResult {
  return failed(workstreamId, { reason: 'dependency-failed', dependency, detail: 'failed' }, 'skipped');
}

export function pattern(
  type: string,
  message: string,
  workstreams: string[],
  count = workstreams.length,
): ErrorPattern {
  const [workstreamId = ''] = workstreams;
  const example = { workstreamId, agentId: 'agent-1', message, stack: null, tail: null, logFile: null };
  const id = 'p-00000001';
  return {
    id,
    type,
    pattern: message,
    telling: message,
    count,
    workstreams,
    values: [],
    places: [],
    example,
    history: null,
    goesWith: [],
  };
}

export function agent(
  agentId: string,
  busySeconds: number,
  changes: Partial<AgentPerformance> = {},
): AgentPerformance {
  return {
    agentId,
    workstreams: 4,
    completed: 4,
    failed: 0,
    successRate: 1,
    busySeconds,
    idleSeconds: 0,
    cpuSeconds: busySeconds,
    utilisation: null,
    averageSeconds: null,
    medianSeconds: null,
    p95Seconds: null,
    perHour: null,
    ...changes,
  };
}

export function summary(speed: Partial<Speed>, changes: Partial<ExecutionSummary> = {}): ExecutionSummary {
  return {
    version: 1,
    millrace: '0.1.0',
    node: 'v20.20.2',
    platform: 'linux x64',
    cores: 4,
    agentsCount: 3,
    scaling: null,
    distribution: 'dynamic',
    exitCode: 0,
    interruptedBy: null,
    waitsForLimit: null,
    sessions: 1,
    waitedForRuns: null,
    resources: null,
    speed: {
      wallSeconds: 10,
      busySeconds: 30,
      oneAgentSeconds: 30,
      overheadSeconds: 0,
      criticalPathSeconds: 2,
      criticalPath: ['ws-a'],
      reservedSeconds: null,
      speedup: 3,
      limitSeconds: 10,
      efficiency: 1,
      ...speed,
    },
    agents: [],
    tests: { total: 0, passed: 0, failed: 0, manual: 0 },
    overhead: { storeSeconds: 0, consolidateSeconds: 0 },
    ...changes,
  };
}
