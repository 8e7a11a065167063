/** The messages between a run and its watcher. Loads fast: it imports nothing at run time. */
import type { Death } from '../domain/failure-message.ts';

/** From the run's process to the watcher. */
export type FromRun =
  /** The run has its row, and nothing was started yet. */
  | {
      type: 'run';
      runId: string;
      /** Results that it had when this process took it over. */
      results: number;
      /** Workstreams that were running when the process before this one died. */
      running: number;
    }
  /** A signal has asked it to end. */
  | { type: 'interrupting'; signal: string }
  /** It has done everything. */
  | { type: 'ended'; exitCode: number };

/** Descriptor of the standard input that the command was started with, in the run's process. */
export const INPUT = 6;

/** How long a process may take to end after it has sent its exit code, in milliseconds. */
export const END_MS = 1_000;

/** A run whose process has died, for the process that continues it. */
export interface Continuation {
  runId: string;
  death: Death;
  /** How many of its processes have died in all. */
  deaths: number;
}

/** Variable with the `Continuation` as JSON, for the process that continues the run. */
export const CONTINUATION_VARIABLE = 'MILLRACE_GOES_ON';

/** Null for a message of something else. */
export function readFromRun(message: unknown): FromRun | null {
  if (typeof message !== 'object' || message === null || !('type' in message)) return null;
  switch (message.type) {
    case 'interrupting':
      return 'signal' in message && typeof message.signal === 'string'
        ? { type: 'interrupting', signal: message.signal }
        : null;
    case 'ended':
      return 'exitCode' in message && isNumber(message.exitCode)
        ? { type: 'ended', exitCode: message.exitCode }
        : null;
    case 'run':
      return readRun(message);
    default:
      return null;
  }
}

function readRun(message: object): FromRun | null {
  if (!('runId' in message && 'results' in message && 'running' in message)) return null;
  const { runId, results, running } = message;
  if (typeof runId !== 'string' || !isNumber(results) || !isNumber(running)) return null;
  return { type: 'run', runId, results, running };
}

/** The value of the variable; null where it is not set, or of another form. */
export function readContinuation(text: string | undefined): Continuation | null {
  if (text === undefined) return null;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return null;
  if (!('runId' in value && 'death' in value && 'deaths' in value)) return null;
  const { runId, death, deaths } = value;
  if (typeof runId !== 'string' || !isNumber(deaths) || !isDeath(death)) return null;
  return { runId, deaths, death };
}

function isDeath(value: unknown): value is Death {
  if (typeof value !== 'object' || value === null || !('exitCode' in value && 'signal' in value))
    return false;
  const { exitCode, signal } = value;
  return (exitCode === null || isNumber(exitCode)) && (signal === null || typeof signal === 'string');
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
