/** What a host asks of Redis beyond BullMQ: the script that renews a lease, and how an answer is insisted on. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/**
 * Renews a lock, also when Redis is full: neither PEXPIRE nor SREM needs memory. A lock that has gone is made again only
 * where nobody has begun the job since: its count of starts is still this lease's, and it is among the active jobs, or
 * among the waiting ones because it was found to be stalled. Answers `held` or `lost`, and why the job is to be stopped.
 */
const RENEW = `
local lock, job, stalled, active, wait, cancels = unpack(KEYS)
local token, duration, id, starts = unpack(ARGV)
local holder = redis.call('GET', lock)
if holder == token then
  redis.call('PEXPIRE', lock, duration)
  redis.call('SREM', stalled, id)
else
  if holder or redis.call('HGET', job, 'ats') ~= starts then return {'lost'} end
  if not redis.call('LPOS', active, id) then
    if not redis.call('LPOS', wait, id) then return {'lost'} end
    redis.call('LPUSH', active, id)
    redis.call('LREM', wait, 1, id)
  end
  redis.call('SET', lock, token, 'PX', duration)
  redis.call('SREM', stalled, id)
end
return {'held', redis.call('HGET', cancels, id)}
`;

/** Where a lease is in Redis, in the order in which the script names them. */
export interface LeaseKeys {
  lock: string;
  job: string;
  stalled: string;
  active: string;
  wait: string;
  cancels: string;
}

export interface Renewal {
  isHeld: boolean;
  /** Why the job is to be stopped, sealed; null where it is not. */
  cancel: string | null;
}

/** @param starts how often the job had been leased with this lease. */
export async function renewLease(
  redis: Redis,
  { lock, job, stalled, active, wait, cancels }: LeaseKeys,
  lease: { token: string; durationMs: number; id: string; starts: number },
): Promise<Renewal> {
  const { token, durationMs, id, starts } = lease;
  const keys = [lock, job, stalled, active, wait, cancels];
  const answer: unknown = await redis.eval(RENEW, keys.length, ...keys, token, durationMs, id, starts);
  const [state, cancel]: unknown[] = Array.isArray(answer) ? answer : [];
  return { isHeld: state === 'held', cancel: typeof cancel === 'string' ? cancel : null };
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Of BullMQ: the job is no more, its lock has gone, it is not active, or its lock is another's. */
const CODES = { jobGone: -1, lockGone: -2, notActive: -3, otherLock: -6 } as const;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);

/**
 * Makes a call until it succeeds, or can't any more. Resolves with whether it succeeded. Redis may be full, loading,
 * or away for any time.
 */
export async function untilTaken(
  attempt: () => Promise<unknown>,
  { isLost, onLockGone }: { isLost: () => boolean; onLockGone: () => Promise<void> },
): Promise<boolean> {
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    if (isLost()) return false;
    try {
      await attempt();
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === CODES.jobGone || code === CODES.notActive || code === CODES.otherLock) return false;
      if (code === CODES.lockGone) await onLockGone();
    }
    await pause(wait);
  }
}

/** Makes a call until Redis takes it. Rejects only when `isOver`. */
export async function insist<T>(attempt: () => Promise<T>, isOver: () => boolean): Promise<T> {
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (isOver()) throw error;
    }
    await pause(wait);
  }
}
