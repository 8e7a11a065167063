import { clearTimeout, Promise, setTimeout } from './own-globals.ts';
import type { StopSignal } from './stop-signal.ts';

/** A promise that resolves after `milliseconds`, and a way to take the timer back. */
export function delay(milliseconds: number): { promise: Promise<void>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
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
