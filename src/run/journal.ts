/** The order of things: an event is recorded, then committed, then told. */
import type { Recorder } from '../domain/recorder.ts';
import type { RunEvent, RunListener } from '../domain/run-event.ts';

const MAX_DELAY_MS = 20;
const MAX_BATCH = 500;

/**
 * Takes every event of a run. Events are committed in short batches (20 ms or 500 events at most), because a
 * transaction costs far more than a row; nobody is told of an event before the commit that holds it.
 */
export class Journal {
  readonly #recorder: Recorder;
  readonly #listeners: readonly RunListener[];
  readonly #onBroken: (error: unknown) => void;
  #waiting: RunEvent[] = [];
  #timer: NodeJS.Timeout | null = null;
  #broken = false;

  /** @param onBroken told once, when a commit made by the clock fails; later commits are tried again. */
  constructor(recorder: Recorder, listeners: readonly RunListener[], onBroken: (error: unknown) => void) {
    this.#recorder = recorder;
    this.#listeners = listeners;
    this.#onBroken = onBroken;
  }

  publish(event: RunEvent): void {
    this.#recorder.take(event);
    this.#waiting.push(event);
    if (this.#waiting.length >= MAX_BATCH) this.#commitByClock();
    else this.#timer ??= setTimeout(() => this.#commitByClock(), MAX_DELAY_MS);
  }

  /** Commits now and tells everything. Throws what the recorder throws; nothing is lost by that. */
  commit(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#recorder.commit();
    const events = this.#waiting;
    this.#waiting = [];
    for (const event of events) for (const listener of this.#listeners) listener(event);
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
