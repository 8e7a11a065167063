/** Outcomes of executions whose thread can't tell any more. */
import { closeSync } from 'node:fs';
import { failedOutcome } from '../domain/failed-outcome.ts';
import type { Failure } from '../domain/failure.ts';
import type { Outcome } from '../domain/outcome.ts';
import { openLogToRead, removeLog } from '../support/log-file.ts';
import { readTail } from '../support/read-tail.ts';
import { type Beginning, measured } from '../support/stopwatch.ts';

/** What a pool's rejection says about the thread that died. */
export function crashFailure(error: unknown, memoryMb: number | null): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return { reason: 'out-of-memory', of: 'thread-heap', limitMb: memoryMb };
  const exit = /^worker exited with code: (-?\d+)$/.exec(message)?.[1];
  if (exit !== undefined) {
    return {
      reason: 'worker-crashed',
      exitCode: Number(exit),
      detail: `the workstream's code ended its thread, as process.exit(${exit}) does. Throw an error or return instead.`,
    };
  }
  return { reason: 'worker-crashed', exitCode: null, detail: message };
}

/**
 * The outcome of an execution that gave none itself. Its CPU time is not known; what it printed is in `logFile`, which
 * is removed if it is empty; null where nothing can have been printed.
 */
export function lostOutcome(failure: Failure, begin: Beginning, logFile: string | null): Outcome {
  const tail = logFile === null ? null : takeTail(logFile);
  const told = 'tail' in failure && tail !== null ? { ...failure, tail } : failure;
  return failedOutcome(told, measured(begin), tail === null ? null : logFile);
}

/** The end of a file that a dead thread left; null when there is none that can be read, or it is empty. */
function takeTail(path: string): string | null {
  const descriptor = openLogToRead(path);
  if (descriptor === null) return null;
  const tail = readTail(descriptor, 0);
  closeSync(descriptor);
  if (tail === '') removeLog(path);
  return tail === '' ? null : tail;
}
