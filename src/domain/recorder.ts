import type { RunEvent } from './run-event.ts';
import type { ExecutionSummary } from './run-record.ts';

/**
 * The only writer of the store. `take` buffers, `commit` survives the death of the process, `sync` that of the machine.
 * Nothing may be announced before the `sync` that follows its `commit`.
 */
export interface Recorder {
  /** Takes what of these events is worth keeping, in their order. */
  take(events: readonly RunEvent[]): void;
  /** Writes everything taken so far in one transaction. Throws when the disk or the database refuses. */
  commit(): void;
  /** Resolves when everything committed so far is on the disk; rejects when the disk refuses. */
  sync(): Promise<void>;
  /**
   * Writes the run's own totals, summary and recommendations, and marks it as ended or interrupted.
   * @param report done before that is committed, so that a run that has ended has its report; must not throw.
   */
  finish(end: RunEnd, report?: () => void): void;
  /** Seconds that the main thread spent writing so far. Waiting for the disk does not count: it blocks no thread. */
  readonly seconds: number;
}

export interface RunEnd {
  runId: string;
  at: string;
  state: 'ended' | 'interrupted';
  summary: ExecutionSummary;
  recommendations: string[];
}
