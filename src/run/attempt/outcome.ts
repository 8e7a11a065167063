/** Outcomes made from others. */
import type { Failure } from '../../domain/failure.ts';
import { failedOutcome, type Outcome } from '../../domain/outcome.ts';

export function withFailure(outcome: Outcome, failure: Failure): Outcome {
  return { ...outcome, status: 'failed', failure };
}

export function withWarnings(outcome: Outcome, warnings: readonly string[]): Outcome {
  return warnings.length === 0 ? outcome : { ...outcome, warnings: [...outcome.warnings, ...warnings] };
}

/** The outcome of an attempt that never came to its steps. */
export function unexecutedOutcome(failure: Failure): Outcome {
  const now = Date.now();
  return failedOutcome(failure, { startedAt: now, endedAt: now, durationSeconds: 0 }, null);
}
