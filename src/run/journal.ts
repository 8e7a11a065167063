/** The order of things: an event is recorded, then committed, then told. */
import type { Recorder } from '../domain/recorder.ts';
import type { RunEvent, RunListener } from '../domain/run-event.ts';

const MAX_BATCH = 500;

/** How long an event may wait for its commit, in milliseconds. */
const DELAY_MS = { lasting: 20, passing: 1_000 } as const;

/**
 * Takes every event of a run. Events are committed in short batches (20 ms or 500 events at most), because a
 * transaction costs far more than a row; nobody is told of an event before the commit that holds it.
 *
 * Progress and log lines are passing: nothing depends on them, so they are told at once, unless that would put them
 * before an event that waits, and are no reason to commit more than once a second.
 */
export class Journal {
  readonly #recorder: Recorder;
  readonly #listeners: readonly RunListener[];
  readonly #onBroken: (error: unknown) => void;
  #waiting: RunEvent[] = [];
  #timer: NodeJS.Timeout | null = null;
  #due = Number.POSITIVE_INFINITY;
  #broken = false;

  /** @param onBroken told once, when a commit made by the clock fails; later commits are tried again. */
  constructor(recorder: Recorder, listeners: readonly RunListener[], onBroken: (error: unknown) => void) {
    this.#recorder = recorder;
    this.#listeners = listeners;
    this.#onBroken = onBroken;
  }

  publish(event: RunEvent): void {
    this.#recorder.take(event);
    const passing = event.type === 'workstream-progress' || event.type === 'workstream-log';
    if (passing && this.#waiting.length === 0) this.#tell(event);
    else this.#waiting.push(event);
    if (this.#waiting.length >= MAX_BATCH) this.#commitByClock();
    else this.#commitWithin(passing ? DELAY_MS.passing : DELAY_MS.lasting);
  }

  /** Commits now and tells everything. Throws what the recorder throws; nothing is lost by that. */
  commit(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#due = Number.POSITIVE_INFINITY;
    this.#recorder.commit();
    const events = this.#waiting;
    this.#waiting = [];
    for (const event of events) this.#tell(event);
  }

  /** Tries once more to commit what waits, and stops the clock. Gives the error that keeps it from being kept. */
  close(): unknown {
    try {
      this.commit();
      return null;
    } catch (error) {
      return error;
    } finally {
      if (this.#timer !== null) clearTimeout(this.#timer);
    }
  }

  #tell(event: RunEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        process.emitWarning(`A listener failed at ${event.type}: ${String(error)}`, 'MillraceWarning');
      }
    }
  }

  #commitWithin(milliseconds: number): void {
    const due = performance.now() + milliseconds;
    if (due >= this.#due) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#commitByClock(), milliseconds);
  }

  #commitByClock(): void {
    try {
      this.commit();
    } catch (error) {
      if (!this.#broken) this.#onBroken(error);
      this.#broken = true;
    }
  }
}
