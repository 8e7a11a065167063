/** Starts a child process of a step and waits for its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Failure } from '../src/domain/failure.ts';
import { signalGroup } from '../src/support/process-group.ts';
import type { Execution } from './execution.ts';

const WATCH_MS = 250;
const BYTES_PER_MB = 1e6;

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

/** What a process needs of the execution that it belongs to; its output may go to a file of its own. */
export type ProcessHost = Pick<Execution, 'output' | 'assignment' | 'progress'>;

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
  const child = startProcess(command, execution);
  if (child instanceof Error) return { failure: startFailure(command, child), exitCode: null, tail: '' };
  const guard = guardProcess(child, execution, signal, start);
  try {
    const end = await ended(child);
    signal.throwIfAborted();
    const tail = execution.output.tail(start);
    const context = { command: command.shown, tail, log: execution.assignment.logFile };
    if (guard.limitPassed()) {
      const { maxOutputMb: limitMb } = execution.assignment.limits;
      return { failure: { reason: 'output-limit', limitMb, ...context }, exitCode: null, tail };
    }
    return describeEnd(command, end, context);
  } finally {
    guard.stop();
  }
}

/** Gives the error where Node refuses at once: too many arguments, a NUL character, no memory. */
function startProcess(command: Command, execution: ProcessHost): ChildProcess | Error {
  const output = execution.output.descriptor;
  try {
    return spawn(command.file, command.args, {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      shell: command.shell,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', output, output],
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

type End = { code: number | null; signal: NodeJS.Signals | null } | { error: Error };

function ended(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
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

/** A missing folder would otherwise be reported as a missing command. */
function badFolder(cwd: string): Failure | null {
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true) return null;
  return { reason: 'workspace-error', detail: `There is no folder ${cwd} to run the command in.` };
}

interface Guard {
  stop(): void;
  limitPassed(): boolean;
}

/** Ends the group when the signal is aborted or the output grows past its limit, and shows its last line as progress. */
function guardProcess(
  child: ChildProcess,
  execution: ProcessHost,
  signal: AbortSignal,
  start: number,
): Guard {
  const { graceSeconds, maxOutputMb } = execution.assignment.limits;
  let kill: NodeJS.Timeout | undefined;
  let passed = false;
  const end = (): void => {
    if (child.pid === undefined || kill !== undefined) return;
    const leader = child.pid;
    signalGroup(leader, 'SIGTERM');
    kill = setTimeout(() => signalGroup(leader, 'SIGKILL'), graceSeconds * 1000);
  };
  let shown = start;
  const watch = setInterval(() => {
    const { size } = execution.output;
    passed ||= size - start > maxOutputMb * BYTES_PER_MB;
    if (passed) end();
    if (size > shown) execution.progress(null, lastLine(execution.output.tail(shown)));
    shown = size;
  }, WATCH_MS);
  signal.addEventListener('abort', end, { once: true });
  return {
    limitPassed: () => passed,
    stop: () => {
      clearInterval(watch);
      clearTimeout(kill);
      signal.removeEventListener('abort', end);
    },
  };
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
