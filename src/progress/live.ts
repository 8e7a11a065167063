import { applyEvent, createBoard } from './board.ts';
import { coloursFor } from './colours.ts';
import { frame } from './frame.ts';
import { glyphsFor } from './glyphs.ts';
import { Painter } from './painter.ts';
import { startPlain } from './plain.ts';
import type { View, ViewOptions } from './view.ts';

/**
 * Shows on a terminal what the listener is told. Events only change a record, and the clock decides when that is
 * drawn, so the cost of drawing does not depend on how much happens.
 */
export function startLive(options: ViewOptions): View {
  if (process.env['TERM'] === 'dumb') return startPlain(options);
  const { stream, now = Date.now } = options;
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
