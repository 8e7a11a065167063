/** From a result to the rows of its attempts. Runs inside the recorder's transaction. */
import type { AgentResult } from '../domain/agent-result.ts';
import type { AttemptRecord } from '../domain/attempt.ts';
import { spendingOf } from '../domain/spending.ts';
import type { Statements } from './recorder-statements.ts';

/** Writes each attempt of a workstream that used a tool or was tried more than once; the others have their result. */
export function writeAttempts(statements: Statements, result: AgentResult): void {
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
  );
}
