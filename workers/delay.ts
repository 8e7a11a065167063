import { clearTimeout, Promise, setTimeout } from './own-globals.ts';

/** A promise that resolves after `milliseconds`, and a way to take the timer back. */
export function delay(milliseconds: number): { promise: Promise<void>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
