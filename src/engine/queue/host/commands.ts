/** What a host asks of Redis beyond BullMQ: the script that renews a lease, and how an answer is insisted on. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/**
 * Renews a lock, also when Redis is full: neither PEXPIRE nor SREM needs memory. With `firm` it writes the lock anew
 * instead, which a full Redis refuses: scripts of BullMQ that finish a job would fail half way there. A lock that has gone is made
 * again only where nobody has begun the job since, and it has not ended: its count of starts is still this lease's. The
 * job is among the active ones then, among the waiting ones because it was found to be stalled, or in no list because
 * a script had failed half way. Answers `held` or `lost`, and why the job is to be stopped.
 */
const RENEW = `
local lock, job, stalled, active, wait, cancels = unpack(KEYS)
local token, duration, id, starts, firm = unpack(ARGV)
local holder = redis.call('GET', lock)
if holder == token and firm == '0' then
  redis.call('PEXPIRE', lock, duration)
else
  if holder and holder ~= token then return {'lost'} end
  if redis.call('HGET', job, 'ats') ~= starts then return {'lost'} end
  if redis.call('HEXISTS', job, 'finishedOn') == 1 then return {'lost'} end
  redis.call('SET', lock, token, 'PX', duration)
  if not redis.call('LPOS', active, id) then
    redis.call('LREM', wait, 1, id)
    redis.call('LPUSH', active, id)
  end
end
redis.call('SREM', stalled, id)
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

/**
 * `starts`: how often the job had been leased with this lease. `isFirm`: fails where Redis is full.
 * @throws the error of Redis.
 */
export async function renewLease(
  redis: Redis,
  { lock, job, stalled, active, wait, cancels }: LeaseKeys,
  lease: { token: string; durationMs: number; id: string; starts: number; isFirm: boolean },
): Promise<Renewal> {
  const { token, durationMs, id, starts, isFirm } = lease;
  const keys = [lock, job, stalled, active, wait, cancels];
  const answer: unknown = await redis.eval(
    RENEW,
    keys.length,
    ...keys,
    token,
    durationMs,
    id,
    starts,
    isFirm ? 1 : 0,
  );
  const [state, cancel]: unknown[] = Array.isArray(answer) ? answer : [];
  return { isHeld: state === 'held', cancel: typeof cancel === 'string' ? cancel : null };
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Of BullMQ: the job is no more, it is not active, or its lock is another's. */
const LOST: readonly unknown[] = [-1, -3, -6];

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);

/**
 * Makes a call until it succeeds, or can't any more. Resolves with whether it succeeded. Redis may be full, loading,
 * or away for any time.
 */
export async function untilTaken(attempt: () => Promise<unknown>, isLost: () => boolean): Promise<boolean> {
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    if (isLost()) return false;
    try {
      await attempt();
      return true;
    } catch (error) {
      if (LOST.includes(codeOf(error))) return false;
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
