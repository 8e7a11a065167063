/** What a job in the queue is for, as the coordinator sees it. */
import { basename } from 'node:path';
import type { Assignment } from '../../../domain/assignment.ts';
import type { CancelReason, EngineMessage, ExecuteOptions } from '../../../domain/engine.ts';
import type { Failure } from '../../../domain/failure.ts';
import { failedOutcome, type Outcome } from '../../../domain/outcome.ts';
import { measured, startTimer } from '../../../os/stopwatch.ts';
import { type ExecutionReport, type Receipt, type RemoteMessage, reportOf } from '../protocol.ts';
import type { JobPlace } from './lease-store.ts';

/** Of a lease of which only its host is known. */
export const ANY_TOKEN = '';

export type Began = Extract<RemoteMessage, { type: 'began' }>;
/** What an execution says while it is executed. */

/** The longest that a timer of Node takes. */
const MOST_TIMER_MS = 2 ** 31 - 1;

/** A job, and how far it is known to be. */
export abstract class HeldJob {
  readonly place: JobPlace;
  readonly assignments: readonly Assignment[];
  /** Whether its id may be in Redis, so that it has to be removed. */
  wasAdded = false;
  /** Whether the job is known to be in its queue, or beyond. */
  isInQueue = false;
  /** Whether what its host answered is being taken. */
  isTaken = false;
  isOver = false;
  isCancelled: boolean;
  missingSince: ReturnType<typeof startTimer> | null = null;
  receipt: Receipt | null = null;
  body: readonly string[] = [];
  readonly signal: AbortSignal;
  #backstop: NodeJS.Timeout | undefined;

  constructor(place: JobPlace, assignments: readonly Assignment[], signal: AbortSignal) {
    this.place = place;
    this.assignments = assignments;
    this.signal = signal;
    this.isCancelled = signal.aborted;
  }

  /** The host that has begun it; null for none that has said so. */
  abstract get host(): string | null;

  /** Of what names it in a sentence. */
  get workstreamId(): string {
    return this.assignments[0]?.workstream.id ?? '';
  }

  get requires(): readonly string[] {
    return this.assignments[0]?.workstream.requires ?? [];
  }

  /** Whether the locks of other workstreams depend on that it ends with its lease. */
  get isStrict(): boolean {
    return this.assignments.some(isStrict);
  }

  get graceSeconds(): number {
    return Math.max(...this.assignments.map(({ limits }) => limits.graceSeconds));
  }

  /** Why its signal was aborted. */
  get reason(): CancelReason {
    return this.signal.reason === 'cancelled' ? 'cancelled' : 'interrupted';
  }

  /** Calls back after so many seconds; only the last that was set does. */
  startBackstop(seconds: number, then: () => void): void {
    clearTimeout(this.#backstop);
    if (!this.isOver) this.#backstop = setTimeout(then, Math.min(seconds * 1000, MOST_TIMER_MS));
  }

  clearBackstop(): void {
    clearTimeout(this.#backstop);
  }

  /** Ends it without anything that its host may still say. */
  abstract giveUp(failure: Failure): void;

  /** It has not been executed, or nothing of that counts. */
  settleInterrupted(): void {
    this.giveUp({ reason: this.reason, detail: 'no host had begun with it' });
  }
}

export const isStrict = ({ workstream: { conflictGroup, parallelOk, scopes } }: Assignment): boolean =>
  conflictGroup !== null || !parallelOk || scopes.length > 0;

/** Of the log file, without `.log`: distinct for each attempt, compensation and candidate. */
export const logNameOf = ({ logFile }: Pick<Assignment, 'logFile'>): string =>
  basename(logFile).replace(/\.log$/, '');

/** Whether somebody stopped it, be it this session, an earlier one, or a host that gave it back. */
export const wasStopped = ({ failure }: Outcome): boolean =>
  failure?.reason === 'interrupted' || failure?.reason === 'cancelled';

/** One execution on a host: which lease of its job counts, and its one outcome. */
export class JobExecution extends HeldJob {
  readonly assignment: Assignment;
  readonly outcome: Promise<Outcome>;
  repeats = 0;
  readonly #options: ExecuteOptions;
  readonly #begin = startTimer();
  /** Of the lease whose messages count. */
  #begun: Began | null = null;
  #resolve: (outcome: Outcome) => void = () => undefined;

  constructor(made: {
    place: JobPlace;
    assignment: Assignment;
    options: ExecuteOptions;
    begun: Began | null;
  }) {
    super(made.place, [made.assignment], made.options.signal);
    this.assignment = made.assignment;
    this.#options = made.options;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (made.begun !== null) this.begins(made.begun);
  }

  get host(): string | null {
    return this.#begun?.host ?? null;
  }

  get logName(): string {
    return logNameOf(this.assignment);
  }

  /** Returns whether this is the newest lease: messages of others do not count from now on. */
  begins(message: Began): boolean {
    if (this.isOver || (this.#begun !== null && this.#begun.lease > message.lease)) return false;
    this.#begun = message;
    this.#options.onMessage(begunMessage(message));
    return true;
  }

  report(message: Extract<RemoteMessage, { type: ExecutionReport['type'] }>): void {
    if (this.isOver || this.#begun === null) return;
    if (this.#begun.token === ANY_TOKEN) this.#begun = { ...this.#begun, token: message.token };
    if (message.token !== this.#begun.token) return;
    this.#options.onMessage(reportOf(message));
  }

  /** The first outcome counts. */
  settle(outcome: Outcome): void {
    this.isOver = true;
    this.clearBackstop();
    this.#resolve(outcome);
  }

  giveUp(failure: Failure): void {
    this.settle(this.failed(failure));
  }

  /** It is about to be added once more. */
  startAgain(): void {
    this.clearBackstop();
    this.isTaken = false;
    this.isInQueue = false;
    this.wasAdded = false;
    this.receipt = null;
    this.#begun = null;
  }

  failed(failure: Failure): Outcome {
    const executedBy =
      this.#begun === null
        ? null
        : { host: this.#begun.host, agentId: `${this.#begun.host}/${this.#begun.agent}` };
    const outcome = failedOutcome(failure, measured(this.#begin), null);
    return executedBy === null ? outcome : { ...outcome, executedBy };
  }
}

export const begunMessage = ({ host, agent, at }: Began): EngineMessage => ({
  type: 'began',
  agentId: `${host}/${agent}`,
  at,
});
