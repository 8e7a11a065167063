/** From a result to its rows. Runs inside the recorder's transaction. */
import type { AgentResult, ResultMetadata } from '../../domain/agent-result.ts';
import type { AttemptRecord } from '../../domain/attempt.ts';
import type { Failure } from '../../domain/failure.ts';
import { type Spending, spendingOf, sumKnown } from '../../domain/tool-report.ts';
import { normalizeMessage } from '../../text/normalize-message.ts';
import type { Statements } from './recorder-statements.ts';
import { testsCell, writeTestCases } from './test-cases.ts';

/**
 * Writes the row of a result, of each of its errors and of its test cases. With that its live state counts no more.
 * @param definitionHash of the definition that was run; null where it could not be.
 */
export function writeResult(
  statements: Statements,
  result: AgentResult,
  definitionHash: string | null,
): void {
  writeRow(statements, result, definitionHash);
  writeAttempts(statements, result);
  if (result.status === 'failed') writeErrors(statements, result);
  writeTestCases(statements, result);
}

function writeRow(statements: Statements, result: AgentResult, definitionHash: string | null): void {
  const { metadata } = result;
  const hasOutput = metadata.output !== null || Object.keys(metadata.metrics).length > 0;
  const spending = spendingOfAll(metadata);
  statements.result.run(
    result.runId,
    result.agentId,
    result.workstreamId,
    result.status,
    result.startTime,
    result.endTime,
    result.durationSeconds,
    list(result.filesModified),
    list(result.commitsCreated),
    list(result.errors),
    list(result.warnings),
    testsCell(result.testResults),
    metadataCell(metadata),
    metadata.title,
    result.reason,
    result.explanation,
    result.cpuSeconds,
    result.cpuWaitSeconds,
    result.attempts,
    result.logFile,
    hasOutput ? 1 : 0,
    metadata.tools.at(-1)?.tool ?? null,
    metadata.tools.at(-1)?.model ?? null,
    spending.costUsd,
    spending.inputTokens,
    spending.outputTokens,
    metadata.changes?.branch ?? null,
    metadata.merge?.status ?? null,
    definitionHash,
    failureCell(result.failure),
  );
}

/** Of all attempts together. Most workstreams use no tool. */
function spendingOfAll({ tools, earlierAttempts }: ResultMetadata): Spending {
  const last = spendingOf(tools);
  if (earlierAttempts.length === 0) return last;
  return {
    costUsd: sumKnown([last.costUsd, ...earlierAttempts.map(({ costUsd }) => costUsd)]),
    inputTokens: sumKnown([last.inputTokens, ...earlierAttempts.map(({ inputTokens }) => inputTokens)]),
    outputTokens: sumKnown([last.outputTokens, ...earlierAttempts.map(({ outputTokens }) => outputTokens)]),
  };
}

function writeErrors(statements: Statements, result: AgentResult): void {
  const at = result.endTime ?? new Date().toISOString();
  for (const [index, error] of result.errors.entries()) {
    statements.error.run(
      result.runId,
      error.type,
      error.message,
      result.workstreamId,
      result.agentId,
      at,
      // The stack and the pattern that a result has are those of its first error.
      index === 0 ? result.stack : null,
      index === 0 && result.pattern !== null ? result.pattern : normalizeMessage(error.message),
      result.metadata.tail,
      result.logFile,
    );
  }
}

/** Of what most workstreams have none of, such as tools, only what there is. */
function metadataCell(metadata: ResultMetadata): string {
  const { title, file, position, priority } = metadata;
  return JSON.stringify({
    title,
    kind: metadata.kind ?? undefined,
    file,
    position,
    priority,
    output: metadata.output ?? undefined,
    metrics: fieldsOf(metadata.metrics),
    steps: entriesOf(metadata.steps),
    tools: entriesOf(metadata.tools),
    changes: metadata.changes ?? undefined,
    merge: metadata.merge ?? undefined,
    earlierAttempts: entriesOf(metadata.earlierAttempts),
    candidates: entriesOf(metadata.candidates),
    gaveUp: metadata.gaveUp ?? undefined,
    compensation: entriesOf(metadata.compensation),
    tail: metadata.tail ?? undefined,
    definition: fieldsOf(metadata.definition),
  } satisfies Record<keyof ResultMetadata, unknown>);
}

const entriesOf = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

const fieldsOf = <T extends object>(fields: T): T | undefined =>
  Object.keys(fields).length === 0 ? undefined : fields;

const failureCell = (failure: Failure | null): string | null =>
  failure === null ? null : JSON.stringify(failure);

const list = (values: readonly unknown[]): string => (values.length === 0 ? '[]' : JSON.stringify(values));

/** From a result to the rows of its attempts. Runs inside the recorder's transaction. */

/** Writes each attempt of a workstream that used a tool or was tried more than once; the others have their result. */
function writeAttempts(statements: Statements, result: AgentResult): void {
  const { earlierAttempts, tools } = result.metadata;
  if (earlierAttempts.length === 0 && tools.length === 0) return;
  for (const attempt of earlierAttempts) writeAttempt(statements, result, attempt);
  if (result.attempts > earlierAttempts.length) writeAttempt(statements, result, lastAttempt(result));
}

type AttemptRow = Omit<
  AttemptRecord,
  'reason' | 'explanation' | 'pattern' | 'startTime' | 'durationSeconds'
> & {
  reason: string | null;
  explanation: string | null;
  startTime: string | null;
  durationSeconds: number | null;
};

function lastAttempt(result: AgentResult): AttemptRow {
  const { tools, changes, earlierAttempts } = result.metadata;
  return {
    attempt: freeNumber(earlierAttempts, result.attempts),
    agentId: result.agentId,
    tool: tools.at(-1)?.tool ?? null,
    model: tools.at(-1)?.model ?? null,
    reason: result.reason,
    explanation: result.explanation,
    failure: result.failure,
    startTime: result.startTime,
    durationSeconds: result.durationSeconds,
    ...spendingOf(tools),
    contentHash: changes?.contentHash ?? null,
    logFile: result.logFile,
  };
}

/** The last one, unless that was a candidate that was not chosen. */
function freeNumber(others: readonly AttemptRecord[], count: number): number {
  const taken = new Set(others.map(({ attempt }) => attempt));
  let number = count;
  while (taken.has(number)) number -= 1;
  return number;
}

function writeAttempt(statements: Statements, result: AgentResult, attempt: AttemptRow): void {
  statements.attempt.run(
    result.runId,
    result.workstreamId,
    attempt.attempt,
    attempt.agentId,
    attempt.tool,
    attempt.model,
    attempt.reason,
    attempt.explanation,
    attempt.startTime,
    attempt.durationSeconds,
    attempt.costUsd,
    attempt.inputTokens,
    attempt.outputTokens,
    attempt.contentHash,
    attempt.logFile,
    failureCell(attempt.failure),
  );
}
