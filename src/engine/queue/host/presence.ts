/** Who a host is, said every few seconds: in Redis, where runs read it, and on a channel when it comes, drains and goes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  HOST_BEAT_MS,
  HOST_CHANNEL,
  HOST_TTL_MS,
  type HostState,
  KEYS,
  PROTOCOL,
  SEALED_FOR,
} from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';
import { HostFolderProblem } from './host-folder.ts';

/** A larger difference between the host's clock and that of Redis is told. */
const CLOCK_MS = 5 * 60_000;
/** How late a host may say that it is there. */
const BEAT_LATE_MS = 1_000;

export interface HostPresenceParts {
  redis: Redis;
  key: QueueKey;
  name: string;
  version: string;
  provides: readonly string[];
  agents: number;
  leaseMs: number;
  /** What changes while it is there. */
  state: () => Pick<HostState, 'inHand' | 'draining'>;
  /** Called with how far its clock is ahead of Redis's when that is much, in seconds. */
  onClockDiffers: (seconds: number) => void;
}

export class HostPresence {
  readonly #parts: HostPresenceParts;
  readonly #startedAt = Date.now();
  /** What runs were last told of it, beside what they read themselves; null for nothing. */
  #told: 'there' | 'draining' | null = null;
  /** What Redis's clock is ahead of the monotonic one, in milliseconds. */
  #redisAhead: number | null = null;
  #isClockTold = false;
  #timer: NodeJS.Timeout | undefined;
  #isThere = false;
  #isOver = false;

  constructor(parts: HostPresenceParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when it has said for the first time who it is, and says so from now on.
   * @throws HostFolderProblem where another one of its name is there. One that was killed has not said so for a while.
   */
  async begin(): Promise<void> {
    const { redis, name } = this.#parts;
    if ((await redis.exists(KEYS.host(name))) === 1) {
      await pause(HOST_BEAT_MS + BEAT_LATE_MS);
      if ((await redis.pttl(KEYS.host(name))) >= HOST_TTL_MS - HOST_BEAT_MS)
        throw new HostFolderProblem(`A worker named ${name} is there already. Give this one another --name.`);
    }
    await this.say();
    this.#timer = setInterval(() => void this.say(), HOST_BEAT_MS);
  }

  /** Says it now, and looks at Redis's clock. */
  async say(): Promise<void> {
    const { redis, key, name } = this.#parts;
    try {
      const [seconds, micros] = await redis.time();
      this.#redisAhead = Number(seconds) * 1000 + Number(micros) / 1000 - performance.now();
      this.#tellClock();
      const state = this.#state();
      const text = Buffer.from(JSON.stringify(state));
      if (this.#isOver) return;
      await redis.set(
        KEYS.host(name),
        key.seal(SEALED_FOR.heartbeat(name), text).toString('base64'),
        'PX',
        HOST_TTL_MS,
      );
      this.#isThere = true;
      const news = state.draining ? 'draining' : 'there';
      if (news === this.#told) return;
      await redis.publish(HOST_CHANNEL, name);
      this.#told = news;
    } catch {
      // Redis is full, loading or away: the next one is soon.
    }
  }

  /** Says it again after Redis was away: it may have been forgotten. */
  async sayAgain(): Promise<void> {
    this.#told = null;
    await this.say();
  }

  /** By Redis's clock, in milliseconds since 1970. */
  get redisNow(): number {
    return this.#redisAhead === null ? Date.now() : performance.now() + this.#redisAhead;
  }

  /** Says nothing more. */
  end(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  /** Says that it is gone, after its end. Where Redis is away, what it said runs out. */
  async leave(): Promise<void> {
    if (!this.#isThere) return;
    const { redis, name } = this.#parts;
    try {
      await redis.del(KEYS.host(name), KEYS.wake(name));
      await redis.publish(HOST_CHANNEL, name);
    } catch {
      // As where it was killed.
    }
  }

  #tellClock(): void {
    const differs = Date.now() - this.redisNow;
    if (Math.abs(differs) < CLOCK_MS) this.#isClockTold = false;
    else if (!this.#isClockTold) {
      this.#isClockTold = true;
      this.#parts.onClockDiffers(differs / 1000);
    }
  }

  #state(): HostState {
    const { name, version, provides, agents, leaseMs, state } = this.#parts;
    return {
      host: name,
      version,
      protocol: PROTOCOL,
      provides: [...provides],
      slots: agents,
      leaseMs,
      startedAt: this.#startedAt,
      clockMs: Date.now() - this.redisNow,
      pid: process.pid,
      node: process.version,
      platform: process.platform,
      ...state(),
    };
  }
}
