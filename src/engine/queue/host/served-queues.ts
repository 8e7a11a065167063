/**
 * The queues of which a host has all labels: from which of them it leases its next job, how it hears of jobs and of
 * queues that runs have made, and what becomes of jobs whose hosts have gone.
 */
import { randomUUID } from 'node:crypto';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { MOST_BLOCKED_MS } from '../connection.ts';
import { KEYS, labelsOf, MOST_STALLED, QUEUE_PREFIX, queueName, serves } from '../protocol.ts';
import { Lease } from './lease.ts';

/** How often in each lease stalled jobs are looked for. */
export const STALLED_CHECKS = 4;
/** How long new queues may go unnoticed by a host that has nothing to do. */
const IDLE_SECONDS = Math.min(2, MOST_BLOCKED_MS / 1000);
/** After so many jobs the next is of what requires the fewest labels. */
const TAKES_TO_A_TURN = 4;

export interface ServedQueuesParts {
  redis: Redis;
  /** Waits for jobs, and does nothing else: a command that blocks holds up those behind it. */
  waiting: Redis;
  /** Of the host. */
  name: string;
  provides: readonly string[];
  leaseMs: number;
}

export class ServedQueues {
  readonly #parts: ServedQueuesParts;
  /** By name of the queue. */
  readonly #workers = new Map<string, Worker>();
  /** Those for the most labels first. */
  #byLabels: readonly Worker[] = [];
  /** How many jobs were leased. */
  #takes = 0;
  /** When queues are looked for again, on the monotonic clock. */
  #refreshAt = 0;

  constructor(parts: ServedQueuesParts) {
    this.#parts = parts;
  }

  /** Looks for queues that runs have made, where that is due. */
  async refresh(): Promise<void> {
    if (performance.now() < this.#refreshAt) return;
    // Set first: a queue of which it hears meanwhile may not be among these.
    this.#refreshAt = performance.now() + IDLE_SECONDS * 1000;
    const names = [queueName([]), ...(await this.#parts.redis.smembers(KEYS.queues))];
    for (const queue of names) if (this.#isNew(queue)) this.#add(queue);
    this.#byLabels = [...this.#workers.values()].toSorted(
      (one, other) => labelsOf(other.name).length - labelsOf(one.name).length,
    );
  }

  /** Whether the host serves it and did not know of it. */
  #isNew(queue: string): boolean {
    return !this.#workers.has(queue) && serves(this.#parts.provides, queue);
  }

  #add(queue: string): void {
    const { redis, name, leaseMs } = this.#parts;
    const worker = new Worker(queue, null, {
      connection: redis,
      prefix: QUEUE_PREFIX,
      name,
      autorun: false,
      lockDuration: leaseMs,
      stalledInterval: leaseMs / STALLED_CHECKS,
      maxStalledCount: MOST_STALLED,
      skipLockRenewal: true,
      skipStalledCheck: true,
      skipVersionCheck: true,
    });
    worker.on('error', () => undefined);
    this.#workers.set(queue, worker);
  }

  /** Has `wait` end and the next `refresh` look, where a run uses a queue that is new. */
  async note(queue: string): Promise<void> {
    if (!this.#isNew(queue)) return;
    this.#refreshAt = 0;
    const { redis, name } = this.#parts;
    // Redis is away otherwise: what was missed is looked for when it is back.
    await redis.zadd(KEYS.wake(name), 0, '0').catch(() => undefined);
  }

  /**
   * Leases the next job; undefined where there is none. What requires most is taken first, as other hosts may have no
   * way to execute it; every few times what requires least is, so that it never waits for all of that.
   */
  async next(): Promise<Lease | undefined> {
    const { redis, leaseMs } = this.#parts;
    const isTurned = this.#takes % TAKES_TO_A_TURN === TAKES_TO_A_TURN - 1;
    for (const worker of isTurned ? this.#byLabels.toReversed() : this.#byLabels) {
      const token = randomUUID();
      const job = await worker.getNextJob(token, { block: false });
      if (job === undefined) continue;
      this.#takes += 1;
      return new Lease(worker, redis, job, token, leaseMs);
    }
    return undefined;
  }

  /**
   * Resolves when there may be a job, or there is a new queue, or after a while.
   * @param isWanted whether the host still takes jobs: what it has not come for is for another one.
   */
  async wait(isWanted: () => boolean): Promise<void> {
    const { redis, waiting, name } = this.#parts;
    const wake = KEYS.wake(name);
    const markers = Array.from(this.#workers.values(), ({ keys }) => keys['marker'] ?? '');
    const popped = await waiting.bzpopmin([wake, ...markers], IDLE_SECONDS);
    if (popped !== null && popped[0] !== wake && !isWanted()) await redis.zadd(popped[0], 0, '0');
  }

  /** Puts jobs whose leases have ended back into their queues, and calls `onStalled` with those of each. */
  async returnStalled(onStalled: (jobs: string[]) => void): Promise<void> {
    for (const worker of this.#workers.values()) {
      const jobs = await worker.backend.moveStalledJobsToWait();
      if (jobs.length > 0) onStalled(jobs);
    }
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await Promise.allSettled(Array.from(this.#workers.values(), (worker) => worker.close(true)));
  }
}
