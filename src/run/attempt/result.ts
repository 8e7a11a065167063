/** Makes the row of a workstream: from an attempt, or from the reason why it was not executed. */
import {
  type AgentResult,
  COORDINATOR,
  type Constraints,
  type LimitWait,
  type ResourceUsage,
  type ResultMetadata,
  type StepSummary,
  type TestSummary,
} from '../../domain/agent-result.ts';
import type { AttemptRecord } from '../../domain/attempt.ts';
import type { Failure } from '../../domain/failure.ts';
import { describeFailure, failureContext } from '../../domain/failure-message.ts';
import type { ReusableResult } from '../../domain/history/result-cache.ts';
import type { Json } from '../../domain/json.ts';
import type { Outcome, StepResult, TestCounts, TestResult } from '../../domain/outcome.ts';
import type { Broken } from '../../domain/plan.ts';
import { declaredReservation, type Workstream } from '../../domain/workstream.ts';
import { isoTimestamp } from '../../text/format.ts';
import type { Attempt } from './attempt-runner.ts';
import { patternOf } from './ledgers.ts';
import { reportsOf } from './outcome.ts';

/**
 * The row of a workstream that an agent executed. A failure because of an interruption counts as skipped, so that the
 * run can be resumed. Written out, because it is done for each workstream and copying objects by spreading them takes
 * longer than all else here.
 * @param earlierAttempts the other attempts than the one whose result this is.
 */
export function executedResult(
  runId: string,
  attempt: Attempt,
  earlierAttempts: AttemptRecord[],
): AgentResult {
  const { workstream, context, outcome, changes } = attempt;
  const { failure } = outcome;
  const facts = failureFacts(failure);
  const changed = changes?.files.map(({ path }) => path) ?? [];
  return {
    runId,
    agentId: outcome.executedBy?.agentId ?? context.agentId,
    workstreamId: workstream.id,
    status: failure === null ? 'completed' : failure.reason === 'interrupted' ? 'skipped' : 'failed',
    startTime: isoTimestamp(outcome.startedAt),
    endTime: isoTimestamp(outcome.endedAt),
    durationSeconds: outcome.durationSeconds,
    filesModified:
      changed.length === 0 ? outcome.filesModified : [...new Set([...outcome.filesModified, ...changed])],
    commitsCreated: changes?.commits ?? [],
    errors: facts.errors,
    warnings: outcome.warnings,
    testResults: summarizeTests(outcome.tests),
    metadata: executedMetadata(attempt, earlierAttempts, facts.tail),
    reason: facts.reason,
    explanation: facts.explanation,
    failure,
    cpuSeconds: outcome.cpuSeconds,
    cpuWaitSeconds: outcome.cpuWaitSeconds,
    usage: usageOf(workstream, outcome),
    attempts: earlierAttempts.length + 1,
    fromRun: null,
    savedSeconds: null,
    definitionHash: workstream.hash,
    // What a failed acceptance test printed is in a file of its own.
    logFile: (failure?.reason === 'acceptance-failed' ? failure.log : null) ?? outcome.logFile,
    stack: facts.stack,
    pattern: facts.pattern,
  };
}

/** Null for a workstream that reserves nothing. */
function usageOf(workstream: Workstream, { usage, cpuSeconds }: Outcome): ResourceUsage | null {
  const asked = declaredReservation(workstream);
  if (asked === null) return null;
  return { ...asked, cpuSeconds: usage?.cpuSeconds ?? cpuSeconds, peakMemoryMb: usage?.peakMemoryMb ?? null };
}

function executedMetadata(
  { workstream, outcome, changes, merge, candidates, reviews, gaveUp, compensation, limitWaits }: Attempt,
  earlierAttempts: AttemptRecord[],
  tail: string | null,
): ResultMetadata {
  return {
    title: workstream.title,
    kind: workstream.kind,
    file: workstream.source.file,
    position: workstream.source.position,
    priority: workstream.priority,
    constraints: constraintsOf(workstream),
    output: outcome.output === null ? null : parseOutput(outcome.output),
    metrics: outcome.metrics,
    base: baseOf(workstream),
    matrix: workstream.matrix,
    series: outcome.series,
    outputs: outcome.outputs,
    steps: outcome.steps.map(stepSummary),
    tools: reportsOf(outcome),
    changes,
    merge,
    earlierAttempts,
    limitWaits,
    candidates,
    reviews,
    gaveUp,
    compensation: compensation.map(stepSummary),
    host: outcome.executedBy?.host ?? null,
    cache: null,
    tail,
    definition: workstream.extra,
  };
}

const baseOf = ({ matrix, base }: Workstream): string | null => (matrix === null ? null : base);

/** Most workstreams may start at any time. */
function constraintsOf({
  dependsOn,
  conflictGroup,
  scopes,
  parallelOk,
  gate,
}: Workstream): Constraints | null {
  if (dependsOn.length + scopes.length === 0 && conflictGroup === null && parallelOk && gate === null)
    return null;
  return { dependsOn, conflictGroup, scopes, parallelOk, gate };
}

const stepSummary = (step: StepResult): StepSummary => ({
  id: step.id,
  kind: step.kind,
  status: step.status,
  duration_seconds: step.durationSeconds,
  exit_code: step.exitCode,
});

/** A workstream that no agent ran because something it needs did not complete, or the run was ended. */
export function skippedResult(
  runId: string,
  workstream: Workstream,
  failure: Failure,
  earlierAttempts: readonly AttemptRecord[] = [],
  limitWaits: readonly LimitWait[] = [],
): AgentResult {
  const metadata = {
    ...workstreamMetadata(workstream),
    earlierAttempts: [...earlierAttempts],
    limitWaits: [...limitWaits],
  };
  return {
    ...notExecuted(runId, metadata, workstream.id, failure),
    status: 'skipped',
    attempts: earlierAttempts.length,
    definitionHash: workstream.hash,
    errors: [],
    pattern: null,
  };
}

/**
 * A workstream that can't be executed.
 * @param definitionHash null where it could not be planned.
 */
export function brokenResult(
  runId: string,
  broken: Broken,
  definitionHash: string | null = null,
): AgentResult {
  const metadata = emptyMetadata(broken.title, broken.source.file, broken.source.position);
  return { ...notExecuted(runId, metadata, broken.id, broken.failure), status: 'failed', definitionHash };
}

/** A workstream that a person stopped while no agent executed it. */
export function stoppedResult(
  runId: string,
  workstream: Workstream,
  failure: Failure,
  earlierAttempts: AttemptRecord[],
): AgentResult {
  const metadata = { ...workstreamMetadata(workstream), earlierAttempts };
  const isLeft = earlierAttempts.length > 0 && workstream.compensation.length > 0;
  return {
    ...notExecuted(runId, metadata, workstream.id, failure),
    status: 'failed',
    attempts: earlierAttempts.length,
    definitionHash: workstream.hash,
    warnings: isLeft ? [NOT_UNDONE] : [],
  };
}

const NOT_UNDONE =
  'It was stopped between two attempts, so that its compensation_actions were not run. Run them by hand where they are needed.';

/** A workstream that a person declared done. */
export function markedDoneResult(runId: string, workstream: Workstream): AgentResult {
  const result = notExecuted(runId, workstreamMetadata(workstream), workstream.id, null);
  return {
    ...result,
    definitionHash: workstream.hash,
    warnings: ['Marked as done by a person; nothing was executed.'],
  };
}

/**
 * A workstream of which nothing has changed since a run computed its result: what is known of it is what that run found
 * out, and of this run that nothing was executed.
 */
export function takenOverResult(
  runId: string,
  workstream: Workstream,
  { result, restored }: ReusableResult,
): AgentResult {
  const own = workstreamMetadata(workstream);
  return {
    ...result,
    runId,
    agentId: COORDINATOR,
    startTime: null,
    endTime: null,
    durationSeconds: null,
    cpuSeconds: null,
    cpuWaitSeconds: null,
    usage: null,
    filesModified: restored,
    attempts: 0,
    fromRun: result.runId,
    savedSeconds: result.durationSeconds,
    definitionHash: workstream.hash,
    metadata: {
      ...result.metadata,
      title: own.title,
      file: own.file,
      position: own.position,
      priority: own.priority,
      earlierAttempts: [],
      cache: { result: 'taken-over', changes: [], note: null },
    },
  };
}

/** The agent wrote it with JSON.stringify. */
function parseOutput(json: string): Json {
  const output: Json = JSON.parse(json);
  return output;
}

const NO_FAILURE = {
  errors: [],
  reason: null,
  explanation: null,
  failure: null,
  tail: null,
  log: null,
  stack: null,
  pattern: null,
};

/** The columns of a failure; all null for none. */
function failureFacts(failure: Failure | null) {
  if (failure === null) return { ...NO_FAILURE, errors: [] };
  const explanation = describeFailure(failure);
  return {
    ...failureContext(failure),
    errors: failure.reason === 'interrupted' ? [] : [{ type: failure.reason, message: explanation }],
    reason: failure.reason,
    explanation,
    failure,
    pattern: patternOf(failure),
  };
}

function notExecuted(
  runId: string,
  metadata: ResultMetadata,
  workstreamId: string,
  failure: Failure | null,
): AgentResult {
  const { tail, log, ...facts } = failureFacts(failure);
  return {
    runId,
    agentId: COORDINATOR,
    workstreamId,
    status: 'completed',
    startTime: null,
    endTime: null,
    durationSeconds: null,
    filesModified: [],
    commitsCreated: [],
    warnings: [],
    testResults: summarizeTests([]),
    metadata: { ...metadata, tail },
    cpuSeconds: null,
    cpuWaitSeconds: null,
    usage: null,
    attempts: 0,
    fromRun: null,
    savedSeconds: null,
    definitionHash: null,
    logFile: log,
    ...facts,
  };
}

function workstreamMetadata(workstream: Workstream): ResultMetadata {
  return {
    ...emptyMetadata(workstream.title, workstream.source.file, workstream.source.position),
    kind: workstream.kind,
    priority: workstream.priority,
    constraints: constraintsOf(workstream),
    base: baseOf(workstream),
    matrix: workstream.matrix,
    definition: workstream.extra,
  };
}

function emptyMetadata(title: string, file: string, position: number): ResultMetadata {
  return {
    title,
    kind: null,
    file,
    position,
    priority: 0,
    constraints: null,
    output: null,
    metrics: {},
    base: null,
    matrix: null,
    series: {},
    outputs: [],
    steps: [],
    tools: [],
    changes: null,
    merge: null,
    earlierAttempts: [],
    limitWaits: [],
    candidates: [],
    reviews: [],
    gaveUp: null,
    compensation: [],
    host: null,
    cache: null,
    tail: null,
    definition: {},
  };
}

function summarizeTests(tests: TestResult[]): TestSummary {
  if (tests.length === 0) return { total: 0, passed: 0, failed: 0, manual: 0, cases: null, tests };
  const count = (status: TestResult['status']): number =>
    tests.filter((test) => test.status === status).length;
  const passed = count('passed');
  const failed = count('failed');
  const cases = addUp(tests.flatMap(({ counts }) => (counts === null ? [] : [counts])));
  return { total: passed + failed, passed, failed, manual: count('manual'), cases, tests };
}

function addUp(counts: TestCounts[]): TestCounts | null {
  if (counts.length === 0) return null;
  const sum = (name: keyof TestCounts): number => counts.reduce((total, one) => total + one[name], 0);
  return { total: sum('total'), passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}
