import type { Death } from '../domain/death.ts';
import type { Failure } from '../domain/failure.ts';

/** What Node prints before it gives up for want of memory (V8's own words). */
const OUT_OF_HEAP = /JavaScript heap out of memory|Fatal JavaScript invalid size error/;

/**
 * What the end of a process says that gave no answer.
 * @param printed its last words.
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
