const never = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread. Only for a few milliseconds, and where what is waited for can't be awaited. */
export const pause = (milliseconds: number): void => void Atomics.wait(never, 0, 0, milliseconds);
