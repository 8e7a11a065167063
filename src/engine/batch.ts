/** A batch of assignments in the thread of an agent, as the main thread sees it. */
import { randomUUID } from 'node:crypto';
import type { Assignment } from '../domain/assignment.ts';
import { BatchMemory, type OutcomeExtras, STATE } from '../domain/batch/batch-memory.ts';
import { type AssignmentBatch, type BatchText, BatchWriter, memberMark } from '../domain/batch/batch-text.ts';
import type { Bell } from '../domain/batch/bell.ts';
import type { BatchOptions, BatchOutcome, StopCause } from '../domain/engine.ts';
import type { Failure } from '../domain/failure.ts';
import { failedOutcome, internalError, isOutput, type Outcome, outcomeSchema } from '../domain/outcome.ts';
import { runMark } from '../os/owned-processes.ts';
import { fromSharedClock, startTimer } from '../os/stopwatch.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { ActiveExecution } from './active-execution.ts';
import { lostOutcome } from './crash.ts';
import { WAIT_MS } from './lane.ts';

export interface BatchRequest {
  /** With absolute paths. */
  assignments: readonly Assignment[];
  options: BatchOptions;
  /** Whether members may be returned that were not begun soon. Then those that are a mere call take the short way, too. */
  mayReturn: boolean;
  /** Whether the first one is begun all the same: its agent has nothing else to do. */
  keepsFirst: boolean;
}

/** What a batch needs of its engine. */
export interface BatchHost {
  /** Applied to what comes through shared memory. */
  redactor: Redactor;
  /** By which its thread is told that a member is to stop. */
  bell: Bell;
}

/** The failure of an execution of which the last message, or the output, is not what an agent sends. */
export const UNREADABLE: Failure = {
  reason: 'invalid-result',
  detail: 'what its thread answered could not be read',
};

let batches = 0;

/**
 * Costs no object for each member that lives as long as the batch: shared memory says how far it is. Only a member that
 * takes long, sends a message or must be stopped becomes an `ActiveExecution`.
 */
export class Batch {
  readonly message: AssignmentBatch;
  /** Aborted to end the thread. */
  readonly terminate = new AbortController();
  /** Indices of the members that were returned. */
  readonly returned: number[] = [];
  readonly #request: BatchRequest;
  readonly #host: BatchHost;
  readonly #memory: BatchMemory;
  readonly #executions = new Map<number, ActiveExecution>();
  /** Number of members that have neither an outcome nor were returned. */
  #open: number;
  /** Up to where results were taken that are known to be final. */
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;
  #onSettled: () => void = () => undefined;
  readonly #onAbort = (): void => this.#takeStock();

  /**
   * Members that can't be sent have ended by that.
   * @param typeScript those of their modules that are, or import, TypeScript.
   */
  constructor(request: BatchRequest, typeScript: readonly string[], host: BatchHost) {
    const { assignments, mayReturn } = request;
    const [base] = assignments;
    if (base === undefined) throw new RangeError('a batch has at least one member');
    batches += 1;
    this.#request = request;
    this.#host = host;
    this.#memory = BatchMemory.of(assignments.length);
    this.#open = assignments.length;
    this.message = {
      id: batches,
      ...this.#write(new BatchWriter(base, mayReturn)),
      mark: `${runMark(base.runId)}${randomUUID()}`,
      typeScript,
      memory: this.#memory.views,
    };
  }

  #write(writer: BatchWriter): BatchText {
    for (const [index, assignment] of this.#request.assignments.entries()) {
      try {
        writer.add(assignment);
      } catch (error) {
        writer.addEnded();
        this.close(index, lostOutcome(internalError(error), startTimer(), assignment.logFile));
      }
    }
    return writer.text;
  }

  /** Starts the clock of the batch. Called when it is passed to its thread. */
  start(): void {
    const { mayReturn, options } = this.#request;
    if (!mayReturn) return void this.#executionOf(0);
    this.#timer = setTimeout(() => this.#takeStock(), WAIT_MS);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#takeStock();
    options.stops?.listen((index) => this.#stopMember(index));
    return undefined;
  }

  /** One that has ended has its outcome. */
  #stopMember(index: number): void {
    if (this.#memory.changeState(index, STATE.open, STATE.takenBack)) {
      this.#giveBack(index);
      if (this.#open > 0) this.#request.options.onReturned?.([index]);
    } else if (this.#memory.stateOf(index) === STATE.begun) this.#executionOf(index).cancel('cancelled');
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#request.options.signal.removeEventListener('abort', this.#onAbort);
  }

  get isOpen(): boolean {
    return this.#open > 0;
  }

  /** Those that have become active, and have no outcome yet. */
  get active(): Iterable<ActiveExecution> {
    return this.#executions.values();
  }

  /** The member of an execution; null for one that is not of this batch, or has ended. */
  find(executionId: number): number | null {
    const index = this.#request.assignments.findIndex((assignment) => assignment.executionId === executionId);
    return index === -1 || !this.#isOpen(index) ? null : index;
  }

  /** The execution of this id; null for one that is not of this batch, or has ended. */
  executionFor(executionId: number): ActiveExecution | null {
    const index = this.find(executionId);
    return index === null ? null : this.#executionOf(index);
  }

  /** Those that have neither an outcome nor were returned, each an execution. */
  get unanswered(): [index: number, execution: ActiveExecution][] {
    const open = [...this.#request.assignments.keys()].filter((index) => this.#isOpen(index));
    return open.map((index) => [index, this.#executionOf(index)]);
  }

  /** Ends the thread because of an execution that it does not get to. */
  fail(failure: Failure): void {
    const [first] = this.unanswered;
    if (first !== undefined) first[1].verdict = failure;
    this.terminate.abort();
  }

  #isOpen(index: number): boolean {
    const state = this.#memory.stateOf(index);
    return state !== STATE.taken && state !== STATE.takenBack;
  }

  #assignment(index: number): Assignment {
    const assignment = this.#request.assignments[index];
    if (assignment === undefined) throw new RangeError(`the batch has no member ${index}`);
    return assignment;
  }

  /** The execution of a member that has not ended. It is there from now on. */
  #executionOf(index: number): ActiveExecution {
    const known = this.#executions.get(index);
    if (known !== undefined) return known;
    const { signal, onMessage } = this.#request.options;
    const { startedAt, clock } = this.#memory.readStart(index);
    const hasBegun = (): boolean => this.#memory.stateOf(index) !== STATE.open;
    const execution = new ActiveExecution(
      this.#assignment(index),
      { signal, onMessage: (message) => onMessage(index, message) },
      ({ because }) => this.#tellToStop(index, because),
      {
        terminate: this.terminate,
        mark: memberMark(this.message.mark, index),
        hasBegun,
        begin: hasBegun() ? { at: startedAt, clock: fromSharedClock(clock) } : startTimer(),
      },
    );
    this.#executions.set(index, execution);
    return execution;
  }

  #tellToStop(index: number, because: StopCause): void {
    this.#memory.cancel(index, because);
    this.#host.bell.ring();
  }

  /** Takes the results that are known to be final. */
  collect(): void {
    const from = this.#taken;
    this.#taken = Math.max(from, this.#memory.ended);
    this.#takeResults(from, this.#taken);
  }

  #takeResults(from: number, end: number): void {
    const outcomes: BatchOutcome[] = [];
    for (let index = from; index < end; index += 1) {
      if (!this.#memory.changeState(index, STATE.executed, STATE.taken)) continue;
      const outcome = this.#host.redactor.fields(this.#result(index));
      outcomes.push({ index, outcome: this.#drop(index)?.judge(outcome) ?? outcome });
    }
    this.#pass(outcomes);
  }

  /** The outcome of a member that did nothing but return. */
  #result(index: number): Outcome {
    const stepId = this.#assignment(index).workstream.steps[0]?.id ?? '';
    const outcome = this.#memory.outcomeOf(index, stepId, areExtras);
    if (outcome === null || (outcome.output !== null && !isOutput(outcome.output)))
      return failedOutcome(UNREADABLE, this.#memory.spanOf(index), null);
    return outcome;
  }

  /** Ends a member with what its thread answered. */
  settle(executionId: number, outcome: Outcome): void {
    const index = this.find(executionId);
    if (index !== null) this.close(index, outcome);
  }

  /** Ends a member, unless it has ended. */
  close(index: number, outcome: Outcome): void {
    if (!this.#isOpen(index)) return;
    this.#memory.setState(index, STATE.taken);
    this.#pass([{ index, outcome: this.#drop(index)?.judge(outcome) ?? outcome }]);
  }

  /** @returns its execution, closed; undefined where it never had one. */
  #drop(index: number): ActiveExecution | undefined {
    this.#open -= 1;
    const execution = this.#executions.get(index);
    execution?.close();
    this.#executions.delete(index);
    return execution;
  }

  #pass(outcomes: readonly BatchOutcome[]): void {
    if (outcomes.length > 0) this.#request.options.onOutcomes(outcomes);
    if (this.#open === 0) this.#onSettled();
  }

  /** Gives back what was not begun soon, and a clock to what was. */
  #takeStock(): void {
    const { keepsFirst, options } = this.#request;
    this.#takeBack(keepsFirst && !options.signal.aborted ? 1 : 0);
    const states = [...this.#request.assignments.keys()].map((index) => this.#memory.stateOf(index));
    const current = states.findLastIndex((state) => state <= STATE.executed);
    if (current === -1) return;
    // What follows another one in its thread has shown that nothing of that goes on.
    this.#takeResults(0, current);
    const { begin } = this.#executionOf(current);
    if (this.#memory.stateOf(current) !== STATE.open) options.onBegun?.(current, begin.at);
  }

  /** Takes back what was not begun, from this index on. */
  #takeBack(from: number): void {
    const before = this.returned.length;
    for (let index = from; index < this.#request.assignments.length; index += 1)
      if (this.#memory.changeState(index, STATE.open, STATE.takenBack)) this.#giveBack(index);
    const now = this.returned.slice(before);
    if (now.length > 0 && this.#open > 0) this.#request.options.onReturned?.(now);
  }

  /** A member of which nothing has happened and nothing will is returned. */
  #giveBack(index: number): void {
    this.#drop(index);
    this.returned.push(index);
  }

  /**
   * Takes what the thread has left in shared memory, now that it does no more for this batch. What was not begun is
   * returned, but for the first one.
   */
  end(): void {
    this.#takeResults(0, this.#request.assignments.length);
    this.#takeBack(1);
  }

  /**
   * Decides what becomes of the first member where a thread has failed that had not begun it.
   * @param mayTryAgain whether another thread may be tried.
   * @returns whether another thread is to be tried. Otherwise it was returned, or is unanswered.
   */
  takeFirst(mayTryAgain: boolean): boolean {
    if (this.#memory.stateOf(0) !== STATE.open) return false;
    const { mayReturn, keepsFirst, options } = this.#request;
    const isWanted = keepsFirst && !options.signal.aborted;
    const again = isWanted && mayTryAgain && this.#executions.get(0)?.verdict == null;
    const isLost = !again && (isWanted || !mayReturn);
    // Its clock starts now.
    if (isLost) this.#executionOf(0);
    // A thread that has failed may still be there for a moment: it begins nothing more.
    if (!this.#memory.changeState(0, STATE.open, isLost ? STATE.answered : STATE.takenBack)) return false;
    if (isLost) return false;
    if (again) this.#drop(0);
    else this.#giveBack(0);
    return again;
  }

  /** Resolves when all have ended, or after this many milliseconds. */
  async settled(milliseconds: number): Promise<void> {
    if (this.#open === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#onSettled = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const extrasSchema = outcomeSchema.pick({ filesModified: true, metrics: true, series: true });
const areExtras = (value: unknown): value is OutcomeExtras => extrasSchema.safeParse(value).success;
