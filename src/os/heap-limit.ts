/**
 * How much garbage the heap of a run's process may hold. V8 lets a heap grow to four times what was alive at its last
 * collection where the limit of the heap is 2 GB or more, and to less than twice where it is lower.
 */
import { setFlagsFromString } from 'node:v8';

/** Far more than a run of a million workstreams needs. */
const LIMIT = '--max-old-space-size=1800';

const names = (option: string): boolean => /^--max[-_]old[-_]space[-_]size\b/.test(option);

/** The option of Node for a run's process; none where the user has set a limit. */
export function heapLimitOption(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions = process.env['NODE_OPTIONS'] ?? '',
): string[] {
  return [...execArgv, ...nodeOptions.split(/\s+/)].some(names) ? [] : [LIMIT];
}

/**
 * Keeps the limit from the threads and processes of agents that this process starts: code of workstreams may need
 * more, and an option would override the limit that the user gives them. To be called before any is started.
 */
export function keepHeapLimitHere(): void {
  if (!process.execArgv.includes(LIMIT)) return;
  setFlagsFromString('--max-old-space-size=0');
  process.execArgv = process.execArgv.filter((option) => option !== LIMIT);
}
