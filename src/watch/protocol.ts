/** What a run and the process that watches over it tell each other. Imports nothing that takes time to load. */
import type { Death } from '../domain/failure-message.ts';

/** From the run's process. */
export type FromRun =
  /** The run has its row, and nothing has been handed out yet. */
  | {
      type: 'run';
      runId: string;
      /** Results that it had when this process took it. */
      results: number;
      /** Workstreams that were in hand when the process before this one died. */
      inHand: number;
    }
  /** It was told to end, and does so. */
  | { type: 'interrupting'; signal: string }
  /** It has done all it will do, and this is its exit code. */
  | { type: 'ended'; exitCode: number };

/** Descriptor of the standard input that the command was started with, in the run's process. */
export const INPUT = 6;

/** How long a process may take to end that has said its exit code, in milliseconds. */
export const END_MS = 1_000;

/** What a run goes on from whose process has died. */
export interface Continuation {
  runId: string;
  death: Death;
  /** How many of its processes have died in all. */
  deaths: number;
}

/** Variable that carries `GoingOn` as JSON to the process that goes on. */
export const CONTINUATION_VARIABLE = 'MILLRACE_GOES_ON';

/** What a message says; null for one that is none of ours. */
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
  if (!('runId' in message && 'results' in message && 'inHand' in message)) return null;
  const { runId, results, inHand } = message;
  if (typeof runId !== 'string' || !isNumber(results) || !isNumber(inHand)) return null;
  return { type: 'run', runId, results, inHand };
}

/** What the variable says; null where it is not set or is none of ours. */
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
