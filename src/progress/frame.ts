import { agentLines } from './agent-lines.ts';
import type { Board } from './board.ts';
import type { FrameOptions } from './frame-options.ts';
import { headline } from './headline.ts';
import { failureLine, interruptionLines, waitingLines } from './notes.ts';

/**
 * The run as lines for a terminal: how far it is, what each agent does, and the newest failures. No line is wider
 * than `columns` and there are at most `rows` of them. Empty before the run has started.
 */
export function frame(board: Board, options: FrameOptions): string[] {
  const { columns, rows } = options;
  if (board.startedAt === null || columns < 1 || rows < 1) return [];
  const notes = [...interruptionLines(board, options), ...waitingLines(board, options)];
  const top = [headline(board, board.startedAt, options), ...notes].slice(0, rows);
  const failures = board.failures.map((note) => failureLine(note, options));
  const room = rows - top.length;
  // The agents get what the failures leave, and half of the room at least.
  const forAgents = Math.min(board.agents.size, Math.max(room - failures.length, Math.ceil(room / 2)));
  const agents = forAgents > 0 ? agentLines(board, forAgents, options) : [];
  const forFailures = room - agents.length;
  return [...top, ...agents, ...(forFailures > 0 ? failures.slice(-forFailures) : [])];
}
