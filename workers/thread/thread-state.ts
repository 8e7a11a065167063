/** What a workstream's code can change in its thread for all that come after it. */
import { EventEmitter } from 'node:events';
import { Intrinsics } from './intrinsics.ts';
import { now } from './own-globals.ts';

const ERRORS = ['uncaughtException', 'unhandledRejection'] as const;

const emitter: EventEmitter = process;

// As they are when the thread starts: code can change them.
const countOf: (event: string) => number = EventEmitter.prototype.listenerCount.bind(emitter);
const listenersOf: (event: string) => unknown[] = EventEmitter.prototype.listeners.bind(emitter);

/**
 * Comparing everything takes 20 to 200 µs, so that it is done after code that is new in the thread and at most this often
 * otherwise. What our own code and nearly every module calls is compared each time, in 2 µs.
 */
const THOROUGH_MS = 50;

/**
 * Read once, when the thread starts; a thread in which it differs is replaced. State that modules keep for themselves
 * does not count, nor does having loaded modules.
 */
export class ThreadState {
  readonly #intrinsics = new Intrinsics();
  readonly #environment = ThreadEnvironment.install();
  readonly #listeners = ERRORS.map((event) => listenersOf(event));
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
    for (let index = 0; index < ERRORS.length; index += 1) {
      const event = ERRORS[index] ?? '';
      const before = this.#listeners[index] ?? [];
      if (countOf(event) !== before.length) return `the listeners of ${event}`;
      if (isThorough && !areSame(before, listenersOf(event))) return `the listeners of ${event}`;
    }
    return null;
  }
}

function areSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  for (let index = 0; index < some.length; index += 1) if (some[index] !== others[index]) return false;
  return true;
}

// `process.env` of a thread, which all workstreams in it share.

const { keys } = Object;

let installed: ThreadEnvironment | null = null;

/** The variables as they are now. Faster than listing `process.env`, which is a view. */
export const variables = (): Readonly<NodeJS.ProcessEnv> => installed?.variables ?? process.env;

/**
 * Tracks whether code changed the environment. Comparing every variable after each execution would take longer than a
 * small one runs, so that `process.env` becomes a view on Node's own object that notes writes; it converts values to
 * strings, is listed and inherited by child processes as before.
 */
class ThreadEnvironment {
  readonly #initial: NodeJS.ProcessEnv = { ...process.env };
  readonly #view: NodeJS.ProcessEnv;
  #isWritten = false;

  /** `process.env` of this thread becomes the view. */
  private constructor() {
    const noting =
      <A extends unknown[]>(write: (...args: A) => boolean) =>
      (...args: A): boolean => {
        this.#isWritten = true;
        return write(...args);
      };
    const { set, deleteProperty, defineProperty } = Reflect;
    this.#view = new Proxy<NodeJS.ProcessEnv>(process.env, {
      set: noting((target: NodeJS.ProcessEnv, key: string | symbol, value: unknown) =>
        set(target, key, value),
      ),
      deleteProperty: noting(deleteProperty),
      defineProperty: noting(defineProperty),
    });
    process.env = this.#view;
  }

  /** To be called once, when the thread starts. */
  static install(): ThreadEnvironment {
    installed = new ThreadEnvironment();
    return installed;
  }

  /** What differs from the start of the thread, such as "process.env (NODE_ENV, PATH)"; null for nothing. */
  changed(): string | null {
    const isReplaced = process.env !== this.#view;
    if (!isReplaced && !this.#isWritten) return null;
    const names = this.#differences();
    this.#isWritten = names.length > 0;
    if (names.length > 0) return `process.env (${names.join(', ')})`;
    return isReplaced ? 'process.env' : null;
  }

  #differences(): string[] {
    const now = { ...process.env };
    const names = keys({ ...this.#initial, ...now });
    return names.filter((name) => now[name] !== this.#initial[name]);
  }

  get variables(): Readonly<NodeJS.ProcessEnv> {
    return process.env === this.#view && !this.#isWritten ? this.#initial : { ...process.env };
  }
}
