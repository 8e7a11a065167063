import type { Failure } from '../domain/failure.ts';
import type { ProcessEnd } from './agent-process.ts';

/** What Node prints before it gives up for want of memory (V8's own words). */
const OUT_OF_HEAP = /JavaScript heap out of memory|Fatal JavaScript invalid size error/;

/**
 * What the end of a process says that gave no answer.
 * @param printed its last words.
 * @param memoryMb its limit; null for none.
 */
export function processFailure(end: ProcessEnd, printed: string, memoryMb: number | null): Failure {
  if (OUT_OF_HEAP.test(printed)) return { reason: 'out-of-memory', of: 'process-heap', limitMb: memoryMb };
  return { reason: 'process-crashed', ...end, detail: explain(end), tail: '', log: null };
}

function explain({ exitCode, signal }: ProcessEnd): string {
  switch (signal) {
    case 'SIGSEGV':
    case 'SIGBUS':
    case 'SIGILL':
    case 'SIGFPE':
      return 'native code did something that the system forbids. Update or leave out the addons that its modules load.';
    case 'SIGABRT':
    case 'SIGTRAP':
      return 'its code called process.abort(), or Node gave up. What was printed last may say why.';
    case 'SIGKILL':
      return 'something killed it: the system does so when memory runs out. Give it a memory_limit_mb, or use fewer agents.';
    case null:
      return exitCode === 134
        ? 'its code called process.abort(), or Node gave up. What was printed last may say why.'
        : `the workstream's code ended it, as process.exit(${exitCode}) does. Throw an error or return instead.`;
    default:
      return 'something sent it that signal.';
  }
}
