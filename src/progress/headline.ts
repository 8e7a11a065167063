import { bar } from './bar.ts';
import { type Board, finished } from './board.ts';
import { clock } from './clock.ts';
import type { FrameOptions } from './frame-options.ts';
import { Line } from './line.ts';
import { timeLeft } from './time-left.ts';

const WIDEST_BAR = 30;
const NARROWEST_BAR = 5;

interface Piece {
  text: string;
  /** The lower, the sooner it is shown when there is not room for all. */
  rank: number;
  paint: (text: string) => string;
}

/** How far the run is: a bar, the share and the counts, the time so far and the estimated time left. */
export function headline(board: Board, startedAt: number, options: FrameOptions): string {
  const { columns, colour, glyphs } = options;
  const share = board.total === 0 ? 1 : Math.min(1, finished(board) / board.total);
  const all = pieces(board, share, startedAt, options);
  const shown = fitting(all, columns, glyphs.separator.length);
  const line = new Line(columns, glyphs);
  const needed = widthOf(shown, glyphs.separator.length);
  const free = Math.min(WIDEST_BAR, columns - needed - 1);
  if (free >= NARROWEST_BAR) {
    line.add(bar(share, free, glyphs), colour.green, free).add(' ');
  }
  for (const [index, { text, paint }] of shown.entries()) {
    if (index > 0) line.add(glyphs.separator, colour.dim, glyphs.separator.length);
    line.add(text, paint);
  }
  return line.toString();
}

function pieces(board: Board, share: number, startedAt: number, options: FrameOptions): Piece[] {
  const { colour, now } = options;
  const { failed, skipped } = board.counts;
  const left = timeLeft(board, now);
  const all: (Piece | null)[] = [
    { text: `${Math.floor(share * 100)} %`, rank: 0, paint: colour.bold },
    { text: `${finished(board)} of ${board.total}`, rank: 1, paint: String },
    failed === 0 ? null : { text: `${failed} failed`, rank: 2, paint: colour.red },
    skipped === 0 ? null : { text: `${skipped} skipped`, rank: 5, paint: colour.yellow },
    { text: clock((now - startedAt) / 1000), rank: 4, paint: String },
    left === null ? null : { text: `about ${clock(Math.max(1, left))} left`, rank: 3, paint: String },
  ];
  return all.filter((piece) => piece !== null);
}

/** As many pieces as fit, the most important first, in their own order. The first one is always there. */
function fitting(all: readonly Piece[], columns: number, separator: number): Piece[] {
  const chosen = new Set<Piece>();
  let width = -separator;
  for (const piece of all.toSorted((a, b) => a.rank - b.rank)) {
    width += separator + piece.text.length;
    if (width > columns && chosen.size > 0) break;
    chosen.add(piece);
  }
  return all.filter((piece) => chosen.has(piece));
}

function widthOf(shown: readonly Piece[], separator: number): number {
  return shown.reduce((width, { text }) => width + text.length + separator, -separator);
}
