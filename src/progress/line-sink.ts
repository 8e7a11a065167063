import { closeSync, writeSync } from 'node:fs';

/** How long to wait before a pipe that is full is tried again: at first, and at most. */
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;
const MOST_BYTES = 64e6;
const SPARE_LINES = 4_096;
/** How long the end of a process waits for a reader that takes nothing. */
const EXIT_MS = 500;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Standard output and error outlive a sink; a run that is watched over has other descriptors for them. */
const isStandard = (descriptor: number): boolean =>
  descriptor <= 2 || descriptor === process.stdout.fd || descriptor === process.stderr.fd;

export interface SinkListener {
  /** Told once when writing fails, except by a reader that has gone. */
  failed(error: Error): void;
  /** Told when a reader that had not read for long has taken all that was kept for it. */
  left(lines: number): void;
}

/**
 * Where log lines go, whole and in order. A file, or a pipe that has room, has a line before `write` returns; for a
 * reader that is slow lines are kept, up to 64 MB, so that nothing else waits for it. A destination that fails is written
 * to no more, and the run goes on: the records are in the database.
 */
export class LineSink {
  readonly #descriptor: number;
  readonly #listener: SinkListener;
  readonly #mostBytes: number;
  #isOpen = true;
  /** Of lines that wait, those from `#next` on. */
  #waiting: Buffer[] = [];
  #next = 0;
  #waitingBytes = 0;
  #left = 0;
  #timer: NodeJS.Timeout | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #drained: () => void = () => undefined;
  readonly #atExit = (): void => this.#writeBeforeExit();

  /** @param mostBytes how much is kept for a reader that does not read. */
  constructor(descriptor: number, listener: SinkListener, mostBytes = MOST_BYTES) {
    this.#descriptor = descriptor;
    this.#listener = listener;
    this.#mostBytes = mostBytes;
  }

  /** Takes one line with its line end. Never throws, never waits. */
  write(line: string): void {
    if (!this.#isOpen) return;
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > this.#mostBytes) {
      this.#left += 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#timer === null) this.#writeWaiting();
  }

  /**
   * Resolves when the reader has taken everything, or has gone.
   * @param milliseconds how long it may take nothing; then the rest is dropped.
   */
  async close(milliseconds = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#timer !== null) await this.#drain(milliseconds);
    this.#end();
    if (this.#isOpen && !isStandard(this.#descriptor)) closeSync(this.#descriptor);
    this.#isOpen = false;
  }

  #drain(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const hasEnd = Number.isFinite(milliseconds);
      const look = (before: number): void => {
        if (this.#waitingBytes === before) resolve();
        else setTimeout(look, milliseconds, this.#waitingBytes);
      };
      if (hasEnd) setTimeout(look, milliseconds, this.#waitingBytes);
      this.#drained = resolve;
    });
  }

  #writeWaiting(): void {
    while (this.#isOpen && this.#waitingBytes > 0) {
      if (this.#writeOne()) continue;
      this.#tryLater();
      return;
    }
    // Nearly always the one line that was just given: nothing has to be cleared up after it.
    if (this.#timer === null && this.#isOpen) return;
    this.#end();
    const lines = this.#left;
    this.#left = 0;
    if (lines > 0) this.#listener.left(lines);
  }

  /** Whether the reader took something, or writing failed for good. */
  #writeOne(): boolean {
    const bytes = this.#waiting[this.#next] ?? Buffer.alloc(0);
    try {
      const written = writeSync(this.#descriptor, bytes);
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#waitingBytes -= written;
      if (written < bytes.length) this.#waiting[this.#next] = bytes.subarray(written);
      else this.#taken();
      return true;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** The first line that waits was taken. Memory of those before it is given back now and then. */
  #taken(): void {
    this.#next += 1;
    if (this.#next < SPARE_LINES) return;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
  }

  #failed(error: unknown): boolean {
    const failure = error instanceof Error ? error : new Error(String(error));
    const code = 'code' in failure ? failure.code : null;
    // A pipe that is full: its reader will make room.
    if (code === 'EAGAIN') return false;
    this.#isOpen = false;
    if (code !== 'EPIPE') this.#listener.failed(failure);
    return true;
  }

  #tryLater(): void {
    if (this.#timer === null) process.on('exit', this.#atExit);
    this.#timer = setTimeout(() => this.#writeWaiting(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting = [];
    this.#next = 0;
    this.#waitingBytes = 0;
    process.off('exit', this.#atExit);
    this.#drained();
  }

  /** The process ends without having waited: what the reader still takes is not lost. */
  #writeBeforeExit(): void {
    let last = performance.now();
    while (this.#isOpen && this.#waitingBytes > 0 && performance.now() - last < EXIT_MS) {
      if (this.#writeOne()) last = performance.now();
      else Atomics.wait(pause, 0, 0, FIRST_PAUSE_MS);
    }
  }
}
