/** What a run needs of whatever executes its workstreams, on this machine or elsewhere. */
import type { Assignment } from './assignment.ts';
import type { Outcome } from './outcome.ts';

/**
 * What an engine reports during an execution. `replaced`: the agent's thread has been replaced by a new one. `began`: an
 * agent of another machine has begun with it, at `at` in milliseconds since 1970; again where it had to begin once more.
 * `session`: the tool of a tool step has named the session that it works in, on this machine.
 */
export type EngineMessage =
  | { type: 'began'; agentId: string; at: number }
  | { type: 'progress'; fraction: number | null; text: string }
  | { type: 'log'; line: string }
  | { type: 'session'; stepId: string; tool: string; sessionId: string }
  | { type: 'replaced'; why: string };

export interface ExecuteOptions {
  /** Aborted with a `CancelReason` to stop the execution. */
  signal: AbortSignal;
  onMessage(message: EngineMessage): void;
}

/** Why an execution is stopped from outside. */
export type CancelReason = 'interrupted' | 'cancelled';

/** Why the main thread stops an execution: decides the failure's reason. */
export type StopCause = CancelReason | 'timed-out' | 'output-limit';

/** `index` is the position of its assignment in the batch. */
export interface BatchOutcome {
  index: number;
  outcome: Outcome;
}

/** Which members of a batch are to be stopped by themselves, by their indices. */
export class MemberStops {
  readonly #stopped = new Set<number>();
  #listener: (index: number) => void = () => undefined;

  stop(index: number): void {
    this.#stopped.add(index);
    this.#listener(index);
  }

  /** Called by the engine: for each member that is stopped already, at once, and for each that is from now on. */
  listen(listener: (index: number) => void): void {
    this.#listener = listener;
    for (const index of this.#stopped) listener(index);
  }
}

export interface BatchOptions {
  /** Aborted with a `CancelReason`: what has begun is stopped, the rest is returned. */
  signal: AbortSignal;
  /** Members to stop: one that has begun is stopped as `cancelled`, one that has not is returned. Default: none. */
  stops?: MemberStops;
  onMessage: (index: number, message: EngineMessage) => void;
  /** Called with outcomes as they arrive, in the order in which they ended. */
  onOutcomes: (outcomes: readonly BatchOutcome[]) => void;
  /** Called with the index of what takes longer than the others may wait: it began at `at`, in milliseconds since 1970. */
  onBegun?: (index: number, at: number) => void;
  /** Called with the indices of what is returned while others are still executed: any agent may execute it at once. */
  onReturned?: (indices: readonly number[]) => void;
}

export interface Engine {
  /**
   * Executes an assignment. Never rejects because of what a workstream did, and has ended everything that the workstream
   * started by the time it resolves.
   */
  execute(assignment: Assignment, options: ExecuteOptions): Promise<Outcome>;
  /**
   * An optional capability: executes assignments of one agent in their order, also while that agent is still executing
   * another batch: then they wait for it. Of each either its outcome is passed to `onOutcomes`, or its index is among
   * those that it resolves with: that one was not begun soon, nothing of it has happened, and any agent may execute it.
   * Otherwise as `execute`. Where the agent had nothing else to do, the first is always begun.
   */
  executeBatch?(assignments: readonly Assignment[], options: BatchOptions): Promise<readonly number[]>;
  /** Of an engine whose agents are on other machines: each execution begins when that is reported. */
  readonly isRemote?: true;
  /** The result of a workstream is on the disk: what is kept of its executions until then may go. Never throws. */
  acknowledge?(workstreamId: string): void;
  /** Ends all executions and agents. Idempotent. */
  close(): Promise<void>;
}

/** An engine whose agents are threads and processes of this machine. */
export interface LocalEngine extends Engine {
  /** From now on that many agents execute at once; those that are too many end when they become idle. */
  resize(agents: number): void;
  /** Number of active executions that have started a process which is known to be alive. */
  readonly inChildren: number;
}
