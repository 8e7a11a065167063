/** What a workstream's code can change in its thread for all that come after it. */
import type { EventEmitter } from 'node:events';
import { Intrinsics } from './intrinsics.ts';
import { now } from './own-globals.ts';
import { ThreadEnvironment } from './thread-environment.ts';

const ERRORS = ['uncaughtException', 'unhandledRejection'] as const;

const emitter: EventEmitter = process;

/**
 * To compare everything takes 20 to 200 µs, so that it is done after code that is new in the thread and at most this
 * often otherwise. What our own code and nearly every module calls is compared each time, in 2 µs.
 */
const THOROUGH_MS = 50;

/**
 * Read once, when the thread starts; a thread in which it differs is replaced. State that modules keep for themselves
 * is theirs, and having loaded modules is no change.
 */
export class ThreadState {
  readonly #intrinsics = new Intrinsics();
  readonly #environment = ThreadEnvironment.install();
  readonly #listeners = ERRORS.map((event) => emitter.listeners(event));
  #comparedAt = Number.NEGATIVE_INFINITY;

  /**
   * What differs, as the object of a sentence; null for nothing.
   * @param isNew whether code was executed that never was in this thread before.
   */
  changed(isNew: boolean): string | null {
    const at = now();
    const isThorough = isNew || at - this.#comparedAt >= THOROUGH_MS;
    if (isThorough) this.#comparedAt = at;
    return (
      this.#intrinsics.changed(isThorough) ??
      this.#environment.changed() ??
      this.#listenersChanged(isThorough)
    );
  }

  /** Puts back what our own code calls. The thread is not fit for another workstream all the same. */
  restore(): void {
    this.#intrinsics.restore();
  }

  #listenersChanged(isThorough: boolean): string | null {
    for (const [index, event] of ERRORS.entries()) {
      const before = this.#listeners[index] ?? [];
      if (emitter.listenerCount(event) !== before.length) return `the listeners of ${event}`;
      if (!isThorough) continue;
      const after = emitter.listeners(event);
      if (before.some((listener, place) => listener !== after[place])) return `the listeners of ${event}`;
    }
    return null;
  }
}
