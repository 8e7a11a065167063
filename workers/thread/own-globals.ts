/**
 * Functions of the global object as they were when the thread or process started. Code of a workstream may put others
 * in their place, as fake timers do; ours goes on with these.
 */
export const {
  AbortController,
  Promise,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
} = globalThis;

/** Ends this thread or process. */
export const exit: (code: number) => never = process.exit.bind(process);

/** Milliseconds on a clock that never goes back. */
export const now: () => number = performance.now.bind(performance);

/** Resolves in the next turn of the event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A promise that resolves after `milliseconds`, unless it is cancelled. */
export function delay(milliseconds: number): { promise: Promise<void>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
