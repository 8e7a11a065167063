/**
 * What runs left in Redis that nobody goes on with: jobs have no time to live of their own. A run that is gone on with
 * after all adds what it needs again.
 */
import type { Redis } from 'ioredis';
import { BODY_PREFIX } from '../bodies.ts';
import { KEYS, nonceOf } from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';
import { LeaseStore } from './lease-store.ts';

export interface RemovedRuns {
  runs: number;
  jobs: number;
}

const AT_ONCE = 1_000;

/**
 * Removes the runs whose coordinator was last there longer ago than `forMs` milliseconds. What a host has in hand is
 * stopped, and removed the next time.
 * @param except nonce of a run that stays whatever its age; null for none.
 */
export async function removeAbandonedRuns(
  { redis, key }: { redis: Redis; key: QueueKey },
  forMs: number,
  except: string | null,
): Promise<RemovedRuns> {
  const [seconds] = await redis.time();
  const found = await redis.zrangebyscore(KEYS.runs, '-inf', Number(seconds) * 1000 - forMs);
  const nonces = new Set(found.filter((nonce) => nonce !== except));
  const removed: RemovedRuns = { runs: 0, jobs: 0 };
  for (const nonce of nonces) {
    const leases = new LeaseStore({ redis, key, nonce, onError: () => undefined });
    const { jobs, isEmpty } = await removeJobs(leases);
    await leases.close();
    removed.jobs += jobs;
    if (isEmpty) removed.runs += 1;
    else nonces.delete(nonce);
  }
  if (nonces.size > 0) await removeBodies(redis, nonces);
  return removed;
}

async function removeJobs(leases: LeaseStore): Promise<{ jobs: number; isEmpty: boolean }> {
  const notes = await leases.notes();
  let jobs = 0;
  for (const [job, { queue }] of notes) {
    if (await leases.remove({ job, queue })) jobs += 1;
    else await leases.cancel(job, 'interrupted');
  }
  const isEmpty = jobs === notes.size;
  if (isEmpty) await leases.removeRun();
  return { jobs, isEmpty };
}

/** Of assignments and receipts; takes time in proportion to the number of keys in Redis. */
async function removeBodies(redis: Redis, nonces: ReadonlySet<string>): Promise<void> {
  let cursor = '0';
  do {
    const [next, names] = await redis.scan(cursor, 'MATCH', `${BODY_PREFIX}:n*`, 'COUNT', AT_ONCE);
    const theirs = names.filter((name) => nonces.has(nonceOf(name.slice(BODY_PREFIX.length + 1))));
    if (theirs.length > 0) await redis.unlink(...theirs);
    cursor = next;
  } while (cursor !== '0');
}
