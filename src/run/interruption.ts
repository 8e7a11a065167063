import type { Outcome } from '../domain/outcome.ts';
import { withFailure } from './attempt/outcome.ts';

/** Why a run stopped before its end. */
export interface Interruption {
  /** A signal's name, or what a person did. */
  by: string;
  detail: string;
}

/** Whatever a thread that was ended by an interruption gave as its failure, the interruption was the cause. */
export function whenInterrupted(outcome: Outcome, interruption: Interruption | null): Outcome {
  if (interruption === null || outcome.failure === null) return outcome;
  return withFailure(outcome, { reason: 'interrupted', detail: interruption.detail });
}
