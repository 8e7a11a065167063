import type { Assignment } from './assignment.ts';

/** What an agent is handed: an assignment, and what the engine adds to it. */
export interface Handed {
  assignment: Assignment;
  /** By which everything it starts can be found: each process has it in its environment (`MILLRACE_EXECUTION`). */
  mark: string;
  /** For modules that are not JavaScript: path of the module to path of its compiled form. */
  compiled: Record<string, string>;
}

/** What an agent is handed at once, and executes one after the other. */
export interface Lot {
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
