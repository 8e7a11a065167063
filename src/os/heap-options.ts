/**
 * How much garbage the heap of a run's process may hold. V8 lets a heap grow to four times what was alive at its last
 * collection where the limit of the heap is 2 GB or more, and to less than twice where it is lower. The first collection
 * comes when a run has hardly been started, unless V8 is told what the heap will need in any case: that saves 5 to 9 % of
 * the CPU time of a run of one workstream.
 */
import { setFlagsFromString } from 'node:v8';

/** Far more than a run of a million workstreams needs, and what a small one needs; in MB. */
const OPTIONS = { '--max-old-space-size': 1800, '--initial-old-space-size': 48 } as const;

const LIMITS = Object.entries(OPTIONS).map(([name, megabytes]) => `${name}=${megabytes}`);

const names = (option: string): boolean => /^--max[-_]old[-_]space[-_]size\b/.test(option);

/**
 * Keeps the space of young objects from growing in this process: up to 48 MB, which a process that waits most of the time
 * never gives back. It collects more often instead, and a little at a time. Only where V8 is known to have the flag, as it
 * prints an error for one that it does not know.
 */
export function keepYoungSpaceSmall(): void {
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--semi-space-growth-factor=1');
}

/** The options of Node for a run's process; none where the user has set a limit. */
export function heapOptions(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions = process.env['NODE_OPTIONS'] ?? '',
): readonly string[] {
  return [...execArgv, ...nodeOptions.split(/\s+/)].some(names) ? [] : LIMITS;
}

/**
 * Keeps these from the threads and processes of agents that this process starts: code of workstreams may need more, and
 * an option would override the limit that the user gives them. To be called before any is started.
 */
export function keepHeapOptionsHere(): void {
  if (!LIMITS.every((option) => process.execArgv.includes(option))) return;
  for (const name of Object.keys(OPTIONS)) setFlagsFromString(`${name}=0`);
  process.execArgv = process.execArgv.filter((option) => !LIMITS.includes(option));
}
