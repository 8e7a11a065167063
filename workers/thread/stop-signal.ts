import { AbortController, Promise } from './own-globals.ts';

type Listener = (reason: Error) => void;

// As they are when the thread starts: code can change how sets are iterated.
const { apply } = Reflect;
const forEach: Set<Listener>['forEach'] = Reflect.get(Set.prototype, 'forEach');

/**
 * Signals that an execution or a step has to stop. Its `AbortSignal` is made when it is first used, because making and
 * listening to one takes longer than a small function runs.
 */
export class StopSignal {
  #reason: Error | null = null;
  #controller: AbortController | null = null;
  readonly #listeners = new Set<Listener>();

  get aborted(): boolean {
    return this.#reason !== null;
  }

  /** For code of workstreams, and for functions of Node. */
  get abortSignal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  throwIfAborted(): void {
    if (this.#reason !== null) throw this.#reason;
  }

  /** Calls the listener when it is aborted, at once where it is, until the returned function is called. */
  onAbort(listener: Listener): () => void {
    if (this.#reason === null) this.#listeners.add(listener);
    else listener(this.#reason);
    return () => void this.#listeners.delete(listener);
  }

  /** The first reason counts. Our own listeners are first: code can change how an `AbortSignal` tells those of its own. */
  abort(reason: Error): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    apply(forEach, this.#listeners, [(listener: Listener) => listener(reason)]);
    this.#controller?.abort(reason);
  }
}

/** Settles like `promise`, or rejects with the signal's reason as soon as it is aborted. */
export function orAbort<T>(promise: Promise<T>, signal: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = signal.onAbort(reject);
    promise.then(
      (value) => {
        stopListening();
        return resolve(value);
      },
      (error: unknown) => {
        stopListening();
        reject(error);
      },
    );
  });
}
