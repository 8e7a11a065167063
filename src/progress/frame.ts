/** From the state of a run to the lines of one frame. */
import { plural } from '../support/plural.ts';
import { agentLines } from './agent-lines.ts';
import { type Board, running } from './board.ts';
import type { FrameOptions } from './frame-options.ts';
import { headline } from './headline.ts';
import { clean, Line } from './line.ts';

/**
 * The run as lines for a terminal: how far it is, what each agent does, and the newest failures. No line is wider
 * than `columns` and there are at most `rows` of them. Empty before the run has started.
 */
export function frame(board: Board, options: FrameOptions): string[] {
  const { columns, rows } = options;
  if (board.startedAt === null || columns < 1 || rows < 1) return [];
  const top = [headline(board, board.startedAt, options), ...interruption(board, options)].slice(0, rows);
  const bottom = [...failures(board, options), ...notice(board, options)];
  const room = rows - top.length;
  // The agents get what the notes leave, and half of the room at least.
  const forAgents = Math.min(board.agents.size, Math.max(room - bottom.length, Math.ceil(room / 2)));
  const agents = forAgents > 0 ? agentLines(board, forAgents, options) : [];
  const forNotes = room - agents.length;
  return [...top, ...agents, ...(forNotes > 0 ? bottom.slice(-forNotes) : [])];
}

function interruption(board: Board, options: FrameOptions): string[] {
  if (board.interruptedBy === null) return [];
  const { columns, colour, glyphs } = options;
  const busy = running(board);
  const rest = busy === 0 ? 'ending' : `ending ${plural(busy, 'workstream')}`;
  const text = `Interrupted by ${clean(board.interruptedBy, columns, glyphs)}, ${rest}`;
  return [new Line(columns, glyphs).add(text, colour.yellow).toString()];
}

function failures(board: Board, { columns, colour, glyphs }: FrameOptions): string[] {
  return board.failures.map(({ workstreamId, reason, line }) =>
    new Line(columns, glyphs)
      .add(`${glyphs.cross} `, colour.red, 2)
      .add(`${clean(workstreamId, columns, glyphs)} `)
      .add(`${clean(reason, columns, glyphs)} `, colour.red)
      .add(clean(line, columns, glyphs), colour.dim)
      .toString(),
  );
}

function notice(board: Board, { columns, colour, glyphs }: FrameOptions): string[] {
  if (board.notice === null) return [];
  const { level, text } = board.notice;
  const line = new Line(columns, glyphs);
  if (level === 'warn') line.add('warning: ', colour.yellow);
  else line.add('error: ', colour.red);
  return [line.add(clean(text, columns, glyphs)).toString()];
}
