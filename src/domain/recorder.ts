import type { ExecutionSummary } from './run-record.ts';
import type { RunEvent } from './run-event.ts';

/** The only writer of the store. `take` buffers; nothing is durable, or may be announced, before `commit`. */
export interface Recorder {
  /** Takes what of an event is worth keeping. */
  take(event: RunEvent): void;
  /** Writes everything taken so far in one transaction. Throws when the disk or the database refuses. */
  commit(): void;
  /** Writes the run's own totals, summary and recommendations, and marks it as ended or interrupted. */
  finish(end: RunEnd): void;
  /** Seconds spent writing so far. */
  readonly seconds: number;
}

export interface RunEnd {
  runId: string;
  at: string;
  state: 'ended' | 'interrupted';
  summary: ExecutionSummary;
  recommendations: string[];
}
