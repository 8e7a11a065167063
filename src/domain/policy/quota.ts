/**
 * Kinds of workstreams of which only so many agents may have some at once, because what executes them is bounded too.
 * A kind is a number from 0, a workstream its position in the plan.
 */
export interface Quotas {
  /** By workstream: its kind. */
  readonly kindOf: Int32Array;
  /** Number of kinds. */
  readonly kinds: number;
  /** How many agents may have workstreams of a kind now: 0 for none yet, `Infinity` for as many as there are. */
  quotaOf(kind: number): number;
}
