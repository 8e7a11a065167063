/**
 * Tiny assignments that are one job: executed by one agent of a host, one after the other, with one lease. Whatever
 * happens to the job, each member has one outcome or is returned.
 */
import type { Assignment } from '../../../domain/assignment.ts';
import type { BatchOptions, BatchOutcome } from '../../../domain/engine.ts';
import type { Failure } from '../../../domain/failure.ts';
import { failedOutcome, type Outcome } from '../../../domain/outcome.ts';
import { measured, startTimer } from '../../../os/stopwatch.ts';
import { type RemoteMessage, reportOf } from '../protocol.ts';
import { begunMessage, HeldJob, type JobExecution, wasStopped } from './job-execution.ts';
import type { JobPlace } from './lease-store.ts';

export type BatchListeners = Pick<BatchOptions, 'signal' | 'onMessage' | 'onOutcomes' | 'onReturned'>;

/** What one job is for. */
export type QueuedExecution = JobExecution | BatchExecution;

export class BatchExecution extends HeldJob {
  /** Resolves, when each of the others has its outcome, with the positions of the members that were returned. */
  readonly returned: Promise<number[]>;
  readonly #listeners: BatchListeners;
  readonly #begin = startTimer();
  /** Positions of the members that have neither an outcome nor were returned. */
  readonly #open: Set<number>;
  readonly #returned: number[] = [];
  /** Members that take long enough that their host says so. */
  readonly #begun = new Set<number>();
  /** Members that are told to stop. */
  readonly #stopped = new Set<number>();
  /** Of the lease with which it is executed: there is only one. */
  #token: string | null = null;
  #host: string | null = null;
  #resolve: (returned: number[]) => void = () => undefined;

  constructor(place: JobPlace, assignments: readonly Assignment[], listeners: BatchListeners) {
    super(place, assignments, listeners.signal);
    this.#listeners = listeners;
    this.#open = new Set(assignments.keys());
    this.returned = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Known once one of its members takes long. */
  get host(): string | null {
    return this.#host;
  }

  get stopped(): ReadonlySet<number> {
    return this.#stopped;
  }

  /** Returns whether it is to be stopped: not where it has ended. */
  stop(position: number): boolean {
    if (!this.#open.has(position)) return false;
    this.#stopped.add(position);
    return true;
  }

  /** Returns the limit of the member that began, in seconds; null for a message of another kind. */
  report(message: RemoteMessage): number | null {
    this.#token ??= message.token;
    if (this.isOver || message.token !== this.#token || message.type === 'notice') return null;
    if (message.type === 'returned') {
      this.#giveBack(message.members);
      return null;
    }
    const { member = 0 } = message;
    const assignment = this.assignments[member];
    if (assignment === undefined || !this.#open.has(member)) return null;
    if (message.type !== 'began') {
      this.#listeners.onMessage(member, reportOf(message));
      return null;
    }
    this.#begun.add(member);
    this.#host = message.host;
    this.#listeners.onMessage(member, begunMessage(message));
    return assignment.limits.timeoutSeconds + assignment.limits.graceSeconds;
  }

  /**
   * Ends it with what its host answered. What was interrupted, and was not to be, is returned like what was not begun.
   * @param outcomes by position; null for a member that was not begun.
   */
  settle(outcomes: readonly (Outcome | null)[]): void {
    const ended: BatchOutcome[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === null || !this.#open.has(index) || this.#isStale(index, outcome)) continue;
      this.#open.delete(index);
      ended.push({ index, outcome });
    }
    if (ended.length > 0) this.#listeners.onOutcomes(ended);
    this.#end();
  }

  /** Returns what has no outcome. */
  giveUp(): void {
    this.#end();
  }

  /** Its host neither ends nor answers: what it had said to have begun has failed. */
  fail(failure: Failure): void {
    const failed = failedOutcome(failure, measured(this.#begin), null);
    this.settle([...this.assignments.keys()].map((member) => (this.#begun.has(member) ? failed : null)));
  }

  /** Ends all members that have not ended, with one failure. */
  failAll(failure: Failure): void {
    const failed = failedOutcome(failure, measured(this.#begin), null);
    this.settle(this.assignments.map(() => failed));
  }

  #isStale(member: number, outcome: Outcome): boolean {
    return wasStopped(outcome) && !this.isCancelled && !this.#stopped.has(member);
  }

  /** While others are still executed. */
  #giveBack(members: readonly number[]): void {
    const given = members.filter((member) => this.#open.delete(member));
    this.#returned.push(...given);
    if (this.#open.size === 0) this.#end();
    else if (given.length > 0) this.#listeners.onReturned?.(given);
  }

  #end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.clearBackstop();
    this.#returned.push(...this.#open);
    this.#open.clear();
    this.#resolve(this.#returned.toSorted((one, other) => one - other));
  }
}
