import type { RunListener } from '../domain/run-event.ts';
import { applyEvent, createBoard } from './board.ts';
import { coloursFor } from './colours.ts';
import { frame } from './frame.ts';
import { glyphsFor } from './glyphs.ts';
import { Painter } from './painter.ts';

export interface LiveOptions {
  /** A terminal that can move its cursor; not one with TERM=dumb. */
  stream: NodeJS.WriteStream;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** A run on a terminal. */
export interface Live {
  listener: RunListener;
  /** Takes the frame off the screen until `resume`, because the terminal is needed to ask something. */
  pause(): void;
  resume(): void;
  /** Takes the frame off the screen for good, so that a summary can take its place. Idempotent. */
  stop(): void;
}

/**
 * Draws on a terminal what the listener is told. Events only change a record, and the clock decides when that is
 * drawn, so the cost of drawing does not depend on how much happens.
 */
export function startLive({ stream, now = Date.now }: LiveOptions): Live {
  const board = createBoard();
  const look = { colour: coloursFor(stream), glyphs: glyphsFor(process.env) };
  const painter = new Painter(stream, (columns, rows) =>
    frame(board, { columns, rows, now: now(), ...look }),
  );
  painter.start();
  return {
    listener: (event) => {
      if (applyEvent(board, event)) painter.changed();
    },
    pause: () => painter.stop(),
    resume: () => painter.start(),
    stop: () => painter.stop(),
  };
}
