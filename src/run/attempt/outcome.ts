/** Outcomes made from others, and the interruption that can be the reason. */
import type { Failure } from '../../domain/failure.ts';
import { failedOutcome, type Outcome } from '../../domain/outcome.ts';
import type { ToolReport } from '../../domain/tool.ts';

/** What ended a run that reached its limit, in place of a signal. */
export const MAX_TIME = '--max-time';

/** Why a run stopped before its end. */
export interface Interruption {
  /** A signal's name, what a person did, or `MAX_TIME`. */
  by: string;
  detail: string;
}

export function withFailure(outcome: Outcome, failure: Failure): Outcome {
  return { ...outcome, status: 'failed', failure };
}

export function withWarnings(outcome: Outcome, warnings: readonly string[]): Outcome {
  return warnings.length === 0 ? outcome : { ...outcome, warnings: [...outcome.warnings, ...warnings] };
}

/** The outcome of an attempt that could not be executed. */
export function unexecutedOutcome(failure: Failure): Outcome {
  const now = Date.now();
  return failedOutcome(failure, { startedAt: now, endedAt: now, durationSeconds: 0 }, null);
}

/** Whatever failure a thread reported that an interruption ended, the interruption was the cause. */
export function whenInterrupted(outcome: Outcome, interruption: Interruption | null): Outcome {
  if (interruption === null || outcome.failure === null) return outcome;
  return withFailure(outcome, { reason: 'interrupted', detail: interruption.detail });
}

/** Whatever failure a workstream ended with that a person had asked to stop, that was the cause. */
export function whenStopped(outcome: Outcome, by: string): Outcome {
  if (outcome.failure === null) return outcome;
  return withFailure(outcome, { reason: 'cancelled', detail: 'it was running', by });
}

/** What the tools of an attempt reported. */
export function reportsOf({ steps }: Outcome): ToolReport[] {
  const reports: ToolReport[] = [];
  for (const { tool } of steps) if (tool !== null) reports.push(tool);
  return reports;
}
