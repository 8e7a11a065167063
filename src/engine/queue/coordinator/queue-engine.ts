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
import { dirname, join } from 'node:path';
import type { Assignment } from '../../../domain/assignment.ts';
import type { BatchOptions, Engine, ExecuteOptions } from '../../../domain/engine.ts';
import type { Failure } from '../../../domain/failure.ts';
import { internalError, type Outcome } from '../../../domain/outcome.ts';
import { measured, startTimer } from '../../../os/stopwatch.ts';
import { messageOf } from '../../../text/error-message.ts';
import { BATCH_BYTES, BODY_BYTES, type Bodies, MissingBody, OWNERS } from '../bodies.ts';
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
import { BatchExecution } from './batch-execution.ts';
import { Batches } from './batches.ts';
import type { HostWatch } from './host-watch.ts';
import {
  ANY_TOKEN,
  type Began,
  type HeldJob,
  isStrict,
  JobExecution,
  logNameOf,
  wasStopped,
} from './job-execution.ts';
import type { JobNote, JobPlace, JobState, LeaseStore } from './lease-store.ts';
import type { MessageReader } from './message-reader.ts';
import { ReceiptReader, RefusedReceipt } from './receipt-reader.ts';
import type { RunSource } from './source.ts';

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

type QueuedExecution = JobExecution | BatchExecution;

/** A job whose outcome was given, and which is removed when that is on the disk. */
interface TakenJob extends JobPlace {
  receipt: Receipt | null;
  body: readonly string[];
  /** Of how many workstreams the result is not on the disk. */
  awaited: number;
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
  readonly #executions = new Map<string, QueuedExecution>();
  readonly #batches: Batches;
  /** By the id of their workstream. */
  readonly #taken = new Map<string, TakenJob[]>();
  /** Removals that are under way, by job id. */
  readonly #removals = new Map<string, Promise<void>>();
  /** Of an earlier session, and asked for by nobody yet. */
  readonly #left = new Map<string, JobNote>();
  /** What batches of an earlier session have brought, by job id. */
  readonly #leftBatches = new Map<string, Promise<Map<string, Outcome>>>();
  /** The last `began` of jobs that nobody has asked for yet. */
  readonly #begun = new Map<string, Began>();
  #timer: NodeJS.Timeout | null = null;
  #isSweeping = false;
  #closing: Promise<void> | null = null;

  constructor(parts: QueueEngineParts) {
    this.#parts = parts;
    this.#receipts = new ReceiptReader(parts.key, parts.bodies, parts.project);
    this.#batches = new Batches({
      nonce: parts.nonce,
      leases: parts.leases,
      isLeft: (assignment) => this.#left.size > 0 && this.#isLeft(assignment),
      follow: (execution) => void this.#follow(execution),
      execute: (given, options) => this.execute(given, options),
    });
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
    this.#remember(execution, execution.assignments);
    return outcome;
  }

  /** Members of one batch are one job, with one lease and one answer. */
  executeBatch(given: readonly Assignment[], options: BatchOptions): Promise<readonly number[]> {
    return this.#batches.execute(
      given.map((assignment) => portableAssignment(assignment, this.#parts.project)),
      options,
    );
  }

  /** Resolves when its members have ended, and it is removed from Redis or waits for that. */
  async #follow(execution: BatchExecution): Promise<void> {
    const { place } = execution;
    const { hosts } = this.#parts;
    this.#executions.set(place.job, execution);
    const onAbort = (): void => void this.#cancel(execution);
    execution.signal.addEventListener('abort', onAbort, { once: true });
    if (hosts.hasGivenUp(execution.requires)) execution.failAll(hosts.noWorker(execution.requires));
    else if (this.#closing === null) {
      this.#start();
      await this.#add(execution);
    } else execution.giveUp();
    const returned = await execution.returned;
    execution.signal.removeEventListener('abort', onAbort);
    this.#executions.delete(place.job);
    const isReturned = new Set(returned);
    this.#remember(
      execution,
      execution.assignments.filter((_, position) => !isReturned.has(position)),
    );
  }

  acknowledge(workstreamId: string): void {
    const jobs = this.#taken.get(workstreamId) ?? [];
    this.#taken.delete(workstreamId);
    for (const taken of jobs) {
      taken.awaited -= 1;
      if (taken.awaited <= 0) this.#removeSoon(taken);
    }
  }

  #removeSoon(taken: TakenJob): void {
    const removal = this.#remove(taken)
      // Redis is away for good, or the engine is closed: the job's time to live remains.
      .catch(() => undefined)
      .finally(() => this.#removals.delete(taken.job));
    this.#removals.set(taken.job, removal);
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
      execution.giveUp(CLOSED);
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

  /** @param ended of its assignments, those that have an outcome. */
  #remember({ place, receipt, body, wasAdded }: HeldJob, ended: readonly Assignment[]): void {
    if (!wasAdded) return;
    const taken = { ...place, receipt, body, awaited: ended.length };
    if (ended.length === 0) this.#removeSoon(taken);
    for (const { workstream } of ended) {
      const jobs = this.#taken.get(workstream.id) ?? [];
      jobs.push(taken);
      this.#taken.set(workstream.id, jobs);
    }
  }

  #jobOf(assignment: Assignment): string {
    const { nonce, source, setup } = this.#parts;
    const { workstream, attempt, workspace, dependencies, limits, tools, gates, shell } = assignment;
    const meant = { workstream, attempt, workspace, dependencies, limits, tools, gates, shell };
    const digest = hash('sha256', JSON.stringify([meant, source.source, setup]));
    return jobId(nonce, logNameOf(assignment), digest);
  }

  /** Adds the job, or follows the one that an earlier session added. */
  async #begin(execution: JobExecution, wasLeft: boolean): Promise<void> {
    await this.#yieldTo(execution);
    if (execution.isOver || execution.isCancelled) return execution.settleInterrupted();
    const known = await this.#fromLeftBatch(execution);
    if (known !== null) return execution.settle(known);
    const { hosts } = this.#parts;
    const { requires } = execution;
    if (hosts.hasGivenUp(requires)) return execution.giveUp(hosts.noWorker(requires));
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

  /** Whether a job of an earlier session concerns it: what it does is looked up one by one. */
  #isLeft(assignment: Assignment): boolean {
    const ofIt = `${this.#parts.nonce}.${logNameOf(assignment)}.`;
    const strict = isStrict(assignment);
    return [...this.#left].some(
      ([job, note]) =>
        strict || note.strict || job.startsWith(ofIt) || note.members?.some((id) => id.startsWith(ofIt)),
    );
  }

  /** The session before was told when it began, and this one was not. */
  #learnHost(execution: JobExecution): void {
    for (const { host, inHand } of this.#parts.hosts.hosts)
      for (const { job, agent, since, lease } of inHand)
        if (job === execution.place.job)
          this.#deliver(execution, { type: 'began', job, token: ANY_TOKEN, host, agent, at: since, lease });
  }

  /** Tries until it is there: Redis may be full, or away. */
  async #add(execution: QueuedExecution): Promise<void> {
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
            `${execution.workstreamId} could not be put into the queue and is tried again: ${messageOf(error)}.`,
            execution.workstreamId,
          );
        await pauseFor(AGAIN_MS);
      }
    }
  }

  async #addOnce(execution: HeldJob): Promise<void> {
    const { key, bodies, leases } = this.#parts;
    const { place, assignments, isStrict: strict } = execution;
    const { job } = place;
    const remote = await this.#remoteAssignment(execution);
    const text = Buffer.from(JSON.stringify(remote));
    const data: JobData = {};
    if (text.length < BODY_BYTES || (assignments.length > 1 && text.length < BATCH_BYTES))
      data.sealed = key.seal(SEALED_FOR.assignment(job), text).toString('base64');
    else {
      execution.body = await bodies.store(OWNERS.assignment(job), [text]);
      data.body = [...execution.body];
    }
    execution.wasAdded = true;
    const members = assignments.length === 1 ? {} : { members: assignments.map((each) => this.#jobOf(each)) };
    await leases.add(place, data, { queue: place.queue, strict, ...members });
    execution.isInQueue = true;
    execution.missingSince = null;
  }

  async #remoteAssignment({ place, assignments, isStrict: strictLease }: HeldJob): Promise<RemoteAssignment> {
    const { nonce, source, setup, redact, logLevel, now } = this.#parts;
    // Their files are prepared once for all that need them, by each host.
    const [assignment, ...others] = assignments.map((each): Assignment => ({ ...each, setup: null }));
    if (assignment === undefined) throw new RangeError('a job has at least one assignment');
    return {
      protocol: PROTOCOL,
      job: place.job,
      nonce,
      assignment,
      ...(others.length === 0 ? {} : { others }),
      ...(this.#batches.hasLostHost(assignment) ? { lost: 1 } : {}),
      source: source.source,
      setup,
      strictLease,
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

  /** What a batch of an earlier session has brought for it, as soon as no host has that; null for nothing. */
  async #fromLeftBatch({ place, assignment, logName }: JobExecution): Promise<Outcome | null> {
    const ofIt = `${this.#parts.nonce}.${logName}.`;
    for (const [job, { queue, members = [] }] of this.#left) {
      if (!members.some((member) => member.startsWith(ofIt))) continue;
      const left = this.#leftBatches.get(job) ?? this.#endLeftBatch({ job, queue }, members, assignment);
      this.#leftBatches.set(job, left);
      const outcome = (await left).get(place.job);
      if (outcome !== undefined) return outcome;
    }
    return null;
  }

  /** The outcomes of a batch, by the ids that its members have as jobs. Nothing is stopped: its members are tiny. */
  async #endLeftBatch(
    place: JobPlace,
    members: readonly string[],
    { logFile }: Assignment,
  ): Promise<Map<string, Outcome>> {
    const { leases } = this.#parts;
    while (this.#closing === null) {
      const state = await leases.state(place);
      if (state.state === 'completed') return this.#outcomesLeft(place, state.returned, members, logFile);
      if (state.state === 'missing' || state.state === 'failed') break;
      if (state.state === 'waiting' && (await leases.remove(place))) break;
      await pauseFor(AGAIN_MS / 5);
    }
    return new Map();
  }

  async #outcomesLeft(
    { job }: JobPlace,
    returned: string,
    members: readonly string[],
    logFile: string,
  ): Promise<Map<string, Outcome>> {
    const from = this.#parts.nonce.length + 1;
    const logs = members.map((member) => ({
      logFile: join(dirname(logFile), `${member.slice(from, member.lastIndexOf('.'))}.log`),
    }));
    try {
      const outcomes = await this.#receipts.outcomes(this.#receipts.open(job, returned), logs);
      return new Map(
        members.flatMap((member, position) => {
          const outcome = outcomes[position] ?? null;
          return outcome === null || wasStopped(outcome) ? [] : [[member, outcome] as const];
        }),
      );
    } catch (error) {
      // It can't be taken: its members are executed as if it had brought nothing.
      if (notTaken(error).reason === 'remote-refused') return new Map();
      throw error;
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
  async #cancel(execution: QueuedExecution): Promise<void> {
    execution.isCancelled = true;
    this.#wasCut = true;
    execution.startBackstop(execution.graceSeconds + ANSWER_SECONDS, () =>
      execution.giveUp(unanswered(execution)),
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

  #deliver(execution: QueuedExecution, message: RemoteMessage): void {
    const { assignments } = execution;
    if (message.type === 'notice')
      this.#parts.notify(message.text, assignments[message.member ?? 0]?.workstream.id ?? null);
    else if (execution instanceof BatchExecution) this.#limit(execution, execution.report(message));
    else if (message.type === 'began') {
      if (!execution.begins(message)) return;
      const { timeoutSeconds, graceSeconds } = execution.assignment.limits;
      this.#limit(execution, timeoutSeconds + graceSeconds);
    } else if (message.type !== 'returned') execution.report(message);
  }

  /** @param seconds that what has begun may take; null for no news. */
  #limit(execution: QueuedExecution, seconds: number | null): void {
    if (seconds === null) return;
    const most = seconds + this.#parts.hosts.leaseMs / 1000 + ANSWER_SECONDS;
    execution.startBackstop(most, () => this.#overdue(execution));
  }

  /** Its host keeps its lease, and neither ends it nor answers. */
  #overdue(execution: QueuedExecution): void {
    if (execution.isOver) return;
    void this.#stopRemote(execution.place, 'cancelled').catch(() => undefined);
    const seconds = Math.max(...execution.assignments.map(({ limits }) => limits.timeoutSeconds));
    const failure: Failure = { reason: 'timed-out', seconds, step: null, tail: '' };
    if (execution instanceof BatchExecution) execution.fail(failure);
    else execution.giveUp(failure);
  }

  /** Acts on what is stored of jobs, in one round trip. */
  async #look(executions: readonly QueuedExecution[]): Promise<void> {
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
  async #check(execution: QueuedExecution, state: JobState): Promise<void> {
    if (execution.isOver || execution.isTaken) return;
    execution.isInQueue = true;
    const { hosts } = this.#parts;
    const { requires } = execution;
    switch (state.state) {
      case 'active':
        return;
      case 'waiting':
        if (hosts.hasGivenUp(requires) && (await this.#parts.leases.remove(execution.place))) {
          execution.wasAdded = false;
          execution.giveUp(hosts.noWorker(requires));
        }
        return;
      case 'missing':
        return this.#missing(execution);
      case 'failed':
        execution.isTaken = true;
        if (execution instanceof BatchExecution)
          this.#batches.keepApart(execution.assignments, STALLED.test(state.why));
        return execution.giveUp(refusal(state.why));
      case 'completed':
        execution.isTaken = true;
        if (execution instanceof BatchExecution) return this.#takeBatch(execution, state.returned);
        return this.#take(execution, state.returned);
    }
  }

  /**
   * Redis has lost it, as by FLUSHALL or a restart without persistence. A host that had it learns that when it renews its
   * lease, and stops: only then may another one get it.
   */
  async #missing(execution: QueuedExecution): Promise<void> {
    if (execution.isCancelled) return execution.settleInterrupted();
    execution.missingSince ??= startTimer();
    if (measured(execution.missingSince).durationSeconds * 1000 < this.#parts.hosts.leaseMs) return;
    if (execution instanceof BatchExecution) return execution.giveUp();
    const id = execution.workstreamId;
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
      const [outcome = null] = await this.#receipts.outcomes(receipt, execution.assignments);
      execution.receipt = receipt;
      if (outcome === null) throw new RefusedReceipt('it has no outcome');
      if (this.#isStale(execution, outcome)) return await this.#repeat(execution);
      execution.settle(outcome);
    } catch (error) {
      execution.settle(execution.failed(notTaken(error)));
    }
  }

  async #takeBatch(execution: BatchExecution, returned: string): Promise<void> {
    try {
      const receipt = this.#receipts.open(execution.place.job, returned);
      await this.#messages?.reached(receipt.lastMessageId);
      const outcomes = await this.#receipts.outcomes(receipt, execution.assignments);
      execution.receipt = receipt;
      execution.settle(outcomes);
    } catch (error) {
      execution.failAll(notTaken(error));
    }
  }

  /** An earlier session, or a host that gave it back, interrupted it, and this one did not. */
  #isStale({ isCancelled, repeats }: JobExecution, outcome: Outcome): boolean {
    return wasStopped(outcome) && !isCancelled && repeats < MOST_REPEATS && this.#closing === null;
  }

  async #repeat(execution: JobExecution): Promise<void> {
    execution.repeats += 1;
    const { place, receipt, body } = execution;
    await this.#remove({ ...place, receipt, body, awaited: 0 });
    execution.startAgain();
    await this.#add(execution);
  }
}

const CLOSED: Failure = { reason: 'interrupted', detail: 'the run ended while a host executed it' };

const unanswered = ({ reason }: HeldJob): Failure => ({
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
