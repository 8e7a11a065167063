/** How the engine on threads passes assignments to them. Known to `src/engine` and the entries of agents only. */
import type { Assignment } from './assignment.ts';

/** An assignment with absolute paths, and what the engine adds to it. */
export interface BatchItem {
  assignment: Assignment;
  /** By which everything it starts can be found: each process has it in its environment (`MILLRACE_EXECUTION`). */
  mark: string;
  /** For modules that are not JavaScript: path of the module to path of its compiled form. */
  compiled: Record<string, string>;
}

/** What a thread is given at once, and executes one after the other. */
export interface AssignmentBatch {
  /**
   * A `BatchItem` each, as JSON: what one execution does to its own reaches no other, although the main thread keeps
   * one empty list for all workstreams.
   */
  items: string[];
  /** By item, one of `CLAIM`, in memory that both sides share: an agent starts what it could claim. */
  claims: Int32Array;
}

/** Who has an item of a batch: neither side yet, the agent, or the main thread, which took it back. */
export const CLAIM = { open: 0, started: 1, takenBack: 2 } as const;
