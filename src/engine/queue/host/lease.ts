/**
 * A host's right to execute a job: a lock in Redis that ends by itself unless it is renewed. The host renews it every
 * quarter of its duration, on the monotonic clock. Where it ended (because Redis or the network was away) and nobody
 * else has begun the job, the host takes it again; where somebody has, the execution is stopped and its result dropped.
 */
import { type Job, UnrecoverableError, type Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { KEYS, nonceOf } from '../protocol.ts';
import { insist, type LeaseKeys, renewLease, untilTaken } from './commands.ts';

/** How much of a lease passes between two renewals. */
const RENEWALS = 4;
/** Beyond the grace: what ending a thread and its processes may take. */
const STOP_SECONDS = 3;

export interface LeaseEvents {
  /** The run wants it to be stopped. @param sealed why, as it is in Redis. */
  onCancel(sealed: string): void;
  /** Another host may have it, or it is no more: it has to stop, and its result does not count. */
  onLost(): void;
  /** Called before the lease ends where nothing else may run beside it, and it could not be renewed in time. */
  onEnding(): void;
}

export class Lease {
  readonly job: Job;
  readonly id: string;
  readonly token: string;
  /** How often the job was leased, counted from 1. */
  readonly number: number;
  /** By this host's clock, in milliseconds since 1970. */
  readonly since = Date.now();
  readonly #worker: Worker;
  readonly #redis: Redis;
  readonly #durationMs: number;
  #events: LeaseEvents | null = null;
  #strictMs: number | null = null;
  /** Until when it is known to be held, on the monotonic clock. */
  #heldUntil: number;
  #renewal: NodeJS.Timeout | undefined;
  #ending: NodeJS.Timeout | undefined;
  #isLost = false;
  #isOver = false;
  #isFinishing = false;

  constructor(worker: Worker, redis: Redis, job: Job, token: string, durationMs: number) {
    this.#worker = worker;
    this.#redis = redis;
    this.job = job;
    this.id = job.id ?? '';
    this.token = token;
    this.number = job.attemptsStarted;
    this.#durationMs = durationMs;
    this.#heldUntil = performance.now() + durationMs;
    this.#renewSoon();
  }

  /**
   * How long before the end of the lease a stop has to begin, in milliseconds: at most half of it.
   * @param graceSeconds what the stop may take.
   */
  strictMargin(graceSeconds: number): number {
    return Math.min((graceSeconds + STOP_SECONDS) * 1000, this.#durationMs / 2);
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether Redis has been asked to end it, for whatever reason. */
  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  /**
   * Calls these from now on.
   * @param strictMs how long before the lease's end `onEnding` is called, in milliseconds; null for never.
   */
  watch(events: LeaseEvents, strictMs: number | null): void {
    this.#events = events;
    this.#strictMs = strictMs;
    if (this.#isLost) events.onLost();
    this.#watchEnd();
  }

  /** Renews it now. Redis that refuses or is away is asked again at the next renewal. */
  async renew(): Promise<void> {
    if (this.#isOver || this.#isLost) return;
    try {
      await this.#hold(false);
    } catch {
      // Out of memory, loading, or closed: as long as nobody else can take the job, nothing is lost.
    }
  }

  async #hold(isFirm: boolean): Promise<void> {
    const asked = performance.now();
    const { isHeld, cancel } = await renewLease(this.#redis, this.#keys(), {
      token: this.token,
      durationMs: this.#durationMs,
      id: this.id,
      starts: this.number,
      isFirm,
    });
    if (this.#isOver) return;
    if (!isHeld) return this.#lose();
    this.#heldUntil = asked + this.#durationMs;
    this.#watchEnd();
    if (cancel !== null) this.#events?.onCancel(cancel);
  }

  /**
   * Stores the return value, however long Redis is full or away. Resolves with whether it was taken: false where the
   * lease was lost.
   */
  async complete(value: string): Promise<boolean> {
    if (await this.#finish(() => this.job.moveToCompleted(value, this.token, false))) return true;
    // A call whose answer was lost is made again, and then finds no lock.
    const stored = await insist(
      () => this.#redis.hget(this.#worker.toKey(this.id), 'returnvalue'),
      () => this.#worker.closing !== undefined,
    );
    return stored === JSON.stringify(value);
  }

  /** Fails the job, which was not executed, for a reason that is not sealed. */
  refuse(why: string): Promise<boolean> {
    return this.#finish(() => this.job.moveToFailed(new UnrecoverableError(why), this.token, false));
  }

  /** Puts the job back, the first in the queue; that does not count as stalled. */
  giveBack(): Promise<boolean> {
    return this.#finish(() => this.job.moveToWait(this.token));
  }

  /** Leaves it to end by itself. */
  drop(): void {
    this.#isOver = true;
    clearTimeout(this.#renewal);
    clearTimeout(this.#ending);
  }

  async #finish(attempt: () => Promise<unknown>): Promise<boolean> {
    const firmly = async (): Promise<void> => {
      await this.#hold(true);
      if (!this.#isLost) await attempt();
    };
    this.#isFinishing = true;
    const isTaken = await untilTaken(firmly, () => this.#isLost);
    this.drop();
    return isTaken && !this.#isLost;
  }

  #lose(): void {
    this.#isLost = true;
    clearTimeout(this.#renewal);
    clearTimeout(this.#ending);
    this.#events?.onLost();
  }

  #renewSoon(): void {
    const renew = async (): Promise<void> => {
      await this.renew();
      if (!this.#isOver && !this.#isLost) this.#renewSoon();
    };
    this.#renewal = setTimeout(() => void renew(), this.#durationMs / RENEWALS);
  }

  #watchEnd(): void {
    clearTimeout(this.#ending);
    if (this.#strictMs === null || this.#isLost || this.#isOver) return;
    const left = this.#heldUntil - this.#strictMs - performance.now();
    this.#ending = setTimeout(() => this.#events?.onEnding(), Math.max(0, left));
  }

  #keys(): LeaseKeys {
    const { keys } = this.#worker;
    const job = this.#worker.toKey(this.id);
    return {
      lock: `${job}:lock`,
      job,
      stalled: keys['stalled'] ?? '',
      active: keys['active'] ?? '',
      wait: keys['wait'] ?? '',
      cancels: KEYS.cancels(nonceOf(this.id)),
    };
  }
}
