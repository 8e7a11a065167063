import { normalize } from '../analysis/patterns.ts';
import type { AttemptRecord } from '../domain/attempt.ts';
import type { Changes } from '../domain/changes.ts';
import type { Failure } from '../domain/failure.ts';
import { describeFailure } from '../domain/failure-message.ts';
import type { Outcome } from '../domain/outcome.ts';
import { spendingOf } from '../domain/spending.ts';

/** What is kept of an attempt that is not the one whose result counts. */
export function attemptRecord(
  attempt: number,
  agentId: string,
  outcome: Outcome,
  failure: Failure | null,
  changes: Changes | null,
): AttemptRecord {
  const reports = outcome.steps.flatMap(({ tool }) => (tool === null ? [] : [tool]));
  const explanation = failure === null ? null : describeFailure(failure);
  return {
    attempt,
    agentId,
    tool: reports.at(-1)?.tool ?? null,
    model: reports.at(-1)?.model ?? null,
    reason: failure?.reason ?? null,
    explanation,
    pattern: explanation === null ? null : normalize(explanation),
    startTime: new Date(outcome.startedAt).toISOString(),
    durationSeconds: outcome.durationSeconds,
    ...spendingOf(reports),
    contentHash: changes?.contentHash ?? null,
    logFile: outcome.logFile,
  };
}
