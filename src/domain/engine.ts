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

/** What an agent is handed: an assignment, and what the engine adds to it. */
export interface BatchItem {
  assignment: Assignment;
  /** By which everything it starts can be found: each process has it in its environment (`MILLRACE_EXECUTION`). */
  mark: string;
  /** For modules that are not JavaScript: path of the module to path of its compiled form. */
  compiled: Record<string, string>;
}

/** What an agent is handed at once, and executes one after the other. */
export interface AssignmentBatch {
  /**
   * A `Handed` each, as JSON: what one execution does to its own reaches no other, although the main thread keeps one
   * empty list for all workstreams.
   */
  handed: string[];
  /** By what is handed, one of `CLAIM`, in memory that both sides share: an agent begins what it could claim. */
  claims: Int32Array;
}

/** Who has an assignment of a lot: nobody yet, the agent, or the main thread that took it back. */
export const CLAIM = { open: 0, begun: 1, takenBack: 2 } as const;

/** How a process ended that was not to end yet. One of the two is null. */
export interface Death {
  exitCode: number | null;
  signal: string | null;
}

/** Ends the sentence "The process …". */
export function describeDeath({ exitCode, signal }: Death): string {
  return signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
}
