/** The part of a run that a host sees: jobs in the queue, messages, and receipts. */
import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { type Bodies, bodiesIn, gathered, OWNERS } from '../../src/engine/queue/bodies.ts';
import {
  CANCEL_CHANNEL,
  jobId,
  KEYS,
  PROTOCOL,
  QUEUE_PREFIX,
  queueName,
  type Receipt,
  type RemoteAssignment,
  type RemoteMessage,
  receiptSchema,
  remoteMessagesSchema,
  remoteOutcomeSchema,
  SEALED_FOR,
} from '../../src/engine/queue/protocol.ts';
import { QueueKey } from '../../src/engine/queue/sealing.ts';
import { assignment } from './definitions.ts';
import { QUEUE_KEY, type RedisServer } from './redis.ts';

export interface Answer {
  receipt: Receipt;
  outcome: Outcome;
}

let runs = 0;

export class RemoteRun {
  readonly nonce: string;
  readonly key = new QueueKey(QUEUE_KEY);
  readonly redis: Redis;
  readonly bodies: Bodies;
  readonly #queues = new Map<string, Queue>();
  #jobs = 0;

  constructor(server: RedisServer) {
    runs += 1;
    this.nonce = `n${runs.toString(16).padStart(16, '0')}`;
    this.redis = server.client;
    this.bodies = bodiesIn(this.redis, this.key);
  }

  /** Adds a job. Resolves with its id. */
  async add(
    folder: string,
    definition: Workstream,
    fields: Partial<RemoteAssignment> = {},
    of: Partial<Assignment> = {},
  ): Promise<string> {
    this.#jobs += 1;
    const id = jobId(this.nonce, definition.id, this.#jobs.toString(16).padStart(32, '0'));
    await this.store(definition.requires, id, this.sealed(folder, definition, id, fields, of));
    return id;
  }

  /** The data of a job. */
  sealed(
    folder: string,
    definition: Workstream,
    id: string,
    fields: Partial<RemoteAssignment> = {},
    of: Partial<Assignment> = {},
  ): string {
    const remote: RemoteAssignment = {
      protocol: PROTOCOL,
      job: id,
      nonce: this.nonce,
      assignment: assignment(folder, definition, of),
      source: { kind: 'shared', folder },
      setup: null,
      strictLease: false,
      redact: { names: [], keep: [] },
      logLevel: 'info',
      expiresAt: Date.now() + 86_400_000,
      ...fields,
    };
    return this.key.seal(SEALED_FOR.assignment(id), Buffer.from(JSON.stringify(remote))).toString('base64');
  }

  /** Stores data for a job as anyone can who can write to Redis. */
  async store(requires: readonly string[], id: string, sealed: string): Promise<void> {
    const name = queueName(requires);
    await this.redis.sadd(KEYS.queues, name);
    await this.queue(requires).add('assignment', { sealed }, { jobId: id, attempts: 1 });
  }

  queue(requires: readonly string[] = []): Queue {
    const name = queueName(requires);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, { connection: this.redis, prefix: QUEUE_PREFIX });
      // A test may stop its server.
      queue.on('error', () => undefined);
      this.#queues.set(name, queue);
    }
    return queue;
  }

  async job(id: string, requires: readonly string[] = []): Promise<Job> {
    const job: Job | undefined = await this.queue(requires).getJob(id);
    if (job === undefined) throw new Error(`there is no job ${id}`);
    return job;
  }

  /** The answer that is stored for a job; null as long as there is none. */
  async answer(id: string, requires: readonly string[] = []): Promise<Answer | null> {
    const { returnvalue } = await this.job(id, requires);
    if (typeof returnvalue !== 'string') return null;
    const receipt = receiptSchema.parse(
      JSON.parse(this.key.open(SEALED_FOR.receipt(id), Buffer.from(returnvalue, 'base64')).toString()),
    );
    const text =
      'inline' in receipt.outcome
        ? receipt.outcome.inline
        : (await this.body(receipt, receipt.outcome.body)).toString();
    return { receipt, outcome: remoteOutcomeSchema.parse(JSON.parse(text)) };
  }

  /** What a body of a receipt holds. */
  body({ job, token }: Receipt, ids: readonly string[]): Promise<Buffer> {
    return gathered(this.bodies.read(OWNERS.receipt(job, token), ids));
  }

  async messages(): Promise<RemoteMessage[]> {
    const entries = await this.redis.xrange(KEYS.messages(this.nonce), '-', '+');
    return entries.flatMap(([, [field, value = '']]) => {
      if (field !== 'batch') return [];
      const text = this.key.open(SEALED_FOR.messages(this.nonce), Buffer.from(value, 'base64')).toString();
      return remoteMessagesSchema.parse(JSON.parse(text));
    });
  }

  /** How often an execution of a job has begun. */
  async begins(id: string): Promise<number> {
    return (await this.messages()).filter(({ job, type }) => job === id && type === 'began').length;
  }

  async cancel(id: string): Promise<void> {
    const sealed = this.key.seal(SEALED_FOR.cancel(id), Buffer.from('cancelled')).toString('base64');
    await this.redis.hset(KEYS.cancels(this.nonce), id, sealed);
    await this.redis.publish(CANCEL_CHANNEL, id);
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.close();
  }
}
