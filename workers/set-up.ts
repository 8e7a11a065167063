/** Prepares the workspace before the first step. */
import type { Failure } from '../src/domain/failure.ts';
import type { Execution } from './execution.ts';
import { runProcess } from './process.ts';
import { shellCommand } from './shell.ts';

/** Runs the assignment's setup line through the shell. Null when it succeeded, or there is none. */
export async function setUp(execution: Execution): Promise<Failure | null> {
  const { setup, shell, workspace } = execution.assignment;
  if (setup === null) return null;
  const command = { shown: setup, ...shellCommand(setup, shell), cwd: workspace, env: {} };
  try {
    const { failure, exitCode } = await runProcess(command, execution, execution.signal);
    if (failure?.reason !== 'exit-non-zero' && failure?.reason !== 'killed-by-signal') return failure;
    const { tail, log } = failure;
    return { reason: 'setup-failed', exitCode, command: setup, tail, log };
  } catch (error) {
    if (execution.stopped === null) throw error;
    return execution.stopped.failure;
  }
}
