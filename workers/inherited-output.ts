/** Standard output and error that child processes inherit are those of the execution, as those of its thread are. */
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { currentExecution, type Execution } from './execution.ts';

const SYNCHRONOUS = ['spawnSync', 'execSync', 'execFileSync'] as const;

/**
 * The `stdio` option of a child process with the log of its execution wherever it names the output of this process,
 * which is the log of the run. What starts after its execution has ended prints nowhere.
 */
export function toOwnOutput(stdio: unknown, { output, ended }: Execution): unknown {
  const own = (): unknown => (ended ? 'ignore' : output.descriptor);
  const streams: unknown[] | null =
    stdio === 'inherit' ? ['inherit', 'inherit', 'inherit'] : Array.isArray(stdio) ? stdio : null;
  return (
    streams?.map((stream, index) => (isOutput(stream) || isInherited(stream, index) ? own() : stream)) ??
    stdio
  );
}

const isInherited = (stream: unknown, index: number): boolean =>
  stream === 'inherit' && (index === 1 || index === 2);

const isOutput = (stream: unknown): boolean =>
  stream === 1 || stream === 2 || stream === process.stdout || stream === process.stderr;

/** From now on the functions that wait for their child process see to that; those that don't go another way. */
export function captureSynchronousChildren(): void {
  for (const name of SYNCHRONOUS) {
    const original = childProcess[name];
    Reflect.set(childProcess, name, (...args: unknown[]): unknown => {
      const execution = currentExecution.getStore();
      const given = execution === undefined ? args : args.map((arg) => withOwnOutput(arg, execution));
      return Reflect.apply(original, childProcess, given);
    });
  }
  syncBuiltinESMExports();
}

/** Of the arguments only the options are an object with `stdio`. */
function withOwnOutput(arg: unknown, execution: Execution): unknown {
  if (typeof arg !== 'object' || arg === null || !('stdio' in arg)) return arg;
  return { ...arg, stdio: toOwnOutput(arg.stdio, execution) };
}
