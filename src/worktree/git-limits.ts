/** How long git may take: for all calls in a piece of work together, whoever in it makes them. */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface GitLimits {
  /** The run for which the work is done, where no other process works for it at the same time; null otherwise. */
  runId: string | null;
  /** Seconds from now, for all calls together. */
  seconds: number;
  /** Aborted when the run is interrupted. Default: never. */
  signal?: AbortSignal;
  /** Seconds that are left after that: work that was done is still to be kept. Default: none. */
  secondsAfterAbort?: number;
}

/** What is left of the limits. */
export interface Allowance {
  readonly runId: string | null;
  /** Aborted when no call may go on any more, with the reason in a few words. */
  readonly over: AbortSignal;
  /** The call that was under way then and is to blame for those that were not made any more; null for none. */
  cut: string | null;
}

/** Why a call was ended, after its name. */
export const tooLong = (seconds: number): string =>
  `did not end within ${seconds} s: a filter, a network or a disk may not answer`;

/** Most that a timer can wait for. */
const LONGEST_MS = 2 ** 31 - 1;

const current = new AsyncLocalStorage<Allowance>();

/** Beyond the limits, for what was cut short to say so itself. */
const CLEANUP_MS = 3_000;

/**
 * Does something in which calls of git end with the limits. Rejects soon after that where something else does not come
 * to its end; no call of git that it makes then does anything.
 */
export async function withinLimits<T>(limits: GitLimits, work: () => Promise<T>): Promise<T> {
  const { runId, seconds, signal, secondsAfterAbort = 0 } = limits;
  const over = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const endAfter = (later: number, why: string): void => {
    timers.push(setTimeout(() => over.abort(why), Math.min(later * 1000, LONGEST_MS)));
  };
  const onAbort = (): void => {
    const why = 'did not end before the run was interrupted';
    if (secondsAfterAbort === 0) over.abort(why);
    else endAfter(secondsAfterAbort, why);
  };
  endAfter(seconds, tooLong(seconds));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([
      current.run({ runId, over: over.signal, cut: null }, work),
      afterAll(over.signal, timers),
    ]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function afterAll(over: AbortSignal, timers: NodeJS.Timeout[]): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new Error(`It ${String(over.reason)}`));
    over.addEventListener('abort', () => timers.push(setTimeout(end, CLEANUP_MS)), { once: true });
  });
}

/** What several pieces of work wait for is not limited by the one that came first. */
export const withoutLimits = <T>(work: () => T): T => current.exit(work);

/** Null where nothing limits the calls of git but their own limit. */
export const allowance = (): Allowance | null => current.getStore() ?? null;
