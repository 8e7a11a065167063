/** One execution on a host, as the coordinator sees it: which lease of its job counts, and its one outcome. */
import { basename } from 'node:path';
import type { Assignment } from '../../../domain/assignment.ts';
import type { ExecuteOptions } from '../../../domain/engine.ts';
import type { Failure } from '../../../domain/failure.ts';
import { failedOutcome, type Outcome } from '../../../domain/outcome.ts';
import { measured, startTimer } from '../../../os/stopwatch.ts';
import type { Receipt, RemoteMessage } from '../protocol.ts';
import type { JobPlace } from './lease-store.ts';

/** Of a lease of which only its host is known. */
export const ANY_TOKEN = '';

export type Began = Extract<RemoteMessage, { type: 'began' }>;

/** The longest that a timer of Node takes. */
const MOST_TIMER_MS = 2 ** 31 - 1;

export class JobExecution {
  readonly place: JobPlace;
  readonly assignment: Assignment;
  readonly outcome: Promise<Outcome>;
  /** Whether its id may be in Redis, so that it has to be removed. */
  wasAdded = false;
  /** Whether the job is known to be in its queue, or beyond. */
  isInQueue = false;
  /** Whether its outcome is being taken. */
  isTaken = false;
  isOver = false;
  isCancelled = false;
  repeats = 0;
  missingSince: ReturnType<typeof startTimer> | null = null;
  receipt: Receipt | null = null;
  body: readonly string[] = [];
  readonly #options: ExecuteOptions;
  readonly #begin = startTimer();
  /** Of the lease whose messages count. */
  #begun: Began | null = null;
  #backstop: NodeJS.Timeout | undefined;
  #resolve: (outcome: Outcome) => void = () => undefined;

  constructor(made: {
    place: JobPlace;
    assignment: Assignment;
    options: ExecuteOptions;
    begun: Began | null;
  }) {
    this.place = made.place;
    this.assignment = made.assignment;
    this.#options = made.options;
    this.isCancelled = made.options.signal.aborted;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (made.begun !== null) this.begins(made.begun);
  }

  get logName(): string {
    return basename(this.assignment.logFile).replace(/\.log$/, '');
  }

  /** Why its signal was aborted. */
  get reason(): 'interrupted' | 'cancelled' {
    return this.#options.signal.reason === 'cancelled' ? 'cancelled' : 'interrupted';
  }

  /** Returns whether this is the newest lease: messages of others do not count from now on. */
  begins(message: Began): boolean {
    if (this.isOver || (this.#begun !== null && this.#begun.lease > message.lease)) return false;
    this.#begun = message;
    this.#options.onMessage({ type: 'began', agentId: `${message.host}/${message.agent}`, at: message.at });
    return true;
  }

  report(message: Exclude<RemoteMessage, { type: 'began' | 'notice' }>): void {
    if (this.isOver || this.#begun === null) return;
    if (this.#begun.token === ANY_TOKEN) this.#begun = { ...this.#begun, token: message.token };
    if (message.token !== this.#begun.token) return;
    switch (message.type) {
      case 'progress':
        return this.#options.onMessage({ type: 'progress', fraction: message.fraction, text: message.text });
      case 'log':
        return this.#options.onMessage({ type: 'log', line: message.line });
      case 'replaced':
        return this.#options.onMessage({ type: 'replaced', why: message.why });
    }
  }

  /** Calls back after so many seconds; only the last that was set does. */
  startBackstop(seconds: number, then: () => void): void {
    clearTimeout(this.#backstop);
    if (!this.isOver) this.#backstop = setTimeout(then, Math.min(seconds * 1000, MOST_TIMER_MS));
  }

  /** The first outcome counts. */
  settle(outcome: Outcome): void {
    this.isOver = true;
    clearTimeout(this.#backstop);
    this.#resolve(outcome);
  }

  /** It has not been executed, or nothing of that counts. */
  settleInterrupted(): void {
    this.settle(this.failed({ reason: this.reason, detail: 'no host had begun with it' }));
  }

  /** It is about to be added once more. */
  startAgain(): void {
    clearTimeout(this.#backstop);
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
