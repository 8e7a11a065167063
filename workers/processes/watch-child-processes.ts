/** Everything that code of this thread starts belongs to the execution that it was started in. */
import childProcess, { ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';
import { type Execution, responsible } from '../execution.ts';
import { variablesIn, variablesOf } from './process.ts';

/** What Node passes to `ChildProcess.prototype.spawn`; only what is set here. */
interface SpawnOptions {
  detached?: boolean;
  envPairs?: string[];
  stdio?: unknown;
}

/**
 * From now on every child process leads its own group, gets the execution's variables and neither reads the run's input
 * nor prints into its output, whether it is waited for or not. A thread has its own copy of these modules, so nothing
 * else in the process is touched.
 */
export function watchChildProcesses(): void {
  watchSpawn();
  for (const name of ['spawnSync', 'execSync', 'execFileSync'] as const) watchSynchronous(name);
  watchThreads();
  syncBuiltinESMExports();
}

/** What every function goes through that does not wait. */
function watchSpawn(): void {
  const spawn: unknown = Reflect.get(ChildProcess.prototype, 'spawn');
  if (typeof spawn !== 'function')
    throw new Error('ChildProcess has no spawn method in this version of Node');
  Reflect.set(ChildProcess.prototype, 'spawn', function watched(this: ChildProcess, options: SpawnOptions) {
    const execution = responsible();
    if (execution === null) return Reflect.apply(spawn, this, [options]);
    const { children } = execution;
    options.detached = true;
    options.stdio = toOwnStreams(options.stdio, execution);
    options.envPairs = variablesOf(execution, options.envPairs ?? []);
    const result: unknown = Reflect.apply(spawn, this, [options]);
    const { pid } = this;
    if (pid !== undefined) {
      children.started(pid);
      this.once('exit', () => children.ended(pid));
    }
    return result;
  });
}

/** The pid is not known while this thread waits: what is alive then, or afterwards, is found by its mark. */
function watchSynchronous(name: 'spawnSync' | 'execSync' | 'execFileSync'): void {
  const original = childProcess[name];
  Reflect.set(childProcess, name, (...args: unknown[]): unknown => {
    const execution = responsible();
    if (execution === null) return Reflect.apply(original, childProcess, args);
    execution.children.mayStart();
    return Reflect.apply(original, childProcess, withOwnOptions(name, args, execution));
  });
}

/** The options come last: after the command, or after the arguments, which may be left out. */
function withOwnOptions(name: string, args: unknown[], execution: Execution): unknown[] {
  const hasList =
    name !== 'execSync' && (Array.isArray(args[1]) || args[1] === undefined || args[1] === null);
  const at = hasList ? 2 : 1;
  const given = args[at] ?? {};
  // Node throws an error about it.
  if (typeof given !== 'object') return args;
  const { env, stdio } = given as { env?: NodeJS.ProcessEnv; stdio?: unknown };
  const own = {
    ...given,
    detached: true,
    env: variablesIn(execution, env ?? process.env),
    ...(stdio === undefined ? {} : { stdio: toOwnStreams(stdio, execution) }),
  };
  return [...args.slice(0, at), ...(hasList && args.length < 2 ? [[]] : []), own];
}

/**
 * A thread that a workstream starts has modules of its own, so that what it starts is not seen here: it carries the mark
 * because it inherits the thread's variables.
 */
function watchThreads(): void {
  const { Worker: Original } = workerThreads;
  class Worker extends Original {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const execution = responsible();
      const { env = process.env } = options;
      execution?.children.mayHaveLeftTheirGroups();
      // A symbol stands for the variables of this thread themselves.
      const isMarked = execution !== null && typeof env !== 'symbol';
      super(file, isMarked ? { ...options, env: variablesIn(execution, env) } : options);
    }
  }
  Reflect.set(workerThreads, 'Worker', Worker);
}

// What child processes inherit is the execution's, as it is in its thread: no input, and its log as output.

/**
 * The `stdio` option of a child process where it names the streams of this process: its input, which is the terminal or
 * the pipe of the run, is at its end, and its output goes into the log of the execution. What starts after its
 * execution has ended prints nowhere.
 */
function toOwnStreams(stdio: unknown, { output, ended }: Execution): unknown {
  const streams: unknown[] | null =
    stdio === 'inherit' ? ['inherit', 'inherit', 'inherit'] : Array.isArray(stdio) ? stdio : null;
  return (
    streams?.map((stream, index) => {
      if (isInput(stream, index)) return 'ignore';
      if (!isOutput(stream, index)) return stream;
      return ended ? 'ignore' : output.descriptor;
    }) ?? stdio
  );
}

const isInput = (stream: unknown, index: number): boolean =>
  stream === 0 || stream === process.stdin || (stream === 'inherit' && index === 0);

const isOutput = (stream: unknown, index: number): boolean =>
  stream === 1 ||
  stream === 2 ||
  stream === process.stdout ||
  stream === process.stderr ||
  (stream === 'inherit' && (index === 1 || index === 2));
