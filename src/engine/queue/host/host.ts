/**
 * A host: lends its agents to runs through a queue. It takes a job whenever an agent is free and Redis is there, keeps
 * its leases, says every few seconds who it is and what it has in hand, and looks for jobs that others have left.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Assignment } from '../../../domain/assignment.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import { messageOf } from '../../../text/error-message.ts';
import { type BodyRedis, bodiesIn } from '../bodies.ts';
import {
  closeConnection,
  MOST_BLOCKED_MS,
  openConnection,
  type QueueAddress,
  unlessClosed,
} from '../connection.ts';
import {
  CANCEL_CHANNEL,
  type HostState,
  KEYS,
  labelsOf,
  MOST_STALLED,
  nonceOf,
  QUEUE_CHANNEL,
  QUEUE_PREFIX,
  queueName,
  RUN_TTL_SECONDS,
  serves,
} from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';
import { insist } from './commands.ts';
import { HostEngines } from './engines.ts';
import { type ExecutionParts, RemoteExecution } from './execution.ts';
import { HostFolder } from './host-folder.ts';
import { Lease } from './lease.ts';
import { Outbox } from './outbox.ts';
import { HostPresence } from './presence.ts';
import { Projects } from './projects.ts';

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

/** How often in each lease stalled jobs are looked for. */
const CHECKS = 4;
/** How long new queues may go unnoticed by a host that has nothing to do. */
const IDLE_SECONDS = Math.min(2, MOST_BLOCKED_MS / 1000);
const MOST_ANSWERED = 100_000;
/** After so many jobs the next is of what requires the fewest labels. */
const TAKES_TO_A_TURN = 4;

export class Host {
  readonly #options: HostOptions;
  readonly #folder: HostFolder;
  readonly #redis: Redis;
  /** Waits for jobs, and does nothing else: a command that blocks holds up those behind it. */
  readonly #waiting: Redis;
  readonly #subscriber: Redis;
  readonly #outbox: Outbox;
  readonly #engines: HostEngines;
  readonly #projects: Projects;
  readonly #parts: ExecutionParts;
  readonly #presence: HostPresence;
  /** By name of the queue. */
  readonly #workers = new Map<string, Worker>();
  /** Those for the most labels first. */
  #byLabels: readonly Worker[] = [];
  /** How many jobs it has taken. */
  #takes = 0;
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
  /** On the monotonic clock. */
  #findQueuesAt = 0;
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
      if (channel === QUEUE_CHANNEL) void this.#noteQueue(name);
      else
        for (const { execution } of this.#inHand.values())
          if (execution.lease.id === name) execution.lookForCancel();
    });
    await this.#subscriber.subscribe(CANCEL_CHANNEL, QUEUE_CHANNEL);
    this.#timer = setInterval(() => void this.#checkStalled(), leaseMs / CHECKS);
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
    await Promise.allSettled(Array.from(this.#workers.values(), (worker) => worker.close(true)));
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
    if (performance.now() >= this.#findQueuesAt) await this.#findQueues();
    while (this.#mayTake && (await this.#takeOne()));
    if (this.#mayTake) await this.#waitForJobs();
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

  /**
   * Returns whether there was one. What requires most is taken first, as other hosts may have no way to execute it; every
   * few times what requires least is, so that it never waits for all of that.
   */
  async #takeOne(): Promise<boolean> {
    const isTurned = this.#takes % TAKES_TO_A_TURN === TAKES_TO_A_TURN - 1;
    for (const worker of isTurned ? this.#byLabels.toReversed() : this.#byLabels) {
      const token = randomUUID();
      const job = await worker.getNextJob(token, { block: false });
      if (job === undefined) continue;
      this.#takes += 1;
      this.#begin(worker, job, token);
      return true;
    }
    return false;
  }

  #begin(worker: Worker, job: Job, token: string): void {
    const agent = this.#free.shift() ?? '';
    const lease = new Lease(worker, this.#redis, job, token, this.#options.leaseMs);
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

  /** Workers for the queues that it serves, one more for each that a run has made since. */
  async #findQueues(): Promise<void> {
    const { provides, leaseMs, name } = this.#options;
    // Set first: a queue of which it hears meanwhile may not be among these.
    this.#findQueuesAt = performance.now() + IDLE_SECONDS * 1000;
    const names = [queueName([]), ...(await this.#redis.smembers(KEYS.queues))];
    for (const queue of names) {
      if (this.#workers.has(queue) || !serves(provides, queue)) continue;
      const worker = new Worker(queue, null, {
        connection: this.#redis,
        prefix: QUEUE_PREFIX,
        name,
        autorun: false,
        lockDuration: leaseMs,
        stalledInterval: leaseMs / CHECKS,
        maxStalledCount: MOST_STALLED,
        skipLockRenewal: true,
        skipStalledCheck: true,
        skipVersionCheck: true,
      });
      worker.on('error', () => undefined);
      this.#workers.set(queue, worker);
      this.#byLabels = [...this.#workers.values()].toSorted(
        (one, other) => labelsOf(other.name).length - labelsOf(one.name).length,
      );
    }
  }

  /** Looks for queues when a run uses one that this host serves and does not know. */
  async #noteQueue(queue: string): Promise<void> {
    const { provides, name } = this.#options;
    if (this.#workers.has(queue) || !serves(provides, queue)) return;
    this.#findQueuesAt = 0;
    // Redis is away otherwise: what was missed is looked for when it is back.
    await this.#redis.zadd(KEYS.wake(name), 0, '0').catch(() => undefined);
  }

  /** Resolves when a queue may have a job, or there is a new queue, or after a while. */
  async #waitForJobs(): Promise<void> {
    const wake = KEYS.wake(this.#options.name);
    const markers = Array.from(this.#workers.values(), ({ keys }) => keys['marker'] ?? '');
    const popped = await this.#waiting.bzpopmin([wake, ...markers], IDLE_SECONDS);
    // What it has not come for is for another host.
    if (popped !== null && popped[0] !== wake && this.#isDraining) await this.#redis.zadd(popped[0], 0, '0');
  }

  async #checkStalled(): Promise<void> {
    if (this.#lostAt !== null || performance.now() < this.#holdOff) return;
    try {
      for (const worker of this.#workers.values()) {
        const jobs = await worker.backend.moveStalledJobsToWait();
        if (jobs.length > 0) this.#options.onEvent({ type: 'jobs-stalled', jobs });
      }
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
