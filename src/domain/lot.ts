import type { Assignment } from './assignment.ts';

/** What an agent is handed: an assignment, and the mark by which everything it starts can be found. */
export interface MarkedAssignment extends Assignment {
  /** A UUID; every process of the execution has it in its environment (`MILLRACE_EXECUTION`). */
  mark: string;
}

/** What an agent is handed at once: assignments that it executes one after the other. */
export interface Lot {
  assignments: MarkedAssignment[];
  /** By assignment, one of `CLAIM`, in memory that both sides share: an agent begins what it could claim. */
  claims: Int32Array;
}

/** Who has an assignment of a lot: nobody yet, the agent, or the main thread that took it back. */
export const CLAIM = { open: 0, begun: 1, takenBack: 2 } as const;
