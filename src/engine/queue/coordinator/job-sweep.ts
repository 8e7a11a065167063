/**
 * Acts on what jobs are found to be in Redis. What hosts publish is a hint: every `SWEEP_MS` the jobs themselves are
 * looked at, so that nothing depends on a message that was lost. An outcome is taken when the stream of messages has been
 * read up to what its host sent before.
 */
import type { Failure } from '../../../domain/failure.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import { measured, startTimer } from '../../../os/stopwatch.ts';
import { STALLED } from '../protocol.ts';
import { BatchExecution, type QueuedExecution } from './batch-execution.ts';
import type { Batches } from './batches.ts';
import type { HostWatch } from './host-watch.ts';
import { type JobExecution, wasStopped } from './job-execution.ts';
import type { JobState, LeaseStore } from './lease-store.ts';
import { notTaken, type ReceiptReader, RefusedReceipt } from './receipt-reader.ts';
import type { RunSource } from './source.ts';
import type { TakenJobs } from './taken-jobs.ts';

const SWEEP_MS = 2_000;
/** After how many sweeps the times to live in Redis are renewed. */
const SWEEPS_TO_KEEP = 30;
/** Of outcomes that say it was interrupted, although nothing here interrupts it. */
const MOST_REPEATS = 5;

export interface JobSweepParts {
  leases: LeaseStore;
  hosts: HostWatch;
  source: RunSource;
  receipts: ReceiptReader;
  taken: TakenJobs;
  batches: Batches;
  /** Of Redis, in milliseconds since 1970. */
  now: () => Promise<number>;
  /** Told to a person. */
  notify: (text: string, workstreamId: string | null) => void;
  /** Aborted when the engine is closed. */
  closing: AbortSignal;
  /** What is in hand. */
  executions: () => Iterable<QueuedExecution>;
  /** Puts a job that Redis does not have into its queue. */
  add: (execution: QueuedExecution) => Promise<void>;
  /** Resolves when the messages were read up to this one. */
  reached: (messageId: string | null) => Promise<void>;
}

export class JobSweep {
  readonly #parts: JobSweepParts;
  #timer: NodeJS.Timeout | null = null;
  #sweeps = 0;
  #isSweeping = false;

  constructor(parts: JobSweepParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Acts on what is stored of jobs, in one round trip. */
  async look(executions: readonly QueuedExecution[]): Promise<void> {
    try {
      const states = await this.#parts.leases.states(executions.map(({ place }) => place));
      for (const [index, execution] of executions.entries()) {
        const state = states[index];
        // What Redis refuses now is looked at by the next sweep.
        if (state !== undefined) void this.check(execution, state).catch(() => undefined);
      }
    } catch {
      // Redis is away: the next sweep looks again.
    }
  }

  /** Acts on what a job is found to be. */
  async check(execution: QueuedExecution, state: JobState): Promise<void> {
    if (execution.isOver || execution.isTaken) return;
    execution.isInQueue = true;
    const { hosts, leases, batches } = this.#parts;
    const { requires } = execution;
    switch (state.state) {
      case 'active':
        return;
      case 'waiting':
        if (hosts.hasGivenUp(requires) && (await leases.remove(execution.place))) {
          execution.wasAdded = false;
          execution.giveUp(hosts.noWorker(requires));
        }
        return;
      case 'missing':
        return this.#missing(execution);
      case 'failed':
        execution.isTaken = true;
        if (execution instanceof BatchExecution)
          batches.keepApart(execution.assignments, STALLED.test(state.why));
        return execution.giveUp(refusal(state.why));
      case 'completed':
        execution.isTaken = true;
        if (execution instanceof BatchExecution) return this.#takeBatch(execution, state.returned);
        return this.#take(execution, state.returned);
    }
  }

  async #sweep(): Promise<void> {
    if (this.#isSweeping || this.#parts.closing.aborted) return;
    this.#isSweeping = true;
    try {
      await this.look(
        [...this.#parts.executions()].filter(({ isInQueue, wasAdded }) => isInQueue || wasAdded),
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

  /**
   * Redis has lost it, as by FLUSHALL or a restart without persistence. A host that had it learns that when it renews its
   * lease, and stops: only then may another one get it.
   */
  async #missing(execution: QueuedExecution): Promise<void> {
    if (execution.isCancelled) return execution.settleInterrupted();
    execution.missingSince ??= startTimer();
    const { hosts, notify, add } = this.#parts;
    if (measured(execution.missingSince).durationSeconds * 1000 < hosts.leaseMs) return;
    if (execution instanceof BatchExecution) return execution.giveUp();
    const id = execution.workstreamId;
    notify(
      `${id} is not in the queue any more, as after a restart of Redis without persistence: it is added again.`,
      id,
    );
    execution.isInQueue = false;
    execution.wasAdded = false;
    await this.#keepAlive();
    await add(execution);
  }

  async #take(execution: JobExecution, returned: string): Promise<void> {
    try {
      const [outcome = null] = await this.#outcomes(execution, returned);
      if (outcome === null) throw new RefusedReceipt('it has no outcome');
      if (this.#isStale(execution, outcome)) return await this.#repeat(execution);
      execution.settle(outcome);
    } catch (error) {
      execution.settle(execution.failed(notTaken(error)));
    }
  }

  async #takeBatch(execution: BatchExecution, returned: string): Promise<void> {
    try {
      execution.settle(await this.#outcomes(execution, returned));
    } catch (error) {
      execution.failAll(notTaken(error));
    }
  }

  /** @throws what `ReceiptReader` throws */
  async #outcomes(execution: QueuedExecution, returned: string): Promise<(Outcome | null)[]> {
    const { receipts, reached } = this.#parts;
    const receipt = receipts.open(execution.place.job, returned);
    await reached(receipt.lastMessageId);
    const outcomes = await receipts.outcomes(receipt, execution.assignments);
    execution.receipt = receipt;
    return outcomes;
  }

  /** An earlier session, or a host that gave it back, interrupted it, and this one did not. */
  #isStale({ isCancelled, repeats }: JobExecution, outcome: Outcome): boolean {
    return wasStopped(outcome) && !isCancelled && repeats < MOST_REPEATS && !this.#parts.closing.aborted;
  }

  async #repeat(execution: JobExecution): Promise<void> {
    execution.repeats += 1;
    await this.#parts.taken.remove(execution);
    execution.startAgain();
    await this.#parts.add(execution);
  }
}

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
