/** `process.exitCode`, which code sets to fail, as wrappers of test runners and linters do. */
import type { Failure } from '../../src/domain/failure.ts';
import type { Execution } from '../execution.ts';

export const hasExitCode = (): boolean => Number(process.exitCode ?? 0) !== 0;

/** Returns what it was set to since the last call, 0 for nothing, and unsets it. */
export function takeExitCode(): number {
  const code = Number(process.exitCode ?? 0);
  if (code !== 0) process.exitCode = undefined;
  return code;
}

/** The failure of a module that set it, and neither threw nor ended its thread. */
export function exitCodeFailure(
  module: string,
  exitCode: number,
  { assignment, output }: Execution,
): Failure {
  const log = output.size === 0 ? null : assignment.logFile;
  return { reason: 'exit-non-zero', isModule: true, command: module, exitCode, tail: output.tail(0), log };
}
