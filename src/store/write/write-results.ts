/** From results to their rows. Runs inside the recorder's transaction. */
import type { AgentResult } from '../../domain/agent-result.ts';
import type { AttemptRecord } from '../../domain/attempt.ts';
import { spendingOf } from '../../domain/tool-report.ts';
import type { StoredAttempt } from '../schema/result-tables.ts';
import type { Statements } from './recorder-statements.ts';

/** Writes the rows of results in their order, with those of their attempts, errors and test cases. */
export function writeResults(statements: Statements, results: readonly AgentResult[]): void {
  statements.results(results);
  for (const result of results) {
    writeAttempts(statements, result);
    if (result.status === 'failed') writeErrors(statements, result);
    writeTestCases(statements, result);
  }
}

function writeErrors(statements: Statements, result: AgentResult): void {
  for (const [index, error] of result.errors.entries()) {
    statements.error({ result, error, isFirst: index === 0 });
  }
}

function writeTestCases(statements: Statements, result: AgentResult): void {
  if (result.testResults.tests.length === 0) return;
  for (const [position, test] of result.testResults.tests.entries()) {
    for (const testCase of test.cases) {
      statements.testCase({ result, acceptanceTest: test.name, position, testCase });
    }
  }
}

/** Writes each attempt of a workstream that used a tool or was tried more than once; the others have their result. */
function writeAttempts(statements: Statements, result: AgentResult): void {
  const { runId, workstreamId } = result;
  const { earlierAttempts, tools } = result.metadata;
  if (earlierAttempts.length === 0 && tools.length === 0) return;
  for (const attempt of earlierAttempts) statements.attempt({ runId, workstreamId, attempt });
  if (result.attempts > earlierAttempts.length)
    statements.attempt({ runId, workstreamId, attempt: lastAttempt(result) });
}

function lastAttempt(result: AgentResult): StoredAttempt['attempt'] {
  const { tools, changes, earlierAttempts, candidates } = result.metadata;
  const chosen = candidates.find((candidate) => candidate.chosen);
  return {
    attempt: chosen?.attempt ?? freeNumber(earlierAttempts, result.attempts),
    agentId: result.agentId,
    tool: tools.at(-1)?.tool ?? null,
    model: tools.at(-1)?.model ?? null,
    reason: result.reason,
    explanation: result.explanation,
    failure: result.failure,
    pattern: result.pattern,
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
