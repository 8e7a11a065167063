/** Watches over a child process while it runs: its output, its progress, and when it has to end. */
import { AsyncResource } from 'node:async_hooks';
import { signalGroup } from '../../src/os/process-group.ts';
import type { Execution } from '../execution.ts';
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../thread/own-globals.ts';
import type { StopSignal } from '../thread/stop-signal.ts';

const WATCH_MS = 250;
const BYTES_PER_MB = 1e6;

/** What a process needs of the execution that it belongs to; its output may go to a file of its own. */
export type ProcessHost = Pick<
  Execution,
  'environment' | 'assignment' | 'host' | 'output' | 'children' | 'stopped' | 'progress' | 'running'
>;

export interface Guard {
  /** Called as soon as the process is known. */
  started(pid: number): void;
  stop(): void;
  /** Ends the process, at once or when it is known. */
  end(): void;
  /**
   * Whether it printed more than it may, also where it ended by itself before that was seen.
   * @param size of the output, where that is known.
   */
  limitPassed(size?: number): boolean;
}

/**
 * Ends the process when the signal is aborted or the execution's output grows past its limit: SIGTERM, and SIGKILL
 * after the grace. Sends as progress what `activity` returns; null for nothing new.
 * @param command as messages show it.
 * @param start how large the output was before the process was started.
 */
export function guardProcess(
  execution: ProcessHost,
  signal: StopSignal,
  { command, start, activity }: { command: string; start: number; activity: () => string | null },
): Guard {
  const { graceSeconds, maxOutputMb } = execution.assignment.limits;
  let leader: number | null = null;
  let isToEnd = false;
  let kill: NodeJS.Timeout | undefined;
  let passed = false;
  const end = (): void => {
    isToEnd = true;
    if (leader === null || kill !== undefined) return;
    const group = leader;
    signalStopped(group, execution, 'SIGTERM');
    kill = setTimeout(() => signalStopped(group, execution, 'SIGKILL'), graceSeconds * 1000);
  };
  const limitPassed = (size = execution.output.size): boolean => {
    passed ||= size - start > maxOutputMb * BYTES_PER_MB;
    return passed;
  };
  const stopWatching = watch(() => {
    if (limitPassed()) end();
    execution.output.redact();
    execution.children.reportLaunched();
    const text = activity();
    if (text !== null) execution.progress(null, text);
  });
  execution.running = { command, start };
  const stopListening = signal.onAbort(end);
  return {
    started: (pid) => {
      leader = pid;
      if (isToEnd) end();
    },
    end,
    limitPassed,
    stop: () => {
      // The main thread may notice the limit, too, a moment after this: then it is still this command that printed too much.
      if (!passed) execution.running = null;
      stopWatching();
      clearTimeout(kill);
      stopListening();
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

// One timer for all processes of an agent: most commands have ended before they are looked at once.

/** Outside of any execution: the timer belongs to none. */
const outside = new AsyncResource('ProcessGuard');
const watchers = new Set<() => void>();
let timer: NodeJS.Timeout | null = null;

/** Calls `look` four times a second until the returned function is called. */
function watch(look: () => void): () => void {
  watchers.add(look);
  timer ??= outside.runInAsyncScope(() => setInterval(lookAtAll, WATCH_MS)).unref();
  return () => void watchers.delete(look);
}

/** Starting and stopping the timer for each short command would take longer than finding once that there is none. */
function lookAtAll(): void {
  for (const look of watchers) look();
  if (watchers.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}
