import type { EventSink, RunEvent } from '../domain/run-event.ts';
import { applyEvent, createBoard } from './board.ts';
import { failureLine, frame, headline, parkedLines } from './frame.ts';
import { Painter } from './painter.ts';
import { coloursFor, glyphsFor } from './style.ts';

/**
 * Shows a run on a terminal. An event only updates the board, and a timer decides when that is drawn, so that the cost
 * of drawing does not depend on the number of events.
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
    take: (events) => {
      for (const event of events) if (applyEvent(board, event)) painter.changed();
    },
    pause: () => painter.stop(),
    resume: () => painter.start(),
    stop: () => painter.stop(),
  };
}

const EVERY_MS = 10_000;

export interface PlainOptions {
  stream: { columns: number; write(text: string): unknown };
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * The live view for a terminal that can't move its cursor (TERM=dumb): each failure as it comes, and every ten
 * seconds how far the run is.
 */
export function startPlain({ stream, now = Date.now }: PlainOptions): View {
  const board = createBoard();
  const look = { colour: coloursFor(stream), glyphs: glyphsFor(process.env) };
  let dirty = false;
  const options = () => ({ columns: stream.columns || 80, rows: 1, now: now(), ...look });
  const tick = (): void => {
    if (!dirty || board.startedAt === null) return;
    dirty = false;
    stream.write(`${headline(board, board.startedAt, options())}\n`);
  };
  let timer: NodeJS.Timeout | null = null;
  const start = (): void => {
    timer ??= setInterval(tick, EVERY_MS).unref();
  };
  const stop = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };
  start();
  return {
    take: (events) => {
      for (const event of events) {
        if (applyEvent(board, event)) dirty = true;
        if (event.type === 'tool-parked')
          for (const line of parkedLines(board, options())) stream.write(`${line}\n`);
        const note = failed(event) ? board.failures.at(-1) : undefined;
        if (note !== undefined) stream.write(`${failureLine(note, options())}\n`);
      }
    },
    pause: stop,
    resume: start,
    stop,
  };
}

function failed(event: RunEvent): boolean {
  return event.type === 'workstream-finished' && event.result.status === 'failed';
}

export interface ViewOptions {
  /** A terminal. */
  stream: NodeJS.WriteStream;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The live view of a run on a terminal. */
export interface View extends EventSink {
  /** Leaves the terminal to a question until `resume`. */
  pause(): void;
  resume(): void;
  /** Leaves the terminal clean, so that a summary can follow. Idempotent. */
  stop(): void;
}
