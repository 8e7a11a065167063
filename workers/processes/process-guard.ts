/** Watches over a child process while it runs: its output, its progress, and when it has to end. */
import type { ChildProcess } from 'node:child_process';
import { signalGroup } from '../../src/os/process-group.ts';
import type { Execution } from '../execution.ts';
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../thread/own-globals.ts';

const WATCH_MS = 250;
const BYTES_PER_MB = 1e6;

/** What a process needs of the execution that it belongs to; its output may go to a file of its own. */
export type ProcessHost = Pick<
  Execution,
  'environment' | 'assignment' | 'host' | 'output' | 'children' | 'stopped' | 'progress' | 'running'
>;

export interface Guard {
  stop(): void;
  /** Ends the process. */
  end(): void;
  /** Whether it printed more than it may, also where it ended by itself before that was seen. */
  limitPassed(): boolean;
}

/**
 * Ends the process when the signal is aborted or the execution's output grows past its limit: SIGTERM, and SIGKILL
 * after the grace. Sends as progress what `activity` returns; null for nothing new.
 * @param command as messages show it.
 * @param start how large the output was before the process was started.
 */
export function guardProcess(
  child: Pick<ChildProcess, 'pid'>,
  execution: ProcessHost,
  signal: AbortSignal,
  { command, start, activity }: { command: string; start: number; activity: () => string | null },
): Guard {
  const { graceSeconds, maxOutputMb } = execution.assignment.limits;
  let kill: NodeJS.Timeout | undefined;
  let passed = false;
  const end = (): void => {
    if (child.pid === undefined || kill !== undefined) return;
    const leader = child.pid;
    signalStopped(leader, execution, 'SIGTERM');
    kill = setTimeout(() => signalStopped(leader, execution, 'SIGKILL'), graceSeconds * 1000);
  };
  const limitPassed = (): boolean => {
    passed ||= execution.output.size - start > maxOutputMb * BYTES_PER_MB;
    return passed;
  };
  const watch = setInterval(() => {
    if (limitPassed()) end();
    execution.output.redact();
    const text = activity();
    if (text !== null) execution.progress(null, text);
  }, WATCH_MS);
  execution.running = { command, start };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  return {
    end,
    limitPassed,
    stop: () => {
      execution.running = null;
      clearInterval(watch);
      clearTimeout(kill);
      signal.removeEventListener('abort', end);
    },
  };
}

/**
 * All that an execution started ends with it, at the same time, so that the grace is not spent twice. Where only the
 * step is ended, what earlier steps started is left to those that follow it; what left the step's group is noted while
 * it can be, and ended with the execution.
 */
function signalStopped(leader: number, execution: ProcessHost, signal: NodeJS.Signals): void {
  if (execution.stopped === null) {
    execution.children.look();
    signalGroup(leader, signal);
  } else {
    execution.children.signalAll(signal);
  }
}
