import type { Board, Task, Work } from './board.ts';

/** Progress below this share says nothing about the rest. */
const LEAST_FRACTION = 0.01;

/**
 * The estimated time left in seconds, or null while there is no ground for an estimate.
 *
 * The work left is what waits plus what is left of what is running:
 * - what waits takes what history expects of it; without history, the average of what was measured in this run, as
 *   soon as there are as many measurements as agents;
 * - of a running workstream that tells its progress, the rest follows from the time it took so far; of another one,
 *   the expected (or average) duration less that time. One that already took longer than that adds nothing.
 *
 * It is done by as many agents as were busy on average since the start of the run, so that waiting for dependencies,
 * conflicts and the coordinator counts. The answer is never less than what is left of any one running workstream.
 */
export function timeLeft(board: Board, now: number): number | null {
  if (board.startedAt === null || board.interruptedBy !== null || board.ended) return null;
  const average = averageSeconds(board.work, board.agents.size);
  const waiting = waitingSeconds(board.work, average);
  if (waiting === null) return null;
  let work = waiting;
  let longest = 0;
  let done = board.work.measuredSeconds;
  for (const task of board.agents.values()) {
    if (task === null) continue;
    const elapsed = Math.max(0, now - task.since) / 1000;
    const left = taskSeconds(task, elapsed, average);
    work += left;
    longest = Math.max(longest, left);
    done += elapsed;
  }
  const wall = (now - board.startedAt) / 1000;
  if (work === 0 || done === 0 || wall <= 0) return null;
  const busyAgents = Math.min(board.agents.size, done / wall);
  const left = Math.max(work / busyAgents, longest);
  // Durations that are next to nothing.
  return Number.isFinite(left) ? left : null;
}

function averageSeconds({ measured, measuredSeconds }: Work, agents: number): number | null {
  return measured === 0 || measured < agents ? null : measuredSeconds / measured;
}

function waitingSeconds(work: Work, average: number | null): number | null {
  const waiting = work.planned - work.started - work.dropped;
  if (waiting <= 0) return 0;
  if (work.expectedSeconds === null) return average === null ? null : waiting * average;
  return Math.max(0, work.expectedSeconds - work.startedExpectedSeconds - work.droppedExpectedSeconds);
}

function taskSeconds(task: Task, elapsed: number, average: number | null): number {
  const { fraction, expectedSeconds } = task;
  if (fraction !== null && fraction >= LEAST_FRACTION) return (elapsed * (1 - fraction)) / fraction;
  return Math.max(0, (expectedSeconds ?? average ?? 0) - elapsed);
}
