import { AbortController } from './own-globals.ts';

type Listener = (reason: Error) => void;

/**
 * Says when an execution or a step is to stop. An `AbortSignal` that says the same is made when one is asked for:
 * to make it and to listen to it takes longer than a small function runs.
 */
export class StopSignal {
  #reason: Error | null = null;
  #controller: AbortController | null = null;
  readonly #listeners = new Set<Listener>();

  get aborted(): boolean {
    return this.#reason !== null;
  }

  /** For code of workstreams, and for what takes no other. */
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

  /** The first reason counts. */
  abort(reason: Error): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners) listener(reason);
  }
}
