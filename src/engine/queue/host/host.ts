/**
 * A host: lends its agents to runs through a queue. It begins a job whenever an agent is free and Redis is there, keeps
 * what it has in hand while the connection is lost, and ends by giving back what it has not finished.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Assignment } from '../../../domain/assignment.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import { messageOf } from '../../../text/error-message.ts';
import { type BodyRedis, bodiesIn } from '../bodies.ts';
import { closeConnection, openConnection, type QueueAddress, unlessClosed } from '../connection.ts';
import {
  CANCEL_CHANNEL,
  type HostState,
  KEYS,
  MOST_STALLED,
  nonceOf,
  QUEUE_CHANNEL,
  RUN_TTL_SECONDS,
} from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';
import { insist } from './commands.ts';
import { HostEngines } from './engines.ts';
import { type ExecutionParts, RemoteExecution } from './execution.ts';
import { HostFolder } from './host-folder.ts';
import type { Lease } from './lease.ts';
import { Outbox } from './outbox.ts';
import { HostPresence } from './presence.ts';
import { Projects } from './projects.ts';
import { ServedQueues, STALLED_CHECKS } from './served-queues.ts';

export interface HostOptions {
  address: QueueAddress;
  key: QueueKey;
  name: string;
  /** How many workstreams it executes at once. */
  agents: number;
  /** Limit of an agent's heap in MB; null for Node's default. */
  agentMemoryMb: number | null;
  /** Labels of what workstreams may require. */
  provides: readonly string[];
  /** How long a job stays with a host that gives no sign of life, in milliseconds. */
  leaseMs: number;
  /** Absolute folder for what it keeps while it runs, and for nothing else. */
  folder: string;
  /** Version of Millrace. */
  version: string;
  onEvent: (event: HostEvent) => void;
}

/** What happens on a host, for its log. */
export type HostEvent =
  | { type: 'worker-started'; ended: string[] }
  | { type: 'queue-lost'; why: string }
  | { type: 'queue-back'; seconds: number }
  | { type: 'clock-differs'; seconds: number }
  | { type: 'project-prepared'; name: string; seconds: number }
  | ({ type: 'job-started' } & AboutJob)
  | ({ type: 'job-ended'; end: 'answered' | 'lost' | 'given-back'; outcome: Outcome | null } & AboutJob)
  | { type: 'job-refused'; job: string; why: string }
  | { type: 'jobs-stalled'; jobs: string[] }
  | { type: 'worker-draining'; inHand: number }
  | { type: 'worker-ended' };

interface AboutJob {
  job: string;
  runId: string | null;
  workstreamId: string | null;
  agent: string;
  attempt: number | null;
}

const MOST_ANSWERED = 100_000;

export class Host {
  readonly #options: HostOptions;
  readonly #folder: HostFolder;
  readonly #redis: Redis;
  /** For commands that block. */
  readonly #waiting: Redis;
  readonly #subscriber: Redis;
  readonly #outbox: Outbox;
  readonly #engines: HostEngines;
  readonly #projects: Projects;
  readonly #parts: ExecutionParts;
  readonly #presence: HostPresence;
  readonly #queues: ServedQueues;
  readonly #free: string[];
  readonly #inHand = new Map<string, { execution: RemoteExecution; done: Promise<void> }>();
  /** Marks of the jobs that were answered here, the newest last. */
  readonly #answered = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #taking: Promise<void> = Promise.resolve();
  #isDraining = false;
  #isClosing = false;
  /** On the monotonic clock: null while Redis is there. */
  #lostAt: number | null = null;
  /** On the monotonic clock: before that, jobs whose leases have ended may still be renewed by their hosts. */
  #holdOff = 0;
  #wake: () => void = () => undefined;

  private constructor(options: HostOptions, folder: HostFolder) {
    this.#options = options;
    this.#folder = folder;
    const { address, key, name } = options;
    this.#redis = openConnection(address, `worker-${name}`);
    this.#waiting = openConnection(address, `worker-${name}-waiting`);
    this.#subscriber = openConnection(address, `worker-${name}-cancels`);
    this.#outbox = new Outbox(this.#redis, key);
    this.#engines = new HostEngines({
      host: name,
      agents: options.agents,
      memoryMb: options.agentMemoryMb,
      cacheFolder: join(options.folder, 'cache'),
      secrets: [key.asSecret, ...passwordOf(address)],
    });
    const bodies = bodiesIn(this.#insistentRedis(), key);
    this.#projects = new Projects(join(options.folder, 'projects'), bodies, (project, seconds) =>
      options.onEvent({ type: 'project-prepared', name: project, seconds }),
    );
    this.#presence = new HostPresence({
      ...options,
      redis: this.#redis,
      state: () => ({ inHand: this.#jobsInHand(), draining: this.#isDraining }),
      onClockDiffers: (seconds) => options.onEvent({ type: 'clock-differs', seconds }),
    });
    this.#queues = new ServedQueues({ ...options, redis: this.#redis, waiting: this.#waiting });
    this.#parts = {
      host: name,
      key,
      bodies,
      engines: this.#engines,
      outbox: this.#outbox,
      projects: this.#projects,
      logs: join(options.folder, 'logs'),
      redisNow: () => this.#presence.redisNow,
      isAnswered: (lease, sealed) => this.#isAnswered(lease, sealed),
    };
    this.#free = Array.from({ length: options.agents }, (_, index) => `agent-${index + 1}`);
  }

  /**
   * Resolves when it is there for runs: Redis has answered, however long that took.
   * @throws HostFolderProblem where another worker uses its folder.
   */
  static async start(options: HostOptions): Promise<Host> {
    const { folder, ended } = await HostFolder.take(options.folder);
    mkdirSync(join(options.folder, 'logs'), { recursive: true, mode: 0o700 });
    const host = new Host(options, folder);
    await host.#start(ended);
    return host;
  }

  async #start(ended: string[]): Promise<void> {
    const { leaseMs, onEvent } = this.#options;
    this.#watchConnection();
    try {
      await this.#presence.begin();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#holdOff = performance.now() + leaseMs;
    this.#subscriber.on('message', (channel, name: string) => {
      if (channel === QUEUE_CHANNEL) void this.#queues.note(name);
      else
        for (const { execution } of this.#inHand.values())
          if (execution.lease.id === name) execution.lookForCancel();
    });
    await this.#subscriber.subscribe(CANCEL_CHANNEL, QUEUE_CHANNEL);
    this.#timer = setInterval(() => void this.#checkStalled(), leaseMs / STALLED_CHECKS);
    onEvent({ type: 'worker-started', ended });
    this.#taking = this.#takeJobs();
    this.#engines.warm();
  }

  /** Takes nothing more. Resolves when it has nothing in hand. */
  async drain(): Promise<void> {
    if (!this.#isDraining) this.#options.onEvent({ type: 'worker-draining', inHand: this.#inHand.size });
    this.#isDraining = true;
    this.#wake();
    void this.#presence.say();
    await Promise.all(Array.from(this.#inHand.values(), ({ done }) => done));
  }

  /** Stops what it has in hand, puts it back into the queue, and ends. */
  async close(): Promise<void> {
    this.#isDraining = true;
    for (const { execution } of this.#inHand.values()) execution.giveBack();
    this.#projects.close();
    this.#wake();
    await Promise.race([
      Promise.all(Array.from(this.#inHand.values(), ({ done }) => done)),
      // Without Redis nothing can be given back: its leases end by themselves.
      this.#untilLost(),
    ]);
    this.#isClosing = true;
    this.#presence.end();
    clearInterval(this.#timer);
    await this.#engines.close();
    if (this.#lostAt === null) await this.#presence.leave();
    await this.#queues.close();
    for (const redis of [this.#waiting, this.#subscriber, this.#redis]) closeConnection(redis);
    await this.#taking;
    this.#folder.release();
    this.#options.onEvent({ type: 'worker-ended' });
  }

  async #untilLost(): Promise<void> {
    while (this.#lostAt === null && this.#inHand.size > 0) await pause(LOST_POLL_MS);
  }

  #watchConnection(): void {
    const ignored = (): void => undefined;
    for (const redis of [this.#waiting, this.#subscriber]) redis.on('error', ignored);
    let why = 'the connection was closed';
    this.#redis.on('error', (error: Error) => {
      why = messageOf(error);
    });
    this.#redis.on('close', () => {
      if (this.#lostAt !== null || this.#isClosing) return;
      this.#lostAt = performance.now();
      this.#options.onEvent({ type: 'queue-lost', why });
    });
    this.#redis.on('ready', () => this.#reconnected());
  }

  /** What is in hand comes first; others get the time of a lease to do the same. */
  #reconnected(): void {
    this.#holdOff = performance.now() + this.#options.leaseMs;
    for (const { execution } of this.#inHand.values()) void execution.lease.renew();
    if (this.#lostAt === null) return;
    const seconds = (performance.now() - this.#lostAt) / 1000;
    this.#lostAt = null;
    this.#options.onEvent({ type: 'queue-back', seconds });
    void this.#presence.sayAgain();
    this.#wake();
  }

  async #takeJobs(): Promise<void> {
    while (!this.#isDraining) {
      if (!this.#mayTake || this.#lostAt !== null) {
        await this.#untilWoken();
        continue;
      }
      try {
        await unlessClosed(this.#redis, this.#takeNext());
      } catch {
        // Redis is away, loading or full: `close` of the connection is told, and the next try comes soon.
        if (!this.#isDraining) await pause(RETRY_MS);
      }
    }
  }

  /** Takes what there is, or waits for a while. */
  async #takeNext(): Promise<void> {
    await this.#queues.refresh();
    while (this.#mayTake && (await this.#takeOne()));
    if (this.#mayTake) await this.#queues.wait(() => !this.#isDraining);
  }

  /** Returns whether there was one. */
  async #takeOne(): Promise<boolean> {
    const lease = await this.#queues.next();
    if (lease !== undefined) this.#begin(lease);
    return lease !== undefined;
  }

  /** What is begun for the last time may have ended its hosts: nothing else is begun beside it, to end with this one. */
  get #mayTake(): boolean {
    if (this.#isDraining || this.#free.length === 0) return false;
    return ![...this.#inHand.values()].some(
      ({ execution }) => execution.lease.job.stalledCounter >= MOST_STALLED,
    );
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #begin(lease: Lease): void {
    const { token } = lease;
    const agent = this.#free.shift() ?? '';
    const execution = new RemoteExecution(lease, agent, this.#parts, ({ assignment, others }) => {
      this.#folder.addRun(assignment.runId);
      if (others === undefined)
        this.#options.onEvent({ type: 'job-started', ...about(execution, assignment) });
    });
    const done = this.#finish(execution).finally(() => {
      lease.drop();
      this.#inHand.delete(token);
      this.#free.unshift(agent);
      this.#free.sort((one, other) => numberOf(one) - numberOf(other));
      this.#wake();
    });
    this.#inHand.set(token, { execution, done });
    if (this.#isDraining) execution.giveBack();
  }

  async #finish(execution: RemoteExecution): Promise<void> {
    const { onEvent } = this.#options;
    const { lease } = execution;
    try {
      const handled = await execution.handle();
      if (handled.kind === 'answered') this.#remember(lease);
      if (handled.kind === 'answered' || handled.kind === 'refused') await this.#hint(lease);
      if (handled.kind === 'refused')
        return onEvent({ type: 'job-refused', job: lease.id, why: handled.why });
      const outcomes = handled.kind === 'answered' ? handled.outcomes : [null];
      for (const [index, outcome] of outcomes.entries()) {
        const assignment = execution.assignments[index];
        // One of a batch that was not begun is not told of.
        if (outcome !== null || handled.kind !== 'answered')
          onEvent({ type: 'job-ended', end: handled.kind, outcome, ...about(execution, assignment) });
      }
    } catch (error) {
      // A bug, or a disk that is full: another host may fare better.
      const isBack = !this.#isClosing && (await lease.giveBack());
      onEvent({
        type: 'job-refused',
        job: lease.id,
        why: `${messageOf(error)}${isBack ? '; it is in the queue again' : ''}`,
      });
    }
  }

  /** Tells the run to look at the job now: without a hint it does so some seconds later. */
  async #hint({ id }: Lease): Promise<void> {
    const stream = KEYS.messages(nonceOf(id));
    const hint = [this.#redis.xadd(stream, '*', 'answered', id), this.#redis.expire(stream, RUN_TTL_SECONDS)];
    await Promise.allSettled(hint);
  }

  #remember({ job }: Lease): void {
    this.#answered.add(this.#markOf(sealedIn(job)));
    const [oldest] = this.#answered;
    if (this.#answered.size > MOST_ANSWERED && oldest !== undefined) this.#answered.delete(oldest);
  }

  /** Redis may have an answer before this host knows that it has. */
  async #isAnswered({ id, token }: Lease, sealed: string): Promise<boolean> {
    for (const { execution, done } of this.#inHand.values())
      if (execution.lease.id === id && execution.lease.token !== token && execution.lease.isFinishing)
        await done;
    return this.#answered.has(this.#markOf(sealed));
  }

  #markOf = (sealed: string): string => this.#options.key.idOf(Buffer.from(sealed));

  async #checkStalled(): Promise<void> {
    if (this.#lostAt !== null || performance.now() < this.#holdOff) return;
    try {
      await this.#queues.returnStalled((jobs) => this.#options.onEvent({ type: 'jobs-stalled', jobs }));
    } catch {
      // Redis is away or full: the next check is soon.
    }
  }

  #jobsInHand(): HostState['inHand'] {
    return Array.from(this.#inHand.values(), ({ execution: { lease, agent, assignments } }) => ({
      job: lease.id,
      workstreamId: assignments[0]?.workstream.id ?? '',
      agent,
      since: lease.since,
      lease: lease.number,
    }));
  }

  /** What is stored is stored again until Redis takes it. */
  #insistentRedis(): BodyRedis {
    const redis = this.#redis;
    const isOver = (): boolean => this.#isClosing;
    return {
      set: (...args) => insist(() => redis.set(...args), isOver),
      getBuffer: (name) => insist(() => redis.getBuffer(name), isOver),
      pexpire: (name, milliseconds) => redis.pexpire(name, milliseconds),
      unlink: (...names) => redis.unlink(...names),
    };
  }
}

const LOST_POLL_MS = 100;
const RETRY_MS = 500;

const numberOf = (agent: string): number => Number(agent.slice('agent-'.length));

const sealedIn = ({ data }: Job): string => data.sealed ?? JSON.stringify(data.body);

function about({ lease, agent }: RemoteExecution, assignment: Assignment | undefined): AboutJob {
  return {
    job: lease.id,
    runId: assignment?.runId ?? null,
    workstreamId: assignment?.workstream.id ?? null,
    agent,
    attempt: assignment?.attempt ?? null,
  };
}

/** In the URL that people may write in messages. */
function passwordOf({ url }: QueueAddress): { name: string; value: string }[] {
  const password = URL.canParse(url) ? decodeURIComponent(new URL(url).password) : '';
  return password.length < MIN_SECRET ? [] : [{ name: 'MILLRACE_QUEUE', value: password }];
}

/** As of other secrets: what is shorter would occur in text where it is none. */
const MIN_SECRET = 8;
