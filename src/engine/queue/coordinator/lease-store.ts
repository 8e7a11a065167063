/** The jobs of one run in Redis: added, looked at, cancelled and removed. What a job's data mean is not known here. */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { CancelReason } from '../../../domain/engine.ts';
import {
  CANCEL_CHANNEL,
  type JobData,
  KEYS,
  QUEUE_CHANNEL,
  QUEUE_PREFIX,
  RUN_TTL_SECONDS,
  SEALED_FOR,
} from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';

/** A job, and the queue that it is in. */
export interface JobPlace {
  job: string;
  queue: string;
}

/** `returned` is what its host returned, as it is stored. */
export type JobState =
  | { state: 'missing' }
  | { state: 'waiting' }
  | { state: 'active' }
  | { state: 'completed'; returned: string }
  | { state: 'failed'; why: string };

/** What is kept of a job beside it, so that a later session of the run knows what an earlier one added. */
const noteSchema = z.object({
  queue: z.string(),
  strict: z.boolean(),
  /** Of a batch: the ids that its members would have as jobs of their own, by position. */
  members: z.array(z.string()).optional(),
});
export type JobNote = z.infer<typeof noteSchema>;

/** A field more costs nothing: `timestamp` is in every job. */
const FIELDS = ['timestamp', 'processedOn', 'finishedOn', 'failedReason', 'returnvalue'] as const;

export interface LeaseStoreParts {
  redis: Redis;
  key: QueueKey;
  nonce: string;
  /** Called with errors of connections, which are made again by themselves. */
  onError: (error: Error) => void;
}

export class LeaseStore {
  readonly #parts: LeaseStoreParts;
  readonly #queues = new Map<string, Queue>();
  /** Names of queues that hosts can find. */
  readonly #shown = new Set<string>();
  /** Jobs that may have been cancelled, in this session or an earlier one. */
  readonly #cancelled = new Set<string>();

  constructor(parts: LeaseStoreParts) {
    this.#parts = parts;
  }

  /** Adds a job, and lets hosts find its queue. Where one of this id is there, that one counts. */
  async add({ job, queue }: JobPlace, data: JobData, note: JobNote): Promise<void> {
    const { redis, nonce } = this.#parts;
    if (this.#cancelled.has(job)) await this.#forgetCancel(job);
    // One connection keeps their order: a job that is there has its note.
    await Promise.all([
      redis.hset(KEYS.jobs(nonce), job, JSON.stringify(note)),
      this.#queue(queue).add('workstream', data, {
        jobId: job,
        attempts: 1,
        removeOnComplete: false,
        removeOnFail: false,
      }),
    ]);
    if (this.#shown.has(queue)) return;
    // `keep` puts Redis's own time there seconds later.
    await Promise.all([
      redis.sadd(KEYS.queues, queue),
      redis.publish(QUEUE_CHANNEL, queue),
      redis.zadd(KEYS.runs, Date.now(), nonce),
    ]);
    this.#shown.add(queue);
  }

  /** In one round trip. */
  async states(places: readonly JobPlace[]): Promise<JobState[]> {
    const [first] = places;
    if (first === undefined) return [];
    // A pipeline of a client with BullMQ's scripts is dear to make.
    if (places.length === 1)
      return [stateOf(fieldsSchema.parse(await this.#parts.redis.hmget(this.#keyOf(first), ...FIELDS)))];
    const pipeline = this.#parts.redis.pipeline();
    for (const place of places) pipeline.hmget(this.#keyOf(place), ...FIELDS);
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, fields]) => {
      if (error !== null) throw error;
      return stateOf(fieldsSchema.parse(fields));
    });
  }

  async state(place: JobPlace): Promise<JobState> {
    const [state = { state: 'missing' as const }] = await this.states([place]);
    return state;
  }

  /** Resolves with whether it is gone: not where a host has it. */
  async remove(place: JobPlace): Promise<boolean> {
    const { redis, nonce } = this.#parts;
    const removed = await this.#queue(place.queue).remove(place.job);
    if (removed !== 1 && (await redis.exists(this.#keyOf(place))) === 1) return false;
    if (this.#cancelled.has(place.job)) await this.#forgetCancel(place.job);
    await redis.hdel(KEYS.jobs(nonce), place.job);
    return true;
  }

  /** Stops a job. Resolves with whether no host has it: it has ended, or was removed before one took it. */
  async stop(place: JobPlace, because: CancelReason): Promise<boolean> {
    // Told without waiting for what it is: a host may take it at any time.
    const [isHeld, { state }] = await Promise.all([
      this.#isHeld(place),
      this.state(place),
      this.cancel(place.job, because),
    ]);
    if (state === 'missing' || state === 'completed' || state === 'failed') return true;
    // By the time that it could be removed its host may have answered, and the answer would go with it.
    if (state === 'active' && isHeld) return false;
    return this.remove(place);
  }

  /** Whether a host's lease of it has not ended. */
  async #isHeld(place: JobPlace): Promise<boolean> {
    return (await this.#parts.redis.exists(`${this.#keyOf(place)}:lock`)) === 1;
  }

  async #forgetCancel(job: string): Promise<void> {
    await this.#parts.redis.hdel(KEYS.cancels(this.#parts.nonce), job);
    this.#cancelled.delete(job);
  }

  /**
   * Tells the host that has the job, or will have it, to stop it.
   * @param because a `CancelReason`, or what `stopOfMembers` says.
   */
  async cancel(job: string, because: string): Promise<void> {
    const { redis, key, nonce } = this.#parts;
    const sealed = key.seal(SEALED_FOR.cancel(job), Buffer.from(because)).toString('base64');
    this.#cancelled.add(job);
    await redis
      .multi()
      .hset(KEYS.cancels(nonce), job, sealed)
      .expire(KEYS.cancels(nonce), RUN_TTL_SECONDS)
      .publish(CANCEL_CHANNEL, job)
      .exec();
  }

  /** What earlier sessions of the run added and did not remove, by job id. */
  async notes(): Promise<Map<string, JobNote>> {
    const { redis, nonce } = this.#parts;
    const [stored, cancelled] = await Promise.all([
      redis.hgetall(KEYS.jobs(nonce)),
      redis.hkeys(KEYS.cancels(nonce)),
    ]);
    for (const job of cancelled) this.#cancelled.add(job);
    return new Map(
      Object.entries(stored).flatMap(([job, text]) => {
        const note = noteSchema.safeParse(parsedJson(text));
        return note.success ? [[job, note.data] as const] : [];
      }),
    );
  }

  /** Lets what belongs to the run live on. @param now of Redis, in milliseconds since 1970. */
  async keep(now: number): Promise<void> {
    const { redis, nonce } = this.#parts;
    const pipeline = redis.pipeline().zadd(KEYS.runs, now, nonce);
    for (const queue of this.#shown) pipeline.sadd(KEYS.queues, queue);
    for (const key of [KEYS.messages(nonce), KEYS.cancels(nonce)]) pipeline.expire(key, RUN_TTL_SECONDS);
    await pipeline.exec();
  }

  /** Removes what belongs to the run and to none of its jobs. */
  async removeRun(): Promise<void> {
    const { redis, nonce } = this.#parts;
    await redis
      .multi()
      .unlink(KEYS.messages(nonce), KEYS.cancels(nonce), KEYS.jobs(nonce))
      .zrem(KEYS.runs, nonce)
      .exec();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #keyOf({ job, queue }: JobPlace): string {
    return this.#queue(queue).toKey(job);
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, {
        connection: this.#parts.redis,
        prefix: QUEUE_PREFIX,
        // Nobody reads them: what happened is read from the jobs themselves.
        streams: { events: { maxLen: 100 } },
      });
      queue.on('error', this.#parts.onError);
      this.#queues.set(name, queue);
    }
    return queue;
  }
}

const fieldsSchema = z.tuple([
  z.string().nullable(),
  z.string().nullable(),
  z.string().nullable(),
  z.string().nullable(),
  z.string().nullable(),
]);

function stateOf([timestamp, processedOn, finishedOn, failedReason, returnvalue]: z.infer<
  typeof fieldsSchema
>): JobState {
  if (timestamp === null) return { state: 'missing' };
  if (finishedOn === null) return { state: processedOn === null ? 'waiting' : 'active' };
  if (failedReason !== null) return { state: 'failed', why: failedReason };
  const returned = z.string().safeParse(parsedJson(returnvalue ?? ''));
  return { state: 'completed', returned: returned.success ? returned.data : '' };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever can write to Redis may have written anything.
    return null;
  }
}
