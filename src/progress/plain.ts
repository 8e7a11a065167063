import type { RunEvent } from '../domain/run-event.ts';
import { applyEvent, createBoard } from './board.ts';
import { coloursFor } from './colours.ts';
import { glyphsFor } from './glyphs.ts';
import { headline } from './headline.ts';
import { failureLine } from './notes.ts';
import type { View } from './view.ts';

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
    listener: (event) => {
      if (applyEvent(board, event)) dirty = true;
      const note = failed(event) ? board.failures.at(-1) : undefined;
      if (note !== undefined) stream.write(`${failureLine(note, options())}\n`);
    },
    pause: stop,
    resume: start,
    stop,
  };
}

function failed(event: RunEvent): boolean {
  return event.type === 'workstream-finished' && event.result.status === 'failed';
}
