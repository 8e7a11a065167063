/**
 * The engine whose agents are on other machines. It holds at most as many executions as its caller starts, each as one
 * job in Redis, and takes at most one outcome of each. A job of the same id that an earlier session of the run added is
 * followed, and its outcome taken, instead of being executed once more.
 */
import type { Assignment } from '../../../domain/assignment.ts';
import type { BatchOptions, Engine, ExecuteOptions } from '../../../domain/engine.ts';
import type { Failure } from '../../../domain/failure.ts';
import { internalError, type Outcome } from '../../../domain/outcome.ts';
import { portableAssignment } from '../portable-paths.ts';
import { queueName, type RemoteMessage } from '../protocol.ts';
import { BatchExecution, type QueuedExecution } from './batch-execution.ts';
import { Batches } from './batches.ts';
import { EarlierJobs } from './earlier-jobs.ts';
import type { HostWatch } from './host-watch.ts';
import { ANY_TOKEN, type HeldJob, JobExecution } from './job-execution.ts';
import { JobSender, type JobSenderParts } from './job-sender.ts';
import { JobSweep } from './job-sweep.ts';
import type { MessageReader } from './message-reader.ts';
import { ReceiptReader } from './receipt-reader.ts';
import { TakenJobs } from './taken-jobs.ts';

/** Beyond the grace: what a host needs to hear of a cancellation, to end what runs, and to answer. */
const ANSWER_SECONDS = 20;
/** How long Redis is waited for at the end. */
const CLOSE_MS = 3_000;

export interface QueueEngineParts extends Omit<JobSenderParts, 'closing' | 'hasLostHost'> {
  /** Absolute folder of the project. */
  project: string;
  hosts: HostWatch;
  /** Ends the connections. */
  disconnect: () => void;
  /** Makes what reads messages; it is closed with the engine. */
  messages: (take: {
    onMessage: (message: RemoteMessage) => void;
    onAnswered: (jobs: readonly string[]) => void;
  }) => MessageReader;
}

export class QueueEngine implements Engine {
  readonly isRemote = true;
  readonly #parts: QueueEngineParts;
  readonly #earlier: EarlierJobs;
  readonly #batches: Batches;
  readonly #sender: JobSender;
  readonly #sweep: JobSweep;
  readonly #taken: TakenJobs;
  #messages: MessageReader | null = null;
  /** Whether something was stopped before its end, so that the run will be resumed. */
  #wasCut = false;
  /** By job id. */
  readonly #executions = new Map<string, QueuedExecution>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | null = null;

  constructor(parts: QueueEngineParts) {
    this.#parts = parts;
    const { key, nonce, project, leases, bodies, hosts } = parts;
    const closing = this.#closing.signal;
    const receipts = new ReceiptReader(key, bodies, project);
    this.#taken = new TakenJobs({ leases, bodies, receipts });
    this.#earlier = new EarlierJobs({
      nonce,
      leases,
      receipts,
      closing,
      isExecuted: (job) => this.#executions.has(job),
    });
    this.#batches = new Batches({
      nonce,
      leases,
      isLeft: (assignment) => this.#earlier.concern(assignment),
      follow: (execution) => void this.#follow(execution),
      execute: (given, options) => this.execute(given, options),
    });
    this.#sender = new JobSender({
      ...parts,
      closing,
      hasLostHost: (assignment) => this.#batches.hasLostHost(assignment),
    });
    this.#sweep = new JobSweep({
      ...parts,
      hosts,
      receipts,
      taken: this.#taken,
      batches: this.#batches,
      closing,
      executions: () => this.inHand,
      add: (execution) => this.#add(execution),
      reached: async (messageId) => this.#messages?.reached(messageId),
    });
  }

  /** What is on its way, waits in Redis or is executed. */
  get inHand(): Iterable<QueuedExecution> {
    return this.#executions.values();
  }

  /** Nothing in Redis is touched before the first execution: the run may not be this process's to go on with. */
  #start(): void {
    if (this.#messages !== null) return;
    this.#messages = this.#parts.messages({
      onMessage: (message) => this.#receive(message),
      onAnswered: (jobs) => void this.#sweep.look(jobs.flatMap((job) => this.#executions.get(job) ?? [])),
    });
    this.#sweep.start();
  }

  /** Reads what earlier sessions of the run left; before the first execution. */
  async readLeft(): Promise<void> {
    await this.#earlier.read();
  }

  /** As many at once as the caller wants. */
  async execute(given: Assignment, options: ExecuteOptions): Promise<Outcome> {
    const assignment = portableAssignment(given, this.#parts.project);
    const { workstream } = assignment;
    const job = this.#sender.jobOf(assignment);
    const place = { job, queue: queueName(workstream.requires) };
    // One of this id may be about to be removed.
    await this.#taken.removed(job);
    if (this.#executions.has(job)) throw new Error(`the job ${job} is executed already`);
    const { wasLeft, begun } = this.#earlier.take(job);
    const execution = new JobExecution({ place, assignment, options, begun });
    this.#executions.set(job, execution);
    const onAbort = (): void => void this.#cancel(execution);
    options.signal.addEventListener('abort', onAbort, { once: true });
    if (!this.#isClosing) this.#start();
    else execution.settle(execution.failed(CLOSED));
    void this.#begin(execution, wasLeft).catch((error: unknown) =>
      execution.settle(execution.failed(internalError(error))),
    );
    const outcome = await execution.outcome;
    options.signal.removeEventListener('abort', onAbort);
    this.#executions.delete(job);
    this.#taken.remember(execution, execution.assignments);
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
    else if (!this.#isClosing) {
      this.#start();
      await this.#add(execution);
    } else execution.giveUp();
    const returned = await execution.returned;
    execution.signal.removeEventListener('abort', onAbort);
    this.#executions.delete(place.job);
    const isReturned = new Set(returned);
    this.#taken.remember(
      execution,
      execution.assignments.filter((_, position) => !isReturned.has(position)),
    );
  }

  acknowledge(workstreamId: string): void {
    this.#taken.acknowledge(workstreamId);
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** What is not acknowledged stays for a session that resumes the run; the rest is stopped and removed. */
  async #close(): Promise<void> {
    this.#closing.abort();
    this.#sweep.stop();
    for (const execution of this.#executions.values()) {
      this.#wasCut = true;
      void this.#parts.leases.stop(execution.place, 'interrupted').catch(() => undefined);
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
    await this.#taken.allRemoved();
    await this.#earlier.end(!this.#wasCut);
    const notes = await leases.notes();
    if (notes.size === 0) await leases.removeRun();
  }

  /** Adds the job, or follows the one that an earlier session added. */
  async #begin(execution: JobExecution, wasLeft: boolean): Promise<void> {
    await this.#earlier.yieldTo(execution);
    if (execution.isOver || execution.isCancelled) return execution.settleInterrupted();
    const known = await this.#earlier.fromBatch(execution);
    if (known !== null) return execution.settle(known);
    const { hosts } = this.#parts;
    const { requires } = execution;
    if (hosts.hasGivenUp(requires)) return execution.giveUp(hosts.noWorker(requires));
    if (!wasLeft) {
      await this.#taken.removeEarlier(execution);
      return this.#add(execution);
    }
    const state = await this.#parts.leases.state(execution.place);
    if (state.state === 'missing') return this.#add(execution);
    execution.wasAdded = true;
    if (state.state === 'active') this.#learnHost(execution);
    await this.#sweep.check(execution, state);
    if (execution.isCancelled) await this.#cancel(execution);
  }

  /** The session before was told when it began, and this one was not. */
  #learnHost(execution: JobExecution): void {
    for (const { host, inHand } of this.#parts.hosts.hosts)
      for (const { job, agent, since, lease } of inHand)
        if (job === execution.place.job)
          this.#deliver(execution, { type: 'began', job, token: ANY_TOKEN, host, agent, at: since, lease });
  }

  async #add(execution: QueuedExecution): Promise<void> {
    const isThere = await this.#sender.send(execution);
    // A cancellation that came meanwhile found nothing to remove.
    if (isThere && execution.isCancelled) await this.#cancel(execution);
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
      const wasRemoved = await this.#parts.leases.stop(execution.place, execution.reason);
      if (!wasRemoved) return;
      const state = await this.#parts.leases.state(execution.place);
      if (state.state === 'missing') {
        execution.wasAdded = false;
        execution.settleInterrupted();
      } else await this.#sweep.check(execution, state);
    } catch {
      // Redis is away: the backstop decides, or the next sweep.
    }
  }

  #receive(message: RemoteMessage): void {
    const execution = this.#executions.get(message.job);
    if (execution === undefined) this.#earlier.receive(message);
    else this.#deliver(execution, message);
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
    void this.#parts.leases.stop(execution.place, 'cancelled').catch(() => undefined);
    const seconds = Math.max(...execution.assignments.map(({ limits }) => limits.timeoutSeconds));
    const failure: Failure = { reason: 'timed-out', seconds, step: null, tail: '' };
    if (execution instanceof BatchExecution) execution.fail(failure);
    else execution.giveUp(failure);
  }
}

const CLOSED: Failure = { reason: 'interrupted', detail: 'the run ended while a host executed it' };

const unanswered = ({ reason }: HeldJob): Failure => ({
  reason,
  detail: 'its host did not answer when it was told to stop it',
});

/** Resolves when the promise has settled, or after so long. */
async function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise.catch(() => undefined), late]);
  clearTimeout(timer);
}
