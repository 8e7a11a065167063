import { performance } from 'node:perf_hooks';
import { Writable } from 'node:stream';
import { createLogUpdate } from 'log-update';
import { columnsOf } from '../text/columns.ts';

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

const WRAP_OFF = '\u001B[?7l';
const WRAP_ON = '\u001B[?7h';

/** What log-update writes to: the terminal, with automatic wrapping off while a frame is written. */
class Window extends Writable {
  readonly isTTY = true;
  readonly #terminal: NodeJS.WriteStream;

  constructor(terminal: NodeJS.WriteStream) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
  }

  /** A terminal that does not know its size says 0. */
  get columns(): number {
    return this.#terminal.columns || 80;
  }

  get rows(): number {
    return this.#terminal.rows || 24;
  }

  /** Where a terminal takes a character to be wider than we do, the line is cut instead of breaking the frame. */
  override _write(text: string, _encoding: BufferEncoding, done: () => void): void {
    this.#terminal.write(WRAP_OFF + text + WRAP_ON);
    done();
  }
}

/** The lines at the bottom of a terminal that are drawn over and over. Only what changed is written. */
export class Canvas {
  readonly #window: Window;
  readonly #terminal: NodeJS.WriteStream;
  readonly #update: ReturnType<typeof createLogUpdate>;
  /** The lines on the screen, and the window they were drawn in. */
  #lines: string[] = [];
  #columns = 0;
  #rows = 0;

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal;
    this.#window = new Window(terminal);
    this.#update = createLogUpdate(this.#window, { showCursor: true });
  }

  get columns(): number {
    return this.#window.columns;
  }

  /** Lines that a frame may have: the cursor needs the one below. */
  get height(): number {
    return this.#window.rows - 1;
  }

  draw(lines: string[]): void {
    if (this.#resized()) this.#eraseReflowed();
    if (lines.length === 0) return this.clear();
    this.#update(lines.join('\n'));
    this.#lines = lines;
    this.#columns = this.#window.columns;
    this.#rows = this.#window.rows;
  }

  /** Erases the lines; what is written next takes their place. */
  clear(): void {
    if (this.#resized()) this.#eraseReflowed();
    else if (this.#lines.length > 0) this.#update.clear();
    this.#lines = [];
  }

  /** Leaves the lines where they are; the next ones are drawn below. */
  leave(): void {
    this.#update.done();
    this.#lines = [];
  }

  #resized(): boolean {
    const { columns, rows } = this.#window;
    return this.#lines.length > 0 && (columns !== this.#columns || rows !== this.#rows);
  }

  /** A terminal that became narrower has broken our lines into several, and log-update counts them as they were. */
  #eraseReflowed(): void {
    const { columns, rows } = this.#window;
    const broken = (line: string): number => Math.max(1, Math.ceil(columnsOf(line) / columns));
    const height = this.#lines.reduce((sum, line) => sum + broken(line), 0);
    const up = Math.min(height, rows - 1);
    this.#terminal.write(`${up > 0 ? `\u001B[${up}A` : ''}\r\u001B[J`);
    this.leave();
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
