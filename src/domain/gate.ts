/** Keeps workstreams of a run from running beside those of other runs. A workstream is its position in the plan. */
export interface Gate {
  /** Whether nothing at all may be started for now. */
  readonly isShut: boolean;
  /**
   * Whether a workstream that may run as far as its own run is concerned may also run beside what other runs have in
   * hand. Takes what it has to hold, all of it or nothing. One that was refused may be asked for again once
   * something was given up.
   */
  admit(index: number): boolean;
  /** Says that it does not run any more, or was not begun. */
  leave(index: number): void;
}

/** Of a run that has its database for itself. */
export const OPEN_GATE: Gate = { isShut: false, admit: () => true, leave: () => undefined };
