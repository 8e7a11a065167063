/** A host whose executions begin and end when, and as, a test says. */
import { Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Outcome } from '../../src/domain/outcome.ts';
import { bodiesIn, gathered, OWNERS } from '../../src/engine/queue/bodies.ts';
import {
  HOST_TTL_MS,
  type HostState,
  jobDataSchema,
  KEYS,
  nonceOf,
  PROTOCOL,
  QUEUE_PREFIX,
  queueName,
  type Receipt,
  type RemoteAssignment,
  type RemoteMessage,
  remoteAssignmentSchema,
  SEALED_FOR,
} from '../../src/engine/queue/protocol.ts';
import { QueueKey } from '../../src/engine/queue/sealing.ts';
import { hostState } from './host-state.ts';
import { QUEUE_KEY, type RedisServer } from './redis.ts';
import { completed } from './scripted-engine.ts';

type MessageBody = RemoteMessage extends infer M
  ? M extends RemoteMessage
    ? Omit<M, 'job' | 'token'>
    : never
  : never;

export class ScriptedHost {
  readonly name: string;
  readonly redis: Redis;
  readonly key = new QueueKey(QUEUE_KEY);
  readonly #provides: string[];
  readonly #slots: number;
  readonly #workers = new Map<string, Worker>();
  #leases = 0;

  constructor(
    server: RedisServer,
    {
      name = 'host-a',
      provides = [],
      slots = 2,
    }: { name?: string; provides?: string[]; slots?: number } = {},
  ) {
    this.name = name;
    this.#provides = provides;
    this.#slots = slots;
    this.redis = new Redis({ path: server.socket, maxRetriesPerRequest: null });
  }

  /** Says that it is there. */
  async beat(fields: Partial<HostState> = {}): Promise<void> {
    const state = hostState({ host: this.name, provides: this.#provides, slots: this.#slots, ...fields });
    const sealed = this.key.seal(SEALED_FOR.heartbeat(this.name), Buffer.from(JSON.stringify(state)));
    await this.redis.set(KEYS.host(this.name), sealed.toString('base64'), 'PX', HOST_TTL_MS);
  }

  /** Says that it is not there any more. */
  async leave(): Promise<void> {
    await this.redis.del(KEYS.host(this.name));
  }

  /** Takes the next job of a queue; waits for one. */
  async take(requires: readonly string[] = []): Promise<TakenJob> {
    this.#leases += 1;
    const token = `${this.name}-${this.#leases}`;
    const worker = this.#worker(queueName(requires));
    for (;;) {
      const job = await worker.getNextJob(token);
      if (job !== undefined && job !== null) return TakenJob.open(this, job, token);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.close(true)));
    this.redis.disconnect();
  }

  #worker(queue: string): Worker {
    let worker = this.#workers.get(queue);
    if (worker === undefined) {
      worker = new Worker(queue, null, {
        connection: this.redis,
        prefix: QUEUE_PREFIX,
        lockDuration: 60_000,
      });
      worker.on('error', () => undefined);
      this.#workers.set(queue, worker);
    }
    return worker;
  }
}

/** A job that the host has in hand. */
export class TakenJob {
  readonly id: string;
  readonly token: string;
  readonly remote: RemoteAssignment;
  readonly #host: ScriptedHost;
  readonly #job: Job;
  #last: string | null = null;

  private constructor(host: ScriptedHost, job: Job, token: string, remote: RemoteAssignment) {
    this.#host = host;
    this.#job = job;
    this.id = job.id ?? '';
    this.token = token;
    this.remote = remote;
  }

  static async open(host: ScriptedHost, job: Job, token: string): Promise<TakenJob> {
    const id = job.id ?? '';
    const { sealed = '', body } = jobDataSchema.parse(job.data);
    const bytes =
      body === undefined
        ? host.key.open(SEALED_FOR.assignment(id), Buffer.from(sealed, 'base64'))
        : await gathered(bodiesIn(host.redis, host.key).read(OWNERS.assignment(id), body));
    return new TakenJob(host, job, token, remoteAssignmentSchema.parse(JSON.parse(bytes.toString())));
  }

  /** Sends a message of this execution. */
  async send(body: MessageBody, fields: { token?: string } = {}): Promise<void> {
    const message = { ...body, job: this.id, token: fields.token ?? this.token };
    const nonce = nonceOf(this.id);
    const sealed = this.#host.key.seal(SEALED_FOR.messages(nonce), Buffer.from(JSON.stringify([message])));
    this.#last = await this.#host.redis.xadd(KEYS.messages(nonce), '*', 'batch', sealed.toString('base64'));
  }

  begin(lease = 1): Promise<void> {
    return this.send({ type: 'began', host: this.#host.name, agent: 'agent-1', at: Date.now(), lease });
  }

  /** The receipt that it would complete with. */
  async receipt(outcome: Partial<Outcome> = {}, fields: Partial<Receipt> = {}): Promise<string> {
    const receipt: Receipt = {
      protocol: PROTOCOL,
      job: this.id,
      token: this.token,
      host: this.#host.name,
      agent: 'agent-1',
      lastMessageId: this.#last,
      outcome: { inline: JSON.stringify({ ...completed(), ...outcome }) },
      files: [],
      logs: [],
      ...fields,
    };
    return this.#host.key
      .seal(SEALED_FOR.receipt(this.id), Buffer.from(JSON.stringify(receipt)))
      .toString('base64');
  }

  /** Completes it; `hinted` is whether that is told. */
  async complete(outcome: Partial<Outcome> = {}, { hinted = true, returned = '' } = {}): Promise<void> {
    const receipt = returned === '' ? await this.receipt(outcome) : returned;
    await this.#job.moveToCompleted(receipt, this.token, false);
    if (hinted) await this.#host.redis.xadd(KEYS.messages(nonceOf(this.id)), '*', 'answered', this.id);
  }

  async fail(why: string): Promise<void> {
    await this.#job.moveToFailed(new Error(why), this.token, false);
    await this.#host.redis.xadd(KEYS.messages(nonceOf(this.id)), '*', 'answered', this.id);
  }

  /** Why it is to be stopped, as the host reads it at a renewal; null for no reason. */
  async cancelled(): Promise<string | null> {
    const sealed = await this.#host.redis.hget(KEYS.cancels(nonceOf(this.id)), this.id);
    if (sealed === null) return null;
    return this.#host.key.open(SEALED_FOR.cancel(this.id), Buffer.from(sealed, 'base64')).toString();
  }
}
