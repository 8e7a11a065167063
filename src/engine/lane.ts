import type { Assignment } from '../domain/assignment.ts';
import { type AssignmentBatch, type BatchItem, CLAIM } from '../domain/assignment-batch.ts';
import type { ExecuteOptions } from '../domain/engine.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ActiveExecution } from './active-execution.ts';

/** How long an assignment may be queued behind what an agent executes, in milliseconds. */
const WAIT_MS = 20;

/**
 * The active batch of one agent and what is queued behind it. What is queued goes to the agent's thread in one batch as
 * soon as the batch before has ended, so that the thread waits for the main thread once a batch and not once an
 * assignment. What a thread has not started in time is returned.
 */
export class Lane {
  readonly #start: (assignments: QueuedAssignment[]) => Promise<void>;
  #waiting: QueuedAssignment[] = [];
  #active = 0;
  #batch: Batch | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @param start passes a batch to a thread; resolves when all of it has ended. Never rejects. */
  constructor(start: (assignments: QueuedAssignment[], onBatch: (batch: Batch) => void) => Promise<void>) {
    this.#start = (assignments) => start(assignments, (batch) => this.#started(batch));
  }

  /** Starts it now. */
  async start(assignments: QueuedAssignment[]): Promise<void> {
    this.#active += 1;
    await this.#start(assignments);
    this.#active -= 1;
    this.#stopClock();
    this.#batch = null;
    const next = this.#waiting;
    this.#waiting = [];
    if (next.length > 0) void this.start(next);
  }

  /** Starts it when nothing is active, or queues it. */
  add(queued: QueuedAssignment): void {
    if (this.#active === 0) void this.start([queued]);
    else {
      this.#waiting.push(queued);
      this.#startClock();
    }
  }

  #started(batch: Batch): void {
    this.#batch = batch;
    if (batch.executionIds.length > 1) this.#startClock();
  }

  #startClock(): void {
    this.#timer ??= setTimeout(() => this.#returnQueued(), WAIT_MS);
  }

  #stopClock(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #returnQueued(): void {
    this.#timer = null;
    this.#batch?.takeBack();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { returnUnstarted } of waiting) returnUnstarted?.();
  }
}

/** An assignment on its way to a thread. */
export interface QueuedAssignment {
  assignment: Assignment;
  options: ExecuteOptions;
  settle(outcome: Outcome): void;
  /** Called when it was not started and never will be; null where that may not happen. */
  returnUnstarted: (() => void) | null;
  /** Number of threads that have ended with it and had not started it. */
  endedThreads: number;
}

/** So many threads in a row don't end for what an earlier workstream left in them. */
const MAX_ENDED_THREADS = 3;

interface Member {
  queued: QueuedAssignment;
  execution: ActiveExecution;
}

/**
 * A thread works through a batch in its order. Whether it has started a member is known at every moment, also after its
 * death, because it claims each in shared memory before.
 */
export class Batch {
  /** Aborted to end the thread. */
  readonly terminate: AbortController;
  readonly message: AssignmentBatch;
  /** Of all that were added, in order. */
  readonly executionIds: number[] = [];
  /** What has no outcome yet, in order. */
  readonly #open = new Map<number, Member>();
  #onSettled: () => void = () => undefined;

  constructor(terminate: AbortController) {
    this.terminate = terminate;
    this.message = { items: [], claims: new Int32Array(0) };
  }

  /** All members are added before it is passed to a thread. */
  add(queued: QueuedAssignment, execution: ActiveExecution, item: BatchItem): void {
    this.message.items.push(JSON.stringify(item));
    this.executionIds.push(item.assignment.executionId);
    this.#open.set(item.assignment.executionId, { queued, execution });
  }

  /** No more are added: makes the memory that is shared. */
  seal(): void {
    const { length } = this.message.items;
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
    member.queued.settle(member.execution.judge(outcome));
    this.#onSettled();
  }

  /** Takes back what the thread has not started and may be returned to the caller. */
  takeBack(): void {
    for (const [index, executionId] of this.executionIds.entries()) {
      const member = this.#open.get(executionId);
      if (member === undefined || member.queued.returnUnstarted === null) continue;
      if (this.#take(index, executionId, member)) member.queued.returnUnstarted();
    }
  }

  /** Takes back what an ended thread had not started and may not be returned to the caller: it is for another thread. */
  takeUnstarted(): QueuedAssignment[] {
    const assignments: QueuedAssignment[] = [];
    for (const [index, executionId] of this.executionIds.entries()) {
      const member = this.#open.get(executionId);
      // One that was cancelled, or has waited too long, has its verdict.
      if (member === undefined || member.execution.verdict !== null) continue;
      const { queued } = member;
      if (queued.options.signal.aborted || queued.endedThreads >= MAX_ENDED_THREADS) continue;
      if (!this.#take(index, executionId, member)) continue;
      queued.endedThreads += 1;
      assignments.push(queued);
    }
    return assignments;
  }

  /** Whether it was not started, and now never will be by this batch's thread. */
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
