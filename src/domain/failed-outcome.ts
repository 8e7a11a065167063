import type { Failure } from './failure.ts';
import type { Outcome } from './outcome.ts';

/** When an execution began and ended, and how long it took. */
export type OutcomeSpan = Pick<Outcome, 'startedAt' | 'endedAt' | 'durationSeconds'>;

/**
 * The outcome of an execution that found nothing out, or can't tell.
 * @param logFile absolute path of what it printed; null for nothing.
 */
export function failedOutcome(failure: Failure, span: OutcomeSpan, logFile: string | null): Outcome {
  return {
    status: 'failed',
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    durationSeconds: span.durationSeconds,
    cpuSeconds: null,
    cpuWaitSeconds: null,
    steps: [],
    tests: [],
    output: null,
    filesModified: [],
    metrics: {},
    warnings: [],
    failure,
    logFile,
  };
}
