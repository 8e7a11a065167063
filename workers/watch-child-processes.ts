import { ChildProcess } from 'node:child_process';
import { variablesOf } from './child-variables.ts';
import { currentExecution } from './execution.ts';
import { captureSynchronousChildren, toOwnOutput } from './inherited-output.ts';

/** What Node passes to `ChildProcess.prototype.spawn`; only what is set here. */
interface SpawnOptions {
  detached?: boolean;
  envPairs?: string[];
  stdio?: unknown;
}

/**
 * From now on every child process that code of this thread starts asynchronously leads its own group, gets the
 * execution's variables, prints into its log where it inherits the output, and is known to the execution it was
 * started in. A thread has its own copy of
 * `node:child_process`, so nothing else in the process is touched.
 */
export function watchChildProcesses(): void {
  captureSynchronousChildren();
  const spawn: unknown = Reflect.get(ChildProcess.prototype, 'spawn');
  if (typeof spawn !== 'function')
    throw new Error('ChildProcess has no spawn method in this version of Node');
  Reflect.set(ChildProcess.prototype, 'spawn', function watched(this: ChildProcess, options: SpawnOptions) {
    const execution = currentExecution.getStore();
    if (execution === undefined) return Reflect.apply(spawn, this, [options]);
    const { children } = execution;
    options.detached = true;
    options.stdio = toOwnOutput(options.stdio, execution);
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
