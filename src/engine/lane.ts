import type { Assignment } from '../domain/assignment.ts';
import {
  CLAIM,
  type BatchItem,
  type AssignmentBatch as LotMessage,
  type EngineRunOptions,
} from '../domain/engine.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ActiveExecution } from './active-execution.ts';

/** How long something may be lined up behind what an agent has in hand, in milliseconds. */
const WAIT_MS = 20;

/**
 * What one agent has in hand and what is lined up behind it. What is lined up goes to the agent's thread in one lot
 * as soon as the lot before has ended, so that the thread waits for the main thread once a lot and not once an
 * assignment. What a thread has not begun in time is given back.
 */
export class Lane {
  readonly #start: (orders: QueuedAssignment[]) => Promise<void>;
  #waiting: QueuedAssignment[] = [];
  #inHand = 0;
  #lot: Batch | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @param start hands orders to a thread; resolves when all of them have ended. Never rejects. */
  constructor(start: (orders: QueuedAssignment[], onLot: (lot: Batch) => void) => Promise<void>) {
    this.#start = (orders) => start(orders, (lot) => this.#handed(lot));
  }

  /** Starts it now. */
  async begin(orders: QueuedAssignment[]): Promise<void> {
    this.#inHand += 1;
    await this.#start(orders);
    this.#inHand -= 1;
    this.#stopClock();
    this.#lot = null;
    const next = this.#waiting;
    this.#waiting = [];
    if (next.length > 0) void this.begin(next);
  }

  /** Starts it when nothing is in hand, or lines it up. */
  add(order: QueuedAssignment): void {
    if (this.#inHand === 0) void this.begin([order]);
    else {
      this.#waiting.push(order);
      this.#startClock();
    }
  }

  #handed(lot: Batch): void {
    this.#lot = lot;
    if (lot.executionIds.length > 1) this.#startClock();
  }

  #startClock(): void {
    this.#timer ??= setTimeout(() => this.#giveBack(), WAIT_MS);
  }

  #stopClock(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #giveBack(): void {
    this.#timer = null;
    this.#lot?.takeBack();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { giveBack } of waiting) giveBack?.();
  }
}

/** Assignments that a thread has been given at once. */

/** An assignment on its way to a thread. */
export interface QueuedAssignment {
  assignment: Assignment;
  options: EngineRunOptions;
  settle(outcome: Outcome): void;
  /** Says that it was not begun and never will be; null where that may not be. */
  giveBack: (() => void) | null;
  /** How many threads have ended that had it and had not begun it. */
  endedThreads: number;
}

/** So many threads in a row don't end for what an earlier workstream left in them. */
const MAX_ENDED_THREADS = 3;

interface Member {
  order: QueuedAssignment;
  execution: ActiveExecution;
}

/**
 * A thread works through a lot in its order. Whether it has begun a member is known at every moment, also after its
 * death, because it claims each in shared memory before.
 */
export class Batch {
  /** Aborted to end the thread. */
  readonly terminate: AbortController;
  readonly message: LotMessage;
  /** Of all that were added, in order. */
  readonly executionIds: number[] = [];
  /** What has no outcome yet, in order. */
  readonly #open = new Map<number, Member>();
  #onSettled: () => void = () => undefined;

  constructor(terminate: AbortController) {
    this.terminate = terminate;
    this.message = { handed: [], claims: new Int32Array(0) };
  }

  /** All members are added before it is handed to a thread. */
  add(order: QueuedAssignment, execution: ActiveExecution, handed: BatchItem): void {
    this.message.handed.push(JSON.stringify(handed));
    this.executionIds.push(handed.assignment.executionId);
    this.#open.set(handed.assignment.executionId, { order, execution });
  }

  /** No more are added: makes the memory that is shared. */
  seal(): void {
    const { length } = this.message.handed;
    this.message.claims = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
  }

  /** Those without an outcome. */
  get open(): ActiveExecution[] {
    return [...this.#open.values()].map(({ execution }) => execution);
  }

  /** Ends a member with what came of it. */
  settle(executionId: number, outcome: Outcome): void {
    const member = this.#open.get(executionId);
    if (member === undefined) return;
    member.execution.close();
    this.#open.delete(executionId);
    member.order.settle(member.execution.judge(outcome));
    this.#onSettled();
  }

  /** Takes back what the thread has not begun and may be given back. */
  takeBack(): void {
    for (const [index, executionId] of this.executionIds.entries()) {
      const member = this.#open.get(executionId);
      if (member === undefined || member.order.giveBack === null) continue;
      if (this.#take(index, executionId, member)) member.order.giveBack();
    }
  }

  /** Takes back what a thread that has ended had not begun and may not be given back: another one is to have it. */
  takeUnbegun(): QueuedAssignment[] {
    const orders: QueuedAssignment[] = [];
    for (const [index, executionId] of this.executionIds.entries()) {
      const member = this.#open.get(executionId);
      // One that was told to stop, or has waited too long, has its verdict.
      if (member === undefined || member.execution.verdict !== null) continue;
      const { order } = member;
      if (order.options.signal.aborted || order.endedThreads >= MAX_ENDED_THREADS) continue;
      if (!this.#take(index, executionId, member)) continue;
      order.endedThreads += 1;
      orders.push(order);
    }
    return orders;
  }

  /** Whether it was not begun, and now never will be by this lot's thread. */
  #take(index: number, executionId: number, { execution }: Member): boolean {
    const had = Atomics.compareExchange(this.message.claims, index, CLAIM.open, CLAIM.takenBack);
    if (had !== CLAIM.open) return false;
    execution.close();
    this.#open.delete(executionId);
    return true;
  }

  /** Resolves when all have an outcome, or after this many milliseconds. */
  async settled(milliseconds: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#onSettled = () => {
        if (this.#open.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
