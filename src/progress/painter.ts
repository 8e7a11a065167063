import { performance } from 'node:perf_hooks';
import { columnsOf } from './style.ts';

/** At most ten frames a second; one a second when only the clocks change. */
const TICK_MS = 100;
const CLOCK_MS = 1_000;
/** A frame is followed by a pause of a hundred times what it took, so that drawing takes 1 % of a core at most. */
const PAUSE_FACTOR = 100;

/** Makes the lines of a frame for a window. */
export type Compose = (columns: number, rows: number) => string[];

/** Decides when a frame is drawn. Does not fail when the terminal is closed meanwhile. */
export class Painter {
  readonly #stream: NodeJS.WriteStream;
  readonly #compose: Compose;
  readonly #canvas: Canvas;
  readonly #cursor: Cursor;
  readonly #onClosed = (): void => this.#halt();
  #timer: NodeJS.Timeout | null = null;
  #dirty = false;
  /** On the monotonic clock, in milliseconds. */
  #drawnAt = Number.NEGATIVE_INFINITY;
  #notBefore = 0;

  constructor(stream: NodeJS.WriteStream, compose: Compose) {
    this.#stream = stream;
    this.#compose = compose;
    this.#canvas = new Canvas(stream);
    // Never removed: without a listener, a write to a terminal that is closed would end the process.
    stream.on('error', this.#onClosed);
    this.#cursor = new Cursor(stream, () => {
      this.#canvas.leave();
      this.changed();
    });
  }

  /** To be called when a frame would look different. */
  readonly changed = (): void => {
    this.#dirty = true;
  };

  start(): void {
    if (this.#timer !== null) return;
    this.#dirty = true;
    this.#stream.on('resize', this.changed);
    // The run keeps the process alive, not its view.
    this.#timer = setInterval(this.#tick, TICK_MS).unref();
  }

  /** Takes the frame off the screen and draws no other until `start`. Idempotent. */
  stop(): void {
    if (this.#timer === null) return;
    this.#halt();
    this.#canvas.clear();
    this.#cursor.show();
  }

  #halt(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#stream.off('resize', this.changed);
  }

  readonly #tick = (): void => {
    const start = performance.now();
    if (start < this.#notBefore || (!this.#dirty && start - this.#drawnAt < CLOCK_MS)) return;
    try {
      this.#draw();
    } catch (error) {
      // A run does not end because its view can't be drawn.
      this.stop();
      process.emitWarning(error instanceof Error ? error : String(error));
    }
    this.#drawnAt = performance.now();
    this.#notBefore = this.#drawnAt + Math.min(CLOCK_MS, (this.#drawnAt - start) * PAUSE_FACTOR);
  };

  #draw(): void {
    this.#dirty = false;
    const lines = this.#compose(this.#canvas.columns, this.#canvas.height);
    if (lines.length > 0) this.#cursor.hide();
    this.#canvas.draw(lines);
  }
}

/** What is written between these two appears at once, on terminals that know them. */
const BEGIN = '\u001B[?2026h';
const END = '\u001B[?2026l';
const WRAP_OFF = '\u001B[?7l';
const WRAP_ON = '\u001B[?7h';
const ERASE_LINE = '\u001B[K';
const ERASE_BELOW = '\u001B[J';
const up = (lines: number): string => (lines > 0 ? `\u001B[${lines}A` : '');

/**
 * The lines at the bottom of a terminal that are drawn over and over, above the cursor. Only those that changed are
 * written. None may be wider than the window: where the terminal takes a character to be wider than we do, its line is
 * cut instead of breaking the frame, because automatic wrapping is off meanwhile.
 */
export class Canvas {
  readonly #terminal: NodeJS.WriteStream;
  /** The lines on the screen, and the window they were drawn in. */
  #lines: readonly string[] = [];
  #columns = 0;
  #rows = 0;

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal;
  }

  /** A terminal that does not know its size says 0. */
  get columns(): number {
    return this.#terminal.columns || 80;
  }

  /** Lines that a frame may have: the cursor needs the one below. */
  get height(): number {
    return this.#windowRows - 1;
  }

  draw(lines: readonly string[]): void {
    if (this.#resized()) this.#eraseReflowed();
    if (lines.length === 0) return this.clear();
    const changes = lines.map((line, at) => (line === this.#lines[at] ? '\n' : `${ERASE_LINE}${line}\n`));
    const rest = lines.length < this.#lines.length ? ERASE_BELOW : '';
    const isSame = lines.length === this.#lines.length && changes.every((change) => change === '\n');
    if (!isSame) this.#write(`${up(this.#lines.length)}\r${changes.join('')}${rest}`);
    this.#lines = lines;
    this.#columns = this.columns;
    this.#rows = this.#windowRows;
  }

  /** Erases the lines; what is written next takes their place. */
  clear(): void {
    if (this.#resized()) this.#eraseReflowed();
    else if (this.#lines.length > 0) this.#write(`${up(this.#lines.length)}\r${ERASE_BELOW}`);
    this.#lines = [];
  }

  /** Leaves the lines where they are; the next ones are drawn below. */
  leave(): void {
    this.#lines = [];
  }

  get #windowRows(): number {
    return this.#terminal.rows || 24;
  }

  #resized(): boolean {
    const isOther = this.columns !== this.#columns || this.#windowRows !== this.#rows;
    return this.#lines.length > 0 && isOther;
  }

  /** A terminal that became narrower has broken our lines into several. */
  #eraseReflowed(): void {
    const broken = (line: string): number => Math.max(1, Math.ceil(columnsOf(line) / this.columns));
    const height = this.#lines.reduce((sum, line) => sum + broken(line), 0);
    this.#write(`${up(Math.min(height, this.height))}\r${ERASE_BELOW}`);
    this.leave();
  }

  #write(text: string): void {
    this.#terminal.write(BEGIN + WRAP_OFF + text + WRAP_ON + END);
  }
}

const HIDE = '\u001B[?25l';
const SHOW = '\u001B[?25h';
const DEADLY: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** The cursor of a terminal: hidden while something is drawn, and shown again however the process ends. */
export class Cursor {
  readonly #terminal: NodeJS.WriteStream;
  readonly #onContinue: () => void;
  #hidden = false;

  /** @param onContinue called when the process continues after it was suspended: the shell has written meanwhile. */
  constructor(terminal: NodeJS.WriteStream, onContinue: () => void) {
    this.#terminal = terminal;
    this.#onContinue = onContinue;
  }

  hide(): void {
    if (this.#hidden) return;
    this.#hidden = true;
    this.#terminal.write(HIDE);
    process.on('exit', this.#restore);
    // Before all other listeners, so that one that listens once is still counted.
    for (const signal of DEADLY) process.prependListener(signal, this.#die);
    if (process.platform !== 'win32') process.on('SIGTSTP', this.#suspend);
  }

  show(): void {
    if (!this.#hidden) return;
    this.#hidden = false;
    process.off('exit', this.#restore);
    for (const signal of DEADLY) process.off(signal, this.#die);
    process.off('SIGTSTP', this.#suspend);
    this.#terminal.write(SHOW);
  }

  readonly #restore = (): void => this.show();

  /** A signal without another listener ends the process as it would have without this one. */
  readonly #die = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    this.show();
    process.kill(process.pid, signal);
  };

  /** Ctrl-Z: without a listener the signal stops the process right there, and `kill` returns when it continues. */
  readonly #suspend = (): void => {
    this.show();
    process.kill(process.pid, 'SIGTSTP');
    this.hide();
    this.#onContinue();
  };
}
