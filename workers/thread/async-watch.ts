/** Whether code sets something in motion that goes on after it has returned. */
import { AsyncResource } from 'node:async_hooks';
import { promiseHooks } from 'node:v8';
import { Promise } from './own-globals.ts';

/**
 * Node numbers every timer, callback and handle when it is made, and so it does promises where an `AsyncLocalStorage`
 * follows them by such numbers. Where it does not (Node 24), V8 reports them.
 */
export class AsyncWatch {
  #numbersPromises: boolean | null = null;
  readonly #count = (): void => {
    this.#promises += 1;
  };
  #promises = 0;
  #number = 0;
  #stopCounting: ReturnType<typeof promiseHooks.onInit> | null = null;

  start(): void {
    this.#promises = 0;
    // An `AsyncLocalStorage` is in use by now.
    this.#numbersPromises ??= numbersPromises();
    if (!this.#numbersPromises) this.#stopCounting = promiseHooks.onInit(this.#count);
    this.#number = nextNumber();
  }

  /** Whether nothing was set in motion since it started. */
  stop(): boolean {
    if (this.#stopCounting !== null) Reflect.apply(this.#stopCounting, undefined, []);
    this.#stopCounting = null;
    return nextNumber() === this.#number + 1 && this.#promises === 0;
  }
}

const NO_HOOK = { requireManualDestroy: true };

const nextNumber = (): number => new AsyncResource('MillraceWatch', NO_HOOK).asyncId();

function numbersPromises(): boolean {
  const before = nextNumber();
  void new Promise(() => undefined);
  return nextNumber() > before + 1;
}
