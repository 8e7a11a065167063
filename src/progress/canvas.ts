import { Writable } from 'node:stream';
import { createLogUpdate } from 'log-update';
import { columnsOf } from './line.ts';

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

  /** Takes the lines off the screen; what is written next stands in their place. */
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
