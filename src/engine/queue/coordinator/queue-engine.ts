/**
 * The engine whose agents are on other machines. It holds at most as many executions as its caller starts, each as one
 * job in Redis, and takes at most one outcome of each.
 *
 * What hosts publish is a hint: every `SWEEP_MS` the jobs themselves are looked at, so that nothing depends on a message
 * that was lost. An outcome is taken when the stream of messages has been read up to what its host sent before. Its job
 * stays in Redis until the result of its workstream is on the disk, so that a coordinator that dies in between finds it
 * again: a job of the same id is followed, and its outcome taken, instead of being executed once more.
 */
import { hash } from 'node:crypto';
import { basename } from 'node:path';
import type { Assignment } from '../../../domain/assignment.ts';
import type { Engine, ExecuteOptions } from '../../../domain/engine.ts';
import type { Failure } from '../../../domain/failure.ts';
import { internalError, type Outcome } from '../../../domain/outcome.ts';
import { measured, startTimer } from '../../../os/stopwatch.ts';
import { messageOf } from '../../../text/error-message.ts';
import { type Bodies, MissingBody, OWNERS } from '../bodies.ts';
import { portableAssignment } from '../portable-paths.ts';
import {
  type JobData,
  jobId,
  PROTOCOL,
  queueName,
  type Receipt,
  type RemoteAssignment,
  type RemoteMessage,
  RUN_TTL_SECONDS,
  SEALED_FOR,
  STALLED,
} from '../protocol.ts';
import { BrokenSeal, type QueueKey } from '../sealing.ts';
import type { HostWatch } from './host-watch.ts';
import { ANY_TOKEN, type Began, JobExecution } from './job-execution.ts';
import type { JobNote, JobPlace, JobState, LeaseStore } from './lease-store.ts';
import type { MessageReader } from './message-reader.ts';
import { ReceiptReader, RefusedReceipt } from './receipt-reader.ts';
import type { RunSource } from './source.ts';

/** From this size on an assignment, sealed in a body, is beside its job and not in it. */
const BODY_BYTES = 64 * 1024;
const SWEEP_MS = 2_000;
/** After how many sweeps the times to live in Redis are renewed. */
const SWEEPS_TO_KEEP = 30;
const AGAIN_MS = 1_000;
/** Beyond the grace: what a host needs to hear of a cancellation, to end what runs, and to answer. */
const ANSWER_SECONDS = 20;
/** Of outcomes that say it was interrupted, although nothing here interrupts it. */
const MOST_REPEATS = 5;
/** How long Redis is waited for at the end. */
const CLOSE_MS = 3_000;

export interface QueueEngineParts {
  key: QueueKey;
  nonce: string;
  /** Absolute folder of the project. */
  project: string;
  leases: LeaseStore;
  bodies: Bodies;
  hosts: HostWatch;
  source: RunSource;
  setup: string | null;
  redact: RemoteAssignment['redact'];
  logLevel: string;
  /** Of Redis, in milliseconds since 1970. */
  now: () => Promise<number>;
  /** Ends the connections. */
  disconnect: () => void;
  /** Told to a person. */
  notify: (text: string, workstreamId: string | null) => void;
  /** Makes what reads messages; it is closed with the engine. */
  messages: (take: {
    onMessage: (message: RemoteMessage) => void;
    onAnswered: (jobs: readonly string[]) => void;
  }) => MessageReader;
}

/** A job whose outcome was given, and which is removed when that is on the disk. */
interface TakenJob extends JobPlace {
  receipt: Receipt | null;
  body: readonly string[];
}

export class QueueEngine implements Engine {
  readonly isRemote = true;
  readonly #parts: QueueEngineParts;
  readonly #receipts: ReceiptReader;
  #messages: MessageReader | null = null;
  #sweeps = 0;
  /** Whether something was stopped before its end, so that the run will be resumed. */
  #wasCut = false;
  /** By job id. */
  readonly #executions = new Map<string, JobExecution>();
  /** By the id of their workstream. */
  readonly #taken = new Map<string, TakenJob[]>();
  /** Removals that are under way, by job id. */
  readonly #removals = new Map<string, Promise<void>>();
  /** Of an earlier session, and asked for by nobody yet. */
  readonly #left = new Map<string, JobNote>();
  /** The last `began` of jobs that nobody has asked for yet. */
  readonly #begun = new Map<string, Began>();
  #timer: NodeJS.Timeout | null = null;
  #isSweeping = false;
  #closing: Promise<void> | null = null;

  constructor(parts: QueueEngineParts) {
    this.#parts = parts;
    this.#receipts = new ReceiptReader(parts.key, parts.bodies, parts.project);
  }

  /** Nothing in Redis is touched before the first execution: the run may not be this process's to go on with. */
  #start(): void {
    if (this.#messages !== null) return;
    this.#messages = this.#parts.messages({
      onMessage: (message) => this.#receive(message),
      onAnswered: (jobs) => void this.#look(jobs.flatMap((job) => this.#executions.get(job) ?? [])),
    });
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_MS);
  }

  /** Reads what earlier sessions of the run left; before the first execution. */
  async readLeft(): Promise<void> {
    for (const [job, note] of await this.#parts.leases.notes()) this.#left.set(job, note);
  }

  /** As many at once as the caller wants. */
  async execute(given: Assignment, options: ExecuteOptions): Promise<Outcome> {
    const assignment = portableAssignment(given, this.#parts.project);
    const { workstream } = assignment;
    const job = this.#jobOf(assignment);
    const place = { job, queue: queueName(workstream.requires) };
    // One of this id may be about to be removed.
    await this.#removals.get(job);
    if (this.#executions.has(job)) throw new Error(`the job ${job} is executed already`);
    const begun = this.#begun.get(job) ?? null;
    const execution = new JobExecution({ place, assignment, options, begun });
    this.#executions.set(job, execution);
    const wasLeft = this.#left.delete(job);
    this.#begun.delete(job);
    const onAbort = (): void => void this.#cancel(execution);
    options.signal.addEventListener('abort', onAbort, { once: true });
    if (this.#closing === null) this.#start();
    else execution.settle(execution.failed(CLOSED));
    void this.#begin(execution, wasLeft).catch((error: unknown) =>
      execution.settle(execution.failed(internalError(error))),
    );
    const outcome = await execution.outcome;
    options.signal.removeEventListener('abort', onAbort);
    this.#executions.delete(job);
    this.#remember(execution);
    return outcome;
  }

  acknowledge(workstreamId: string): void {
    const jobs = this.#taken.get(workstreamId) ?? [];
    this.#taken.delete(workstreamId);
    for (const taken of jobs) {
      const removal = this.#remove(taken)
        // Redis is away for good, or the engine is closed: the job's time to live remains.
        .catch(() => undefined)
        .finally(() => this.#removals.delete(taken.job));
      this.#removals.set(taken.job, removal);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** What is not acknowledged stays for a session that resumes the run; the rest is stopped and removed. */
  async #close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const execution of this.#executions.values()) {
      this.#wasCut = true;
      void this.#stopRemote(execution.place, 'interrupted').catch(() => undefined);
      execution.settle(execution.failed(CLOSED));
    }
    await within(CLOSE_MS, this.#clean());
    await this.#messages?.close();
    this.#parts.hosts.close();
    await within(CLOSE_MS, this.#parts.leases.close());
    this.#parts.disconnect();
  }

  async #clean(): Promise<void> {
    const { leases } = this.#parts;
    if (this.#messages === null) return;
    await Promise.all(this.#removals.values());
    for (const [job, { queue }] of this.#left) {
      const isFree = await this.#stopRemote({ job, queue }, 'interrupted');
      // Nobody asked for it, and the run is complete: its result was stored before.
      if (isFree && !this.#wasCut) await leases.remove({ job, queue });
    }
    const notes = await leases.notes();
    if (notes.size === 0) await leases.removeRun();
  }

  async #remove({ job, queue, receipt, body }: TakenJob): Promise<void> {
    const { leases, bodies } = this.#parts;
    const isGone = await leases.remove({ job, queue });
    if (!isGone) return;
    if (receipt !== null) await this.#receipts.forget(receipt);
    if (body.length > 0) await bodies.remove(OWNERS.assignment(job), body);
  }

  #remember({ place, assignment, receipt, body, wasAdded }: JobExecution): void {
    if (!wasAdded) return;
    const { id } = assignment.workstream;
    const jobs = this.#taken.get(id) ?? [];
    jobs.push({ ...place, receipt, body });
    this.#taken.set(id, jobs);
  }

  #jobOf(assignment: Assignment): string {
    const { nonce, source, setup } = this.#parts;
    const { workstream, attempt, workspace, dependencies, limits, tools, gates, shell } = assignment;
    const meant = { workstream, attempt, workspace, dependencies, limits, tools, gates, shell };
    const digest = hash('sha256', JSON.stringify([meant, source.source, setup]));
    return jobId(nonce, basename(assignment.logFile).replace(/\.log$/, ''), digest);
  }

  /** Adds the job, or follows the one that an earlier session added. */
  async #begin(execution: JobExecution, wasLeft: boolean): Promise<void> {
    await this.#yieldTo(execution);
    if (execution.isOver || execution.isCancelled) return execution.settleInterrupted();
    const { hosts } = this.#parts;
    const { requires } = execution.assignment.workstream;
    if (hosts.hasGivenUp(requires)) return execution.settle(execution.failed(hosts.noWorker(requires)));
    if (!wasLeft) {
      await this.#removeTaken(execution);
      return this.#add(execution);
    }
    const state = await this.#parts.leases.state(execution.place);
    if (state.state === 'missing') return this.#add(execution);
    execution.wasAdded = true;
    if (state.state === 'active') this.#learnHost(execution);
    await this.#check(execution, state);
    if (execution.isCancelled) await this.#cancel(execution);
  }

  /** The same work was done in this session already, and is wanted once more. */
  async #removeTaken({ place, assignment }: JobExecution): Promise<void> {
    const taken = this.#taken.get(assignment.workstream.id)?.filter(({ job }) => job === place.job) ?? [];
    for (const one of taken) await this.#remove(one);
  }

  /** The session before was told when it began, and this one was not. */
  #learnHost(execution: JobExecution): void {
    for (const { host, inHand } of this.#parts.hosts.hosts)
      for (const { job, agent, since, lease } of inHand)
        if (job === execution.place.job)
          this.#deliver(execution, { type: 'began', job, token: ANY_TOKEN, host, agent, at: since, lease });
  }

  /** Tries until it is there: Redis may be full, or away. */
  async #add(execution: JobExecution): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (execution.isOver || execution.isCancelled) return execution.settleInterrupted();
      try {
        await this.#addOnce(execution);
        // A cancellation that came meanwhile found nothing to remove.
        if (execution.isCancelled) await this.#cancel(execution);
        return;
      } catch (error) {
        if (this.#closing !== null) return;
        if (attempt === 1)
          this.#parts.notify(
            `${execution.assignment.workstream.id} could not be put into the queue and is tried again: ${messageOf(error)}.`,
            execution.assignment.workstream.id,
          );
        await pauseFor(AGAIN_MS);
      }
    }
  }

  async #addOnce(execution: JobExecution): Promise<void> {
    const { key, bodies, leases } = this.#parts;
    const { place, assignment } = execution;
    const { job } = place;
    const remote = await this.#remoteAssignment(execution);
    const text = Buffer.from(JSON.stringify(remote));
    const data: JobData = {};
    if (text.length < BODY_BYTES) data.sealed = key.seal(SEALED_FOR.assignment(job), text).toString('base64');
    else {
      execution.body = await bodies.store(OWNERS.assignment(job), [text]);
      data.body = [...execution.body];
    }
    execution.wasAdded = true;
    await leases.add(place, data, { queue: place.queue, strict: isStrict(assignment) });
    execution.isInQueue = true;
    execution.missingSince = null;
  }

  async #remoteAssignment({ place, assignment }: JobExecution): Promise<RemoteAssignment> {
    const { nonce, source, setup, redact, logLevel, now } = this.#parts;
    return {
      protocol: PROTOCOL,
      job: place.job,
      nonce,
      // Its files are prepared once for all that need them, by each host.
      assignment: { ...assignment, setup: null },
      source: source.source,
      setup,
      strictLease: isStrict(assignment),
      redact,
      logLevel,
      expiresAt: (await now()) + RUN_TTL_SECONDS * 1000,
    };
  }

  /**
   * Jobs that an earlier session added may be executed now, and nobody here has asked for them yet. What may not run
   * beside one of them has to wait until that has ended; so that it does, it is stopped, and done again when its turn comes.
   */
  async #yieldTo(execution: JobExecution): Promise<void> {
    const strict = isStrict(execution.assignment);
    const { logName } = execution;
    for (const [job, note] of this.#left) {
      const isSuperseded = job.startsWith(`${this.#parts.nonce}.${logName}.`);
      if (!isSuperseded && !strict && !note.strict) continue;
      if (isSuperseded) this.#left.delete(job);
      const place = { job, queue: note.queue };
      await this.#ended(place);
      if (isSuperseded) await this.#parts.leases.remove(place);
    }
  }

  /** Stops a job of an earlier session. Resolves when no host has it any more. */
  async #ended(place: JobPlace): Promise<void> {
    for (let turn = 0; this.#closing === null; turn += 1) {
      if (this.#executions.has(place.job)) return;
      const { state } = await this.#parts.leases.state(place);
      if (state !== 'waiting' && state !== 'active') return;
      if (turn % 10 === 0 && (await this.#stopRemote(place, 'interrupted'))) return;
      await pauseFor(AGAIN_MS / 5);
    }
  }

  /** Resolves with whether no host has it: it was removed before one took it. */
  async #stopRemote(place: JobPlace, because: 'interrupted' | 'cancelled'): Promise<boolean> {
    const { leases } = this.#parts;
    const { state } = await leases.state(place);
    if (state === 'missing' || state === 'completed' || state === 'failed') return true;
    // Told first: between the two a host may take it.
    await leases.cancel(place.job, because);
    return leases.remove(place);
  }

  /** Called when the execution is cancelled, and again after it was added. */
  async #cancel(execution: JobExecution): Promise<void> {
    execution.isCancelled = true;
    this.#wasCut = true;
    execution.startBackstop(execution.assignment.limits.graceSeconds + ANSWER_SECONDS, () =>
      execution.settle(execution.failed(unanswered(execution))),
    );
    if (!execution.isInQueue) return;
    try {
      const wasRemoved = await this.#stopRemote(execution.place, execution.reason);
      if (!wasRemoved) return;
      const state = await this.#parts.leases.state(execution.place);
      if (state.state === 'missing') {
        execution.wasAdded = false;
        execution.settleInterrupted();
      } else await this.#check(execution, state);
    } catch {
      // Redis is away: the backstop decides, or the next sweep.
    }
  }

  #receive(message: RemoteMessage): void {
    const execution = this.#executions.get(message.job);
    if (execution !== undefined) return this.#deliver(execution, message);
    // Of a job of an earlier session that is asked for later.
    if (message.type !== 'began' || !this.#left.has(message.job)) return;
    const known = this.#begun.get(message.job);
    if (known === undefined || known.lease <= message.lease) this.#begun.set(message.job, message);
  }

  #deliver(execution: JobExecution, message: RemoteMessage): void {
    if (message.type === 'notice') this.#parts.notify(message.text, execution.assignment.workstream.id);
    else if (message.type === 'began') {
      if (!execution.begins(message)) return;
      const { timeoutSeconds, graceSeconds } = execution.assignment.limits;
      const seconds = timeoutSeconds + graceSeconds + this.#parts.hosts.leaseMs / 1000 + ANSWER_SECONDS;
      execution.startBackstop(seconds, () => this.#overdue(execution));
    } else execution.report(message);
  }

  /** Its host keeps its lease, and neither ends it nor answers. */
  #overdue(execution: JobExecution): void {
    if (execution.isOver) return;
    void this.#stopRemote(execution.place, 'cancelled').catch(() => undefined);
    const seconds = execution.assignment.limits.timeoutSeconds;
    execution.settle(execution.failed({ reason: 'timed-out', seconds, step: null, tail: '' }));
  }

  /** Acts on what is stored of jobs, in one round trip. */
  async #look(executions: readonly JobExecution[]): Promise<void> {
    try {
      const states = await this.#parts.leases.states(executions.map(({ place }) => place));
      for (const [index, execution] of executions.entries()) {
        const state = states[index];
        // What Redis refuses now is looked at by the next sweep.
        if (state !== undefined) void this.#check(execution, state).catch(() => undefined);
      }
    } catch {
      // Redis is away: the next sweep looks again.
    }
  }

  async #sweep(): Promise<void> {
    if (this.#isSweeping || this.#closing !== null) return;
    this.#isSweeping = true;
    try {
      await this.#look(
        [...this.#executions.values()].filter(({ isInQueue, wasAdded }) => isInQueue || wasAdded),
      );
      if (this.#sweeps % SWEEPS_TO_KEEP === 0) await this.#keepAlive();
      this.#sweeps += 1;
    } catch {
      // Redis is away: what it has is looked at when it is back.
    }
    this.#isSweeping = false;
  }

  async #keepAlive(): Promise<void> {
    const { source, leases, now } = this.#parts;
    await source.keep();
    await leases.keep(await now());
  }

  /** Acts on what a job is found to be. */
  async #check(execution: JobExecution, state: JobState): Promise<void> {
    if (execution.isOver || execution.isTaken) return;
    execution.isInQueue = true;
    const { hosts } = this.#parts;
    const { requires } = execution.assignment.workstream;
    switch (state.state) {
      case 'active':
        return;
      case 'waiting':
        if (hosts.hasGivenUp(requires) && (await this.#parts.leases.remove(execution.place))) {
          execution.wasAdded = false;
          execution.settle(execution.failed(hosts.noWorker(requires)));
        }
        return;
      case 'missing':
        return this.#missing(execution);
      case 'failed':
        execution.isTaken = true;
        return execution.settle(execution.failed(refusal(state.why)));
      case 'completed':
        execution.isTaken = true;
        return this.#take(execution, state.returned);
    }
  }

  /**
   * Redis has lost it, as by FLUSHALL or a restart without persistence. A host that had it learns that when it renews its
   * lease, and stops: only then may another one get it.
   */
  async #missing(execution: JobExecution): Promise<void> {
    if (execution.isCancelled) return execution.settleInterrupted();
    execution.missingSince ??= startTimer();
    if (measured(execution.missingSince).durationSeconds * 1000 < this.#parts.hosts.leaseMs) return;
    const { id } = execution.assignment.workstream;
    this.#parts.notify(
      `${id} is not in the queue any more, as after a restart of Redis without persistence: it is added again.`,
      id,
    );
    execution.isInQueue = false;
    execution.wasAdded = false;
    await this.#keepAlive();
    await this.#add(execution);
  }

  async #take(execution: JobExecution, returned: string): Promise<void> {
    try {
      const receipt = this.#receipts.open(execution.place.job, returned);
      await this.#messages?.reached(receipt.lastMessageId);
      const outcome = await this.#receipts.outcome(receipt, execution.assignment);
      execution.receipt = receipt;
      if (this.#isStale(execution, outcome)) return await this.#repeat(execution);
      execution.settle(outcome);
    } catch (error) {
      execution.settle(execution.failed(notTaken(error)));
    }
  }

  /** An earlier session, or a host that gave it back, interrupted it, and this one did not. */
  #isStale({ isCancelled, repeats }: JobExecution, { failure }: Outcome): boolean {
    const wasStopped = failure?.reason === 'interrupted' || failure?.reason === 'cancelled';
    return wasStopped && !isCancelled && repeats < MOST_REPEATS && this.#closing === null;
  }

  async #repeat(execution: JobExecution): Promise<void> {
    execution.repeats += 1;
    const { place, receipt, body } = execution;
    await this.#remove({ ...place, receipt, body });
    execution.startAgain();
    await this.#add(execution);
  }
}

const CLOSED: Failure = { reason: 'interrupted', detail: 'the run ended while a host executed it' };

/** Whether the locks of other workstreams depend on that it ends with its lease. */
const isStrict = ({ workstream: { conflictGroup, parallelOk, scopes } }: Assignment): boolean =>
  conflictGroup !== null || !parallelOk || scopes.length > 0;

const unanswered = ({ reason }: JobExecution): Failure => ({
  reason,
  detail: 'its host did not answer when it was told to stop it',
});

/** From the failed reason of a job: text from Redis, that whoever can write there can make. */
function refusal(why: string): Failure {
  if (STALLED.test(why))
    return {
      reason: 'host-lost',
      detail:
        'each host that began with it went silent, was killed or lost its connection. It may end hosts; its log is on them',
    };
  return { reason: 'remote-refused', detail: why.slice(0, 2_000).replace(/\.$/, '') };
}

function notTaken(error: unknown): Failure {
  if (error instanceof BrokenSeal || error instanceof SyntaxError)
    return {
      reason: 'remote-refused',
      detail: 'what came back for it was not sealed with the key of this run',
    };
  if (error instanceof RefusedReceipt || error instanceof MissingBody)
    return { reason: 'remote-refused', detail: `what came back for it can't be taken: ${error.message}` };
  return internalError(error);
}

const pauseFor = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Resolves when the promise has settled, or after so long. */
async function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise.catch(() => undefined), late]);
  clearTimeout(timer);
}
