import { Promise } from './own-globals.ts';
import type { StopSignal } from './stop-signal.ts';

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
