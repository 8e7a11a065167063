import type { RunListener } from '../domain/run-event.ts';

export interface ViewOptions {
  /** A terminal. */
  stream: NodeJS.WriteStream;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** A run that is under way, on a terminal. */
export interface View {
  listener: RunListener;
  /** Frees the terminal until `resume`, because it is needed to ask something. */
  pause(): void;
  resume(): void;
  /** Leaves the terminal clean, so that a summary can follow. Idempotent. */
  stop(): void;
}
