/** Outcomes of executions whose thread or process has died. */
import { closeSync } from 'node:fs';
import type { Assignment } from '../domain/assignment.ts';
import type { Failure } from '../domain/failure.ts';
import type { Death } from '../domain/failure-message.ts';
import { failedOutcome, type Outcome } from '../domain/outcome.ts';
import { openLogToRead, removeLog, testLogFile, toolFolder } from '../os/log-file.ts';
import { readTail } from '../os/read-text.ts';
import { measured, type StartTime } from '../os/stopwatch.ts';
import { redactPath } from '../secrets/redact-file.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { messageOf } from '../text/error-message.ts';

/** The failure of a workstream whose thread died, from the pool's rejection. */
export function crashFailure(error: unknown, memoryMb: number | null): Failure {
  const message = messageOf(error);
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
 * The outcome of an execution that did not answer. Its CPU time is not known; what it printed is in `logFile`, which
 * is removed if it is empty; null where nothing can have been printed.
 */
export function lostOutcome(failure: Failure, begin: StartTime, logFile: string | null): Outcome {
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

/** What Node prints before it gives up for want of memory (V8's own words). */
const OUT_OF_HEAP = /JavaScript heap out of memory|Fatal JavaScript invalid size error/;

/**
 * The failure of a workstream whose process ended without an answer.
 * @param printed the end of what it printed.
 * @param memoryMb its limit; null for none.
 */
export function processFailure(death: Death, printed: string, memoryMb: number | null): Failure {
  if (OUT_OF_HEAP.test(printed)) return { reason: 'out-of-memory', of: 'process-heap', limitMb: memoryMb };
  return { reason: 'process-crashed', ...death, detail: explain(death), tail: '', log: null };
}

const FORBIDDEN = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGSYS']);
const GAVE_UP = new Set(['SIGABRT', 'SIGTRAP']);
/** That of `process.abort()` where a shell or a container stands between. */
const ABORTED = 134;

function explain({ exitCode, signal }: Death): string {
  if (signal === 'SIGKILL') {
    return 'something killed it, as the system does when memory runs out. Give it a memory_limit_mb, or use fewer agents.';
  }
  if (exitCode === ABORTED || (signal !== null && GAVE_UP.has(signal))) {
    return 'its code called process.abort(), or Node gave up; what was printed last may say why.';
  }
  if (signal === null) {
    return `the workstream's code ended it, as process.exit(${exitCode}) does. Throw an error or return instead.`;
  }
  return FORBIDDEN.has(signal)
    ? 'native code did what the system forbids. Update the addons that its modules load, or do without them.'
    : 'something sent it that signal.';
}

/** What the main thread may do for one file; it is done piece by piece. */
const EFFORT = { milliseconds: 1_000 };

/**
 * Redacts the files of an execution whose agent can't do so any more: its output, that of its tests, its tools' own.
 * @returns a warning for each that could not be.
 */
export async function redactUnfinishedLog(
  { logFile, workstream }: Assignment,
  redactor: Redactor,
): Promise<string[]> {
  const tests = workstream.acceptanceTests.length + workstream.testGates.length;
  const testLogs = Array.from({ length: tests }, (_, index) => testLogFile(logFile, index + 1));
  const sentences: string[] = [];
  for (const path of [logFile, ...testLogs, toolFolder(logFile)])
    sentences.push(...(await redactPath(path, redactor, EFFORT)));
  return sentences;
}
