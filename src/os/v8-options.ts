/**
 * Options of V8 for the processes of a run, each measured on the Node that it is used with.
 *
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
 * never gives back. It collects more often instead, and a little at a time, for which no other threads are woken: that took
 * 4 to 5 % of the CPU time of a dashboard. Only where V8 is known to have the flags, as it prints an error for one that it
 * does not know.
 */
export function keepYoungSpaceSmall(): void {
  if (!process.versions.node.startsWith('20.')) return;
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-parallel-scavenge');
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

/**
 * V8 compiles a function for speed once so many bytes of its bytecode have run. With its default compiling takes a third of
 * the CPU time of 10,000 tiny workstreams, with this less than a fifth, and code that computes for long takes no longer. A
 * dashboard of a run of 2,000 took at least a tenth less CPU time with it in each of six pairs.
 */
const BUDGETS = { late: 600_000, usual: 67_584 } as const;

/** What a run loads of Node. Node has kept the code of these, and V8 takes that only while its options are the usual ones. */
const BUILT_IN = [
  'assert',
  'async_hooks',
  'child_process',
  'crypto',
  'diagnostics_channel',
  'fs/promises',
  'net',
  'os',
  'perf_hooks',
  'readline',
  'stream/promises',
  'timers/promises',
  'tty',
  'worker_threads',
  'zlib',
];

let compilesLate = false;

/**
 * Has V8 compile late from now on in this process, which is a run's or a dashboard's own. Before any code of a bundle is
 * loaded.
 */
export function compileLate(): void {
  if (!process.versions.node.startsWith('20.')) return;
  for (const name of BUILT_IN) process.getBuiltinModule(`node:${name}`);
  compilesLate = true;
  setBudget('late');
}

/**
 * Threads load Node's modules a fifth faster with V8's usual options. Returns what goes back to compiling late, once they
 * are loaded. Both do nothing in a process that does not compile late.
 */
export function compileAsUsual(): () => void {
  if (!compilesLate) return () => undefined;
  setBudget('usual');
  return () => setBudget('late');
}

const setBudget = (budget: keyof typeof BUDGETS): void =>
  setFlagsFromString(`--interrupt-budget=${BUDGETS[budget]}`);
