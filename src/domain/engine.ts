import type { Assignment } from './assignment.ts';
import type { Outcome } from './outcome.ts';

/** What an engine tells while an execution is under way. */
export type EngineMessage =
  | { type: 'progress'; fraction: number | null; text: string }
  | { type: 'log'; line: string }
  | { type: 'replaced'; why: string };

export interface EngineRunOptions {
  /** Aborted with a `CancelReason` to stop the execution. */
  signal: AbortSignal;
  onMessage(message: EngineMessage): void;
}

/** Why an execution is stopped from outside. */
export type CancelReason = 'interrupted' | 'cancelled';

/**
 * Executes assignments. `run` never rejects because of what a workstream did, and has ended everything that the
 * workstream started by the time it resolves.
 */
export interface Engine {
  run(assignment: Assignment, options: EngineRunOptions): Promise<Outcome>;
  /** Ends all threads. Idempotent. */
  close(): Promise<void>;
}
