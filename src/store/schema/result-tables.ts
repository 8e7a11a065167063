/** The tables that a result is stored in: the one description of their columns. CONTRIBUTING.md says how to add one. */
import { z } from 'zod';
import { shapeId, shapeOfError } from '../../analysis/patterns/error-shape.ts';
import type { AgentResult, ResultError, ResultMetadata } from '../../domain/agent-result.ts';
import type { AttemptRecord } from '../../domain/attempt.ts';
import { type TestCase, testCaseSchema } from '../../domain/outcome.ts';
import { type Spending, spendingOf, sumKnown } from '../../domain/tool-report.ts';
import { isoTime, nameCell, numberCell, textCell } from './cells.ts';
import {
  errorsCell,
  failureCell,
  metadataCell,
  NO_LIST,
  NO_TESTS,
  testsCell,
  textsCell,
  usageCell,
  writeFailure,
  writeList,
  writeMetadata,
  writeTests,
  writeUsage,
} from './result-cells.ts';
import { type SqlValue, type TableColumn, tableOf } from './table.ts';

/**
 * Whether a result says no more than that its workstream completed at the first attempt, as most do. Every column with a
 * `plain` cell has that cell for each of these.
 */
export function isPlain(result: AgentResult): boolean {
  const { testResults, metadata } = result;
  return (
    result.status === 'completed' &&
    result.attempts === 1 &&
    result.warnings.length === 0 &&
    result.filesModified.length === 0 &&
    result.commitsCreated.length === 0 &&
    result.errors.length === 0 &&
    result.reason === null &&
    result.explanation === null &&
    result.failure === null &&
    result.usage === null &&
    result.logFile === null &&
    result.fromRun === null &&
    testResults.total === 0 &&
    testResults.tests.length === 0 &&
    metadata.output === null &&
    metadata.matrix === null &&
    isEmpty(metadata.series) &&
    metadata.outputs.length === 0 &&
    metadata.changes === null &&
    metadata.merge === null &&
    metadata.cache === null &&
    metadata.tools.length === 0 &&
    metadata.earlierAttempts.length === 0 &&
    metadata.limitWaits.length === 0 &&
    isEmpty(metadata.metrics)
  );
}

function isEmpty(fields: object): boolean {
  for (const name in fields) if (Object.hasOwn(fields, name)) return false;
  return true;
}

const resultColumn = <Cell extends z.ZodType>(
  read: Cell,
  write: (result: AgentResult) => SqlValue,
  plain?: SqlValue,
): TableColumn<AgentResult, Cell> => ({ read, write, ...(plain === undefined ? {} : { plain }) });

const timeCell = textCell.transform(isoTime);

export const resultTable = tableOf<AgentResult>()('agent_results', {
  run_id: resultColumn(z.string(), ({ runId }) => runId),
  agent_id: resultColumn(textCell, ({ agentId }) => agentId),
  workstream_id: resultColumn(nameCell, ({ workstreamId }) => workstreamId),
  status: resultColumn(nameCell, ({ status }) => status, 'completed'),
  start_time: resultColumn(timeCell, ({ startTime }) => startTime),
  end_time: resultColumn(timeCell, ({ endTime }) => endTime),
  duration_seconds: resultColumn(numberCell, ({ durationSeconds }) => durationSeconds),
  files_modified: resultColumn(textsCell, ({ filesModified }) => writeList(filesModified), NO_LIST),
  commits_created: resultColumn(textsCell, ({ commitsCreated }) => writeList(commitsCreated), NO_LIST),
  errors: resultColumn(errorsCell, ({ errors }) => writeList(errors), NO_LIST),
  warnings: resultColumn(textsCell, ({ warnings }) => writeList(warnings), NO_LIST),
  test_results: resultColumn(testsCell, ({ testResults }) => writeTests(testResults), NO_TESTS),
  metadata: resultColumn(metadataCell, ({ metadata }) => writeMetadata(metadata)),
  title: resultColumn(textCell, ({ metadata }) => metadata.title),
  /** In rows of other versions also a word that is no reason of this one. */
  reason: resultColumn(textCell, ({ reason }) => reason, null),
  explanation: resultColumn(textCell, ({ explanation }) => explanation, null),
  failure: resultColumn(failureCell, ({ failure }) => writeFailure(failure), null),
  cpu_seconds: resultColumn(numberCell, ({ cpuSeconds }) => cpuSeconds),
  cpu_wait_seconds: resultColumn(numberCell, ({ cpuWaitSeconds }) => cpuWaitSeconds),
  usage: resultColumn(usageCell, ({ usage }) => writeUsage(usage), null),
  /** Null in rows of the older system. */
  attempts: resultColumn(numberCell, ({ attempts }) => attempts, 1),
  log_file: resultColumn(textCell, ({ logFile }) => logFile, null),
  has_output: resultColumn(numberCell, ({ metadata }) => (hasOutput(metadata) ? 1 : 0), 0),
  has_matrix: resultColumn(numberCell, ({ metadata }) => (metadata.matrix === null ? 0 : 1), 0),
  output_files: resultColumn(numberCell, ({ metadata }) => metadata.outputs.length, 0),
  series_count: resultColumn(numberCell, ({ metadata }) => Object.keys(metadata.series).length, 0),
  tool: resultColumn(textCell, ({ metadata }) => metadata.tools.at(-1)?.tool ?? null, null),
  model: resultColumn(textCell, ({ metadata }) => metadata.tools.at(-1)?.model ?? null, null),
  cost_usd: resultColumn(numberCell, ({ metadata }) => spent(metadata, 'costUsd'), null),
  input_tokens: resultColumn(numberCell, ({ metadata }) => spent(metadata, 'inputTokens'), null),
  output_tokens: resultColumn(numberCell, ({ metadata }) => spent(metadata, 'outputTokens'), null),
  branch: resultColumn(textCell, ({ metadata }) => metadata.changes?.branch ?? null, null),
  merge_status: resultColumn(textCell, ({ metadata }) => metadata.merge?.status ?? null, null),
  merge_partner: resultColumn(textCell, ({ metadata }) => metadata.merge?.partner ?? null, null),
  merge_test: resultColumn(textCell, ({ metadata }) => metadata.merge?.failingTest ?? null, null),
  from_run: resultColumn(textCell, ({ fromRun }) => fromRun, null),
  saved_seconds: resultColumn(numberCell, ({ savedSeconds }) => savedSeconds, null),
  definition_hash: resultColumn(textCell, ({ definitionHash }) => definitionHash),
});

const hasOutput = ({ output, metrics }: ResultMetadata): boolean => output !== null || !isEmpty(metrics);

/** Of all attempts and their reviews together. Most workstreams use no tool. */
function spent(
  { tools, earlierAttempts, limitWaits, reviews }: ResultMetadata,
  what: keyof Spending,
): number | null {
  if (tools.length + earlierAttempts.length + limitWaits.length + reviews.length === 0) return null;
  const waits = what === 'costUsd' ? limitWaits.map(({ costUsd }) => costUsd) : [];
  const others = [...earlierAttempts, ...reviews].map((each) => each[what]);
  return sumKnown([spendingOf(tools)[what], ...others, ...waits]);
}

/** An attempt of a workstream. The times are null for one that was never begun. */
export interface StoredAttempt {
  runId: string;
  workstreamId: string;
  attempt: Omit<AttemptRecord, 'startTime' | 'durationSeconds'> & {
    startTime: string | null;
    durationSeconds: number | null;
  };
}

const attemptColumn = <Cell extends z.ZodType>(
  read: Cell,
  write: (attempt: StoredAttempt['attempt']) => SqlValue,
): TableColumn<StoredAttempt, Cell> => ({ read, write: ({ attempt }) => write(attempt) });

export const attemptTable = tableOf<StoredAttempt>()('workstream_attempts', {
  run_id: { read: z.string(), write: ({ runId }) => runId },
  workstream_id: { read: z.string(), write: ({ workstreamId }) => workstreamId },
  attempt: attemptColumn(z.number(), ({ attempt }) => attempt),
  agent_id: attemptColumn(z.string(), ({ agentId }) => agentId),
  tool: attemptColumn(textCell, ({ tool }) => tool),
  model: attemptColumn(textCell, ({ model }) => model),
  reason: attemptColumn(textCell, ({ reason }) => reason),
  explanation: attemptColumn(textCell, ({ explanation }) => explanation),
  failure: attemptColumn(failureCell, ({ failure }) => writeFailure(failure)),
  pattern: attemptColumn(textCell, ({ pattern }) => pattern),
  shape_id: attemptColumn(textCell, ({ reason, pattern }) =>
    reason === null || pattern === null ? null : shapeId(reason, pattern),
  ),
  start_time: attemptColumn(textCell, ({ startTime }) => startTime),
  duration_seconds: attemptColumn(numberCell, ({ durationSeconds }) => durationSeconds),
  cost_usd: attemptColumn(numberCell, ({ costUsd }) => costUsd),
  input_tokens: attemptColumn(numberCell, ({ inputTokens }) => inputTokens),
  output_tokens: attemptColumn(numberCell, ({ outputTokens }) => outputTokens),
  content_hash: attemptColumn(textCell, ({ contentHash }) => contentHash),
  log_file: attemptColumn(textCell, ({ logFile }) => logFile),
});

/** An error of a failed result. */
export interface RecordedError {
  result: AgentResult;
  error: ResultError;
  isFirst: boolean;
}

/** A result's own pattern is that of its first error. */
function patternOf({ result, error: { type, message }, isFirst }: RecordedError): string {
  if (isFirst && result.pattern !== null) return result.pattern;
  return shapeOfError({ type, message, tail: result.metadata.tail });
}

const errorColumn = <Cell extends z.ZodType>(
  read: Cell,
  write: (recorded: RecordedError) => SqlValue,
): TableColumn<RecordedError, Cell> => ({ read, write });

export const errorTable = tableOf<RecordedError>()('consolidated_errors', {
  run_id: errorColumn(z.string(), ({ result }) => result.runId),
  error_type: errorColumn(textCell, ({ error }) => error.type),
  error_message: errorColumn(textCell, ({ error }) => error.message),
  workstream_id: errorColumn(textCell, ({ result }) => result.workstreamId),
  agent_id: errorColumn(textCell, ({ result }) => result.agentId),
  timestamp: errorColumn(timeCell, ({ result }) => result.endTime ?? new Date().toISOString()),
  // The stack that a result has is that of its first error.
  stack_trace: errorColumn(textCell, ({ result, isFirst }) => (isFirst ? result.stack : null)),
  /** The shape of the error. In rows of earlier versions, which have no `shape_id`, it was made by other rules. */
  pattern: errorColumn(textCell, patternOf),
  shape_id: errorColumn(textCell, (recorded) => shapeId(recorded.error.type, patternOf(recorded))),
  tail: errorColumn(textCell, ({ result }) => result.metadata.tail),
  log_file: errorColumn(textCell, ({ result }) => result.logFile),
});

/** A test that an acceptance test ran. */
export interface RecordedCase {
  result: AgentResult;
  acceptanceTest: string;
  /** Of the acceptance test among those of the workstream, from 0. */
  position: number;
  testCase: TestCase;
}

const caseColumn = <Cell extends z.ZodType>(
  read: Cell,
  write: (recorded: RecordedCase) => SqlValue,
): TableColumn<RecordedCase, Cell> => ({ read, write });

export const testCaseTable = tableOf<RecordedCase>()('test_cases', {
  run_id: caseColumn(z.string(), ({ result }) => result.runId),
  workstream_id: caseColumn(z.string(), ({ result }) => result.workstreamId),
  acceptance_test: caseColumn(z.string(), ({ acceptanceTest }) => acceptanceTest),
  position: caseColumn(z.number(), ({ position }) => position),
  suite: caseColumn(z.string(), ({ testCase }) => testCase.suite),
  name: caseColumn(z.string(), ({ testCase }) => testCase.name),
  status: caseColumn(testCaseSchema.shape.status, ({ testCase }) => testCase.status),
  duration_seconds: caseColumn(numberCell, ({ testCase }) => testCase.durationSeconds),
  message: caseColumn(textCell, ({ testCase }) => testCase.message),
});
