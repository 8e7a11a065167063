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
  /**
   * As `run`, behind what the same agent has in hand, where handing out would take longer than the work. Resolves with
   * null when it was not begun within some 20 ms: then nothing of it has happened, and somebody else may have it.
   */
  lineUp(assignment: Assignment, options: EngineRunOptions): Promise<Outcome | null>;
  /** Number of executions in hand that have started a process which is known to be alive. */
  readonly inChildren: number;
  /** Ends all threads. Idempotent. */
  close(): Promise<void>;
}

/** An engine whose number of agents can change while it runs. */
export interface ScalableEngine extends Engine {
  /** From now on that many run at once. What is in hand goes on; threads that are too many end when they have nothing. */
  resize(agents: number): void;
}
