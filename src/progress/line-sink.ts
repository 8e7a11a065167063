import { closeSync, writeSync } from 'node:fs';

/** How long to wait before a pipe that is full is tried again. */
const FULL_MS = 2;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Where log lines go. A line is written whole before `write` returns, so none is lost when the process ends and none
 * is mixed with another; a reader that is slow is waited for. A destination that fails is written to no more, and the
 * run goes on: the records are in the database.
 */
export class LineSink {
  readonly #descriptor: number;
  readonly #onFailure: (error: Error) => void;
  #open = true;

  /** @param onFailure told once when writing fails, except by a reader that has gone. */
  constructor(descriptor: number, onFailure: (error: Error) => void) {
    this.#descriptor = descriptor;
    this.#onFailure = onFailure;
  }

  /** Takes one line with its line end. Never throws. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    let written = 0;
    while (this.#open && written < bytes.length) {
      try {
        written += writeSync(this.#descriptor, bytes, written);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  #fail(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    const code = 'code' in failure ? failure.code : null;
    // A pipe that does not block: its reader will make room.
    if (code === 'EAGAIN') {
      Atomics.wait(pause, 0, 0, FULL_MS);
      return;
    }
    this.#open = false;
    if (code !== 'EPIPE') this.#onFailure(failure);
  }
}
