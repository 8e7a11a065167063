/** Draws a run that is under way on a terminal. */
import type { RunListener } from '../domain/run-event.ts';
import { applyEvent, createBoard } from './board.ts';
import { Canvas } from './canvas.ts';
import { coloursFor } from './colours.ts';
import { Cursor } from './cursor.ts';
import { frame } from './frame.ts';
import { glyphsFor } from './glyphs.ts';

/** At most ten frames a second; one a second when only the clocks go on. */
const TICK_MS = 100;
const CLOCK_MS = 1_000;
/** A frame is followed by a pause of a hundred times what it took, so that drawing takes 1 % of a core at most. */
const PAUSE_FACTOR = 100;

export interface LiveOptions {
  /** A terminal. */
  stream: NodeJS.WriteStream;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export interface Live {
  listener: RunListener;
  /** Takes the frame off the screen and draws nothing until `resume`: the terminal is needed for something else. */
  pause(): void;
  resume(): void;
  /** Leaves the terminal as it was before, ready for a summary. Idempotent. */
  stop(): void;
}

/**
 * Draws from now on what the listener is told. Events only change a record; the clock decides when it is drawn, so a
 * frame costs the same however many events there were. The terminal can go away; the run can't fail by that.
 */
export function startLive({ stream, now = Date.now }: LiveOptions): Live {
  const board = createBoard();
  const painter = new Painter(stream, (columns, rows) =>
    frame(board, { columns, rows, now: now(), colour, glyphs }),
  );
  const colour = coloursFor(stream);
  const glyphs = glyphsFor(process.env);
  painter.resume();
  return {
    listener: (event) => {
      if (applyEvent(board, event)) painter.changed();
    },
    pause: () => painter.pause(),
    resume: () => painter.resume(),
    stop: () => painter.pause(),
  };
}

class Painter {
  readonly #stream: NodeJS.WriteStream;
  readonly #compose: (columns: number, rows: number) => string[];
  readonly #canvas: Canvas;
  readonly #cursor: Cursor;
  #timer: NodeJS.Timeout | null = null;
  #dirty = false;
  /** Monotonic milliseconds before which no frame is drawn. */
  #notBefore = 0;
  #lastFrame = 0;

  constructor(stream: NodeJS.WriteStream, compose: (columns: number, rows: number) => string[]) {
    this.#stream = stream;
    this.#compose = compose;
    this.#canvas = new Canvas(stream);
    this.#cursor = new Cursor(stream, () => {
      this.#canvas.leave();
      this.changed();
    });
  }

  readonly changed = (): void => {
    this.#dirty = true;
  };

  readonly pause = (): void => {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#stream.off('resize', this.changed);
    this.#stream.off('error', this.#vanished);
    this.#canvas.clear();
    this.#cursor.show();
  };

  resume(): void {
    if (this.#timer !== null) return;
    this.#stream.on('resize', this.changed);
    this.#stream.on('error', this.#vanished);
    this.#timer = setInterval(this.#tick, TICK_MS);
    // The run keeps the process alive, not its picture.
    this.#timer.unref();
  }
}
