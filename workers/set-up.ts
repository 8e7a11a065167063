/** Prepares the workspace before the first step. */
import type { Failure } from '../src/domain/failure.ts';
import { describeFailure } from '../src/domain/failure-message.ts';
import type { Execution } from './execution.ts';
import { runProcess } from './process.ts';
import { shellCommand } from './shell.ts';

/** Runs the assignment's setup line through the shell. Null when it succeeded, or there is none. */
export async function setUp(execution: Execution): Promise<Failure | null> {
  const { setup, shell, workspace } = execution.assignment;
  if (setup === null) return null;
  const command = { shown: setup, ...shellCommand(setup, shell), cwd: workspace, env: {} };
  try {
    const { failure, exitCode } = await runProcess(command, execution, execution.signal.abortSignal);
    return failure === null ? null : setupFailure(setup, failure, exitCode);
  } catch (error) {
    if (execution.stopped === null) throw error;
    return execution.stopped.failure;
  }
}

/** Failures that are not its own, such as too much output, stay what they are. */
function setupFailure(setup: string, failure: Failure, exitCode: number | null): Failure {
  const { reason } = failure;
  if (reason === 'exit-non-zero' || reason === 'killed-by-signal') {
    return { reason: 'setup-failed', exitCode, command: setup, tail: failure.tail, log: failure.log };
  }
  if (reason !== 'command-not-found' && reason !== 'command-not-executable') return failure;
  const { tail = '', log = null } = failure;
  return { reason: 'setup-failed', exitCode, command: setup, tail, log, cause: describeFailure(failure) };
}
