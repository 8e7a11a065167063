/** An engine whose executions end when, and as, a test says. */
import type { Assignment } from '../../src/domain/assignment.ts';
import type { BatchOptions, BatchOutcome, Engine, ExecuteOptions } from '../../src/domain/engine.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { failedOutcome, type Outcome } from '../../src/domain/outcome.ts';

/** An execution that has not ended. */
export interface OpenExecution {
  assignment: Assignment;
  /** Whether it waits behind another one of its agent and may be returned. */
  readonly queued: boolean;
  /** Stops it, and all that was given at once. */
  readonly signal: AbortSignal;
  end(outcome: Outcome): void;
  /** As the engine's own fault; with it go all that were given at once. */
  reject(error: Error): void;
  /** Only of one that is queued. */
  returnUnstarted(): void;
}

/** Keeps what it is given open. An agent executes what it has in the order in which it got it. */
export class ScriptedEngine implements Engine {
  readonly #open: Member[] = [];
  readonly #onStart: (assignment: Assignment) => void;
  closed = false;

  constructor(onStart: (assignment: Assignment) => void) {
    this.#onStart = onStart;
  }

  async execute(assignment: Assignment, { signal }: ExecuteOptions): Promise<Outcome> {
    let outcome: Outcome | undefined;
    const single = { signal, onOutcomes: ([only]: readonly BatchOutcome[]) => (outcome = only?.outcome) };
    await this.#take([assignment], single, false);
    if (outcome === undefined) throw new Error('what may not be returned was returned');
    return outcome;
  }

  executeBatch(assignments: readonly Assignment[], options: BatchOptions): Promise<readonly number[]> {
    return this.#take(assignments, options, true);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** All of them, in the order in which they were given. */
  get open(): readonly OpenExecution[] {
    return this.#open;
  }

  /** Those that may end now: the first of each agent. */
  get first(): OpenExecution[] {
    return this.#open.filter((member) => this.#isFirst(member));
  }

  /** Those that were given to an agent together with this one and come after it. */
  behind(execution: OpenExecution): OpenExecution[] {
    const at = this.#open.findIndex((member) => member === execution);
    return this.#open.slice(at + 1).filter(({ batch }) => batch === this.#open[at]?.batch);
  }

  /** Ends executions that were given together; their outcomes arrive at once. */
  endTogether(ends: readonly { execution: OpenExecution; outcome: Outcome }[]): void {
    const batches = new Set<Batch>();
    for (const { execution, outcome } of ends) {
      const member = this.#open.find((other) => other === execution);
      if (member === undefined) throw new Error('it is not open');
      member.collect(outcome);
      batches.add(member.batch);
    }
    if (batches.size > 1) throw new Error('they are not of one batch');
    for (const batch of batches) batch.deliver();
  }

  #isFirst(member: Member): boolean {
    const { agentId } = member.assignment;
    return this.#open.find((other) => other.assignment.agentId === agentId) === member;
  }

  #take(
    assignments: readonly Assignment[],
    options: Pick<BatchOptions, 'signal' | 'onOutcomes' | 'onReturned' | 'stops'>,
    mayReturn: boolean,
  ): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      const batch = new Batch(assignments.length, options, resolve);
      const isQueued = (member: Member): boolean => mayReturn && !this.#isFirst(member);
      const leave = (member: Member): void => void this.#open.splice(this.#open.indexOf(member), 1);
      for (const [index, assignment] of assignments.entries()) {
        this.#onStart(assignment);
        this.#open.push(new Member({ assignment, index, batch, isQueued, leave }));
      }
      options.stops?.listen((index) => {
        this.#open.find((member) => member.batch === batch && member.index === index)?.stop();
      });
      batch.fail = (error) => {
        for (const member of this.#open.filter((other) => other.batch === batch)) leave(member);
        reject(error);
      };
    });
  }
}

/** What an agent was given at once. */
class Batch {
  readonly signal: AbortSignal;
  readonly #onOutcomes: BatchOptions['onOutcomes'];
  readonly #onReturned: BatchOptions['onReturned'];
  readonly #resolve: (returned: readonly number[]) => void;
  readonly #returned: number[] = [];
  #outcomes: BatchOutcome[] = [];
  #left: number;
  fail: (error: Error) => void = () => undefined;

  constructor(
    size: number,
    { signal, onOutcomes, onReturned }: Pick<BatchOptions, 'signal' | 'onOutcomes' | 'onReturned'>,
    resolve: (returned: readonly number[]) => void,
  ) {
    this.signal = signal;
    this.#onOutcomes = onOutcomes;
    this.#onReturned = onReturned;
    this.#resolve = resolve;
    this.#left = size;
  }

  collect(outcome: BatchOutcome): void {
    this.#outcomes.push(outcome);
  }

  deliver(): void {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    this.#onOutcomes(outcomes);
    this.#leave(outcomes.length);
  }

  giveBack(index: number): void {
    this.#returned.push(index);
    if (this.#left > 1) this.#onReturned?.([index]);
    this.#leave(1);
  }

  #leave(count: number): void {
    this.#left -= count;
    if (this.#left === 0) this.#resolve(this.#returned);
  }
}

interface MemberParts {
  assignment: Assignment;
  /** Its position in the batch. */
  index: number;
  batch: Batch;
  isQueued: (member: Member) => boolean;
  leave: (member: Member) => void;
}

class Member implements OpenExecution {
  readonly #parts: MemberParts;
  #isStopped = false;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  get assignment(): Assignment {
    return this.#parts.assignment;
  }

  get batch(): Batch {
    return this.#parts.batch;
  }

  get index(): number {
    return this.#parts.index;
  }

  get signal(): AbortSignal {
    return this.batch.signal;
  }

  get queued(): boolean {
    return this.#parts.isQueued(this);
  }

  /** What is queued is returned. */
  stop(): void {
    this.#isStopped = true;
    if (this.queued) this.returnUnstarted();
  }

  /** Ends it; the outcome arrives with `deliver`. */
  collect(outcome: Outcome): void {
    const { index, batch, leave } = this.#parts;
    leave(this);
    // What ends it once the run is interrupted need not be what it ended with.
    const isStopped = (batch.signal.aborted || this.#isStopped) && outcome.failure !== null;
    batch.collect({ index, outcome: isStopped ? failed(STOPPED) : outcome });
  }

  end(outcome: Outcome): void {
    this.collect(outcome);
    this.batch.deliver();
  }

  reject(error: Error): void {
    this.batch.fail(error);
  }

  returnUnstarted(): void {
    if (!this.queued) throw new Error('only what is queued is returned');
    this.#parts.leave(this);
    this.batch.giveBack(this.#parts.index);
  }
}

const STOPPED: Failure = { reason: 'cancelled', detail: 'it was stopped' };

/** @param durationSeconds 0.00001 is tiny. Default: 1. */
export function completed(durationSeconds = 1, changes: Partial<Outcome> = {}): Outcome {
  return { ...failed(STOPPED, durationSeconds), status: 'completed', failure: null, ...changes };
}

export function failed(failure: Failure, durationSeconds = 1): Outcome {
  const startedAt = 1_700_000_000_000;
  const span = { startedAt, endedAt: startedAt + durationSeconds * 1000, durationSeconds };
  return failedOutcome(failure, span, null);
}
