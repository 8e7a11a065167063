import { closeSync, fstatSync, type Stats, statSync, writeSync } from 'node:fs';
import { pause } from '../os/pause.ts';

/** How long to wait before a pipe that is full is tried again: at first, and at most. */
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;
const MOST_BYTES = 64e6;
const SPARE_WRITES = 4_096;
/** How long the end of a process waits for a reader that takes nothing. */
const EXIT_MS = 500;

/** How often it is looked whether the file at the path is still the one that is written to. */
const LOOK_MS = 500;

/** A file that may be renamed or removed while it is written to, as the rotation of logs does. */
export interface RotatedFile {
  path: string;
  /** Opens it to append to it, made where it is missing. */
  open: () => number;
}

/** A sink does not close standard output and error, which a watched run has under other descriptors. */
const isStandard = (descriptor: number): boolean =>
  descriptor <= 2 || descriptor === process.stdout.fd || descriptor === process.stderr.fd;

export interface SinkListener {
  /** Called once, when writing fails for another reason than that the reader has gone. */
  failed(error: Error): void;
  /** Called when a slow reader has taken all that was kept for it, with the number of lines that were dropped. */
  dropped(lines: number): void;
}

/**
 * Writes log lines to a descriptor, whole and in order. A file, or a pipe that has room, has a line before `write`
 * returns; for a slow reader up to 64 MB of lines are kept, and nothing else waits for it. After a failure nothing more
 * is written, and the run goes on: its records are in the database.
 */
export class LineSink {
  #descriptor: number;
  readonly #rotated: RotatedFile | null;
  /** When it was last looked at, on the clock of `performance`. */
  #lookedAt = performance.now();
  readonly #listener: SinkListener;
  readonly #mostBytes: number;
  #isOpen = true;
  /** What waits to be written, from `#next` on. */
  #waiting: Buffer[] = [];
  #next = 0;
  #waitingBytes = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #drained: () => void = () => undefined;
  readonly #atExit = (): void => this.#writeBeforeExit();

  /**
   * @param mostBytes how much is kept for a slow reader.
   * @param rotated what is written to from now on where another file, or none, is at its path; null for a stream.
   */
  constructor(
    descriptor: number,
    listener: SinkListener,
    mostBytes = MOST_BYTES,
    rotated: RotatedFile | null = null,
  ) {
    this.#descriptor = descriptor;
    this.#rotated = rotated !== null && fstatSync(descriptor).isFile() ? rotated : null;
    this.#listener = listener;
    this.#mostBytes = mostBytes;
  }

  /**
   * Writes whole lines, each with its line end, together: all or none. Never throws, never waits.
   * @param lines how many they are. Default: 1.
   */
  write(text: string, lines = 1): void {
    if (!this.#isOpen) return;
    if (this.#rotated !== null && performance.now() - this.#lookedAt >= LOOK_MS) this.#follow(this.#rotated);
    const bytes = Buffer.from(text);
    if (this.#waitingBytes + bytes.length > this.#mostBytes) {
      this.#dropped += lines;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#timer === null) this.#writeWaiting();
  }

  /** Goes on in the file that is at the path now. Whole lines are in one file or in the other. */
  #follow({ path, open }: RotatedFile): void {
    this.#lookedAt = performance.now();
    // The rest of a line that a full disk has cut belongs to the file that has its beginning.
    if (this.#waitingBytes > 0) return;
    try {
      if (isSame(fstatSync(this.#descriptor), statSync(path, { throwIfNoEntry: false }))) return;
      const before = this.#descriptor;
      this.#descriptor = open();
      closeSync(before);
    } catch {
      // There can be no such file at the moment: the one that is open is written to until there can.
    }
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
    if (this.#timer === null && this.#isOpen) {
      // Nearly always those were the lines that have just arrived.
      this.#waiting.length = 0;
      this.#next = 0;
      return;
    }
    this.#end();
    const lines = this.#dropped;
    this.#dropped = 0;
    if (lines > 0) this.#listener.dropped(lines);
  }

  /** Returns false where the reader takes nothing at the moment. */
  #writeOne(): boolean {
    const bytes = this.#waiting[this.#next] ?? Buffer.alloc(0);
    try {
      const written = writeSync(this.#descriptor, bytes);
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#waitingBytes -= written;
      if (written < bytes.length) this.#waiting[this.#next] = bytes.subarray(written);
      else this.#removeFirst();
      return true;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Removes the first that waits. Memory is freed in larger steps. */
  #removeFirst(): void {
    this.#next += 1;
    if (this.#next < SPARE_WRITES) return;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
  }

  #failed(error: unknown): boolean {
    const failure = error instanceof Error ? error : new Error(String(error));
    const code = 'code' in failure ? failure.code : null;
    // The pipe is full.
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

  /** For a process that ends without `close`: writes what the reader still takes. */
  #writeBeforeExit(): void {
    let last = performance.now();
    while (this.#isOpen && this.#waitingBytes > 0 && performance.now() - last < EXIT_MS) {
      if (this.#writeOne()) last = performance.now();
      else pause(FIRST_PAUSE_MS);
    }
  }
}

const isSame = (open: Stats, there: Stats | undefined): boolean =>
  there !== undefined && there.ino === open.ino && there.dev === open.dev;
