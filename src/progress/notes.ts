import { plural } from '../support/plural.ts';
import { type Board, type FailureNote, running } from './board.ts';
import type { FrameOptions } from './frame-options.ts';
import { clean, Line } from './line.ts';

type Look = Omit<FrameOptions, 'rows' | 'now'>;

/** A failure on one line: the workstream, the reason, and what happened. */
export function failureLine(note: FailureNote, { columns, colour, glyphs }: Look): string {
  return new Line(columns, glyphs)
    .add(`${glyphs.cross} `, colour.red, 2)
    .add(`${clean(note.workstreamId, columns, glyphs)} `)
    .add(`${clean(note.reason, columns, glyphs)} `, colour.red)
    .add(clean(note.line, columns, glyphs), colour.dim)
    .toString();
}

/** Says that the run ends early, and what it waits for; none where it does not. */
export function interruptionLines(board: Board, { columns, colour, glyphs }: Look): string[] {
  if (board.interruptedBy === null) return [];
  const busy = running(board);
  const rest = busy === 0 ? 'ending' : `ending ${plural(busy, 'workstream')}`;
  const text = `Interrupted by ${clean(board.interruptedBy, columns, glyphs)}, ${rest}`;
  return [new Line(columns, glyphs).add(text, colour.yellow).toString()];
}

/** Says what it waits for of other runs; none where it waits for nothing. */
export function waitingLines(board: Board, { columns, colour, glyphs }: Look): string[] {
  const newest = board.waits.at(-1);
  if (newest === undefined || board.interruptedBy !== null) return [];
  const more = board.waits.length === 1 ? '' : ` (and ${board.waits.length - 1} more)`;
  const text = `Waiting for another run: ${clean(newest, columns, glyphs)}${more}`;
  return [new Line(columns, glyphs).add(text, colour.yellow).toString()];
}
