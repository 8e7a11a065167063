import { performance } from 'node:perf_hooks';
import { Canvas } from './canvas.ts';
import { Cursor } from './cursor.ts';

/** At most ten frames a second; one a second when only the clocks go on. */
const TICK_MS = 100;
const CLOCK_MS = 1_000;
/** A frame is followed by a pause of a hundred times what it took, so that drawing takes 1 % of a core at most. */
const PAUSE_FACTOR = 100;

/** Makes the lines of a frame for a window. */
export type Compose = (columns: number, rows: number) => string[];

/** Decides when a frame is drawn. The terminal can go away meanwhile; nothing fails by that. */
export class Painter {
  readonly #stream: NodeJS.WriteStream;
  readonly #compose: Compose;
  readonly #canvas: Canvas;
  readonly #cursor: Cursor;
  readonly #vanished = (): void => this.#halt();
  #timer: NodeJS.Timeout | null = null;
  #dirty = false;
  /** On the monotonic clock, in milliseconds. */
  #drawnAt = Number.NEGATIVE_INFINITY;
  #notBefore = 0;

  constructor(stream: NodeJS.WriteStream, compose: Compose) {
    this.#stream = stream;
    this.#compose = compose;
    this.#canvas = new Canvas(stream);
    // For good: once the terminal is gone, any write to it would end the process.
    stream.on('error', this.#vanished);
    this.#cursor = new Cursor(stream, () => {
      this.#canvas.leave();
      this.changed();
    });
  }

  /** A frame would now look different. */
  readonly changed = (): void => {
    this.#dirty = true;
  };

  start(): void {
    if (this.#timer !== null) return;
    this.#dirty = true;
    this.#stream.on('resize', this.changed);
    // The run keeps the process alive, not its picture.
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
      // A run does not end because its picture can't be drawn.
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
