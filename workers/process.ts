/** Starts a child process of a step and waits for its end. */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Failure } from '../src/domain/failure.ts';
import { guardProcess, type ProcessHost } from './process-guard.ts';

/** What to run: a shell line, or a program and its arguments. */
export interface Command {
  /** As messages show it. */
  shown: string;
  file: string;
  args: string[];
  shell: boolean;
  cwd: string;
  env: Record<string, string>;
}

/** How a child process ended. `failure` is null exactly for exit code 0. */
export interface ProcessEnd {
  failure: Failure | null;
  exitCode: number | null;
  tail: string;
}

/**
 * Runs a command in its own process group, its output straight into the execution's log file.
 * @throws the signal's reason when stopped; by then the group has been ended.
 */
export async function runProcess(
  command: Command,
  execution: ProcessHost,
  signal: AbortSignal,
): Promise<ProcessEnd> {
  signal.throwIfAborted();
  const start = execution.output.size;
  const bad = badFolder(command.cwd);
  if (bad !== null) return { failure: bad, exitCode: null, tail: '' };
  const output = execution.output.descriptor;
  const child = startProcess(command, ['ignore', output, output]);
  if (child instanceof Error) return { failure: startFailure(command, child), exitCode: null, tail: '' };
  const guard = guardProcess(child, execution, signal, lastLineOf(execution, start));
  try {
    const end = await ended(child);
    signal.throwIfAborted();
    const tail = execution.output.tail(start);
    if (guard.limitPassed()) return { failure: limitFailure(command, execution, tail), exitCode: null, tail };
    return describeEnd(command, end, { command: command.shown, tail, log: execution.assignment.logFile });
  } finally {
    guard.stop();
  }
}

/** Gives the error where Node refuses at once: too many arguments, a NUL character, no memory. */
export function startProcess(command: Command, stdio: StdioOptions): ChildProcess | Error {
  try {
    return spawn(command.file, command.args, {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      shell: command.shell,
      detached: true,
      windowsHide: true,
      stdio,
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The end of a process: how it exited, or why it was never started. */
export type End = { code: number | null; signal: NodeJS.Signals | null } | { error: Error };

/** Resolves when the process has ended, whoever may still hold its output open. */
export function ended(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** A missing folder would otherwise be reported as a missing command. */
export function badFolder(cwd: string): Failure | null {
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true) return null;
  return { reason: 'workspace-error', detail: `There is no folder ${cwd} to run the command in.` };
}

/** The failure of a process that printed too much. */
export function limitFailure(command: Command, execution: ProcessHost, tail: string): Failure {
  const { limits, logFile: log } = execution.assignment;
  return { reason: 'output-limit', limitMb: limits.maxOutputMb, command: command.shown, tail, log };
}

function describeEnd(
  command: Command,
  end: End,
  context: { command: string; tail: string; log: string },
): ProcessEnd {
  const { tail } = context;
  if ('error' in end) return { failure: startFailure(command, end.error), exitCode: null, tail };
  if (end.code === 0) return { failure: null, exitCode: 0, tail };
  const failure: Failure =
    end.code === null
      ? { reason: 'killed-by-signal', signal: end.signal ?? 'an unknown signal', ...context }
      : { reason: 'exit-non-zero', exitCode: end.code, ...context };
  return { failure, exitCode: end.code, tail };
}

function startFailure(command: Command, error: Error): Failure {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return { reason: 'command-not-found', command: command.file };
  return {
    reason: 'workspace-error',
    detail: `\`${command.shown}\` could not be started: ${error.message}.`,
  };
}

/** Gives the last line that was printed since it was asked before, at first since `from`. */
function lastLineOf({ output }: ProcessHost, from: number): () => string | null {
  let shown = from;
  return () => {
    const { size } = output;
    if (size <= shown) return null;
    const line = output.tail(shown).trimEnd().split('\n').at(-1) ?? '';
    shown = size;
    return line;
  };
}
