/** A batch of assignments in the thread of an agent, as the main thread sees it. */
import { randomUUID } from 'node:crypto';
import type { Cancellation } from '../domain/agent-message.ts';
import type { Assignment } from '../domain/assignment.ts';
import {
  type AssignmentBatch,
  type BatchExtras,
  BatchWriter,
  changeState,
  endedMembers,
  makeBatchMemory,
  memberMark,
  readTimes,
  STATE,
  stateOf,
  TEXTS,
} from '../domain/assignment-batch.ts';
import type { BatchOptions, BatchOutcome } from '../domain/engine.ts';
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
  /** Whether members may be returned that were not begun soon. */
  mayReturn: boolean;
  /** Whether the first one is begun all the same: its agent has nothing else to do. */
  keepsFirst: boolean;
  /** Whether what is nothing but the call of a function takes the short way. */
  usesLane: boolean;
}

/** What a batch needs of its engine. */
export interface BatchHost {
  redactor: Redactor;
  send(message: Cancellation): void;
}

/** The failure of an execution of which the last message, or the output, is not what an agent sends. */
export const UNREADABLE: Failure = {
  reason: 'invalid-result',
  detail: 'what its thread answered could not be read',
};

let batches = 0;

/**
 * Costs no object for each member that lives as long as the batch: the thread says in shared memory how far it is. Only a
 * member that takes long, sends a message or must be stopped becomes an `ActiveExecution`.
 */
export class Batch {
  readonly id: number;
  /** Aborted to end the thread. */
  readonly terminate = new AbortController();
  readonly message: AssignmentBatch;
  /** Indices of the members that were returned. */
  readonly returned: number[] = [];
  readonly #request: BatchRequest;
  readonly #host: BatchHost;
  readonly #executions = new Map<number, ActiveExecution>();
  /** By member 1 where it has an outcome or was returned. */
  readonly #settled: Uint8Array;
  /** Number of members that are not. */
  #open: number;
  /** Up to where results were taken that are known to be final. */
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;
  #onSettled: () => void = () => undefined;
  readonly #onAbort = (): void => this.#takeStock();

  constructor(request: BatchRequest, host: BatchHost) {
    batches += 1;
    this.id = batches;
    this.#request = request;
    this.#host = host;
    const { assignments } = request;
    this.#settled = new Uint8Array(assignments.length);
    this.#open = assignments.length;
    this.message = {
      id: this.id,
      base: '',
      members: '',
      mark: `${runMark(assignments[0]?.runId ?? '')}${randomUUID()}`,
      compiled: {},
      memory: makeBatchMemory(assignments.length),
    };
  }

  /**
   * Adds what the thread is told.
   * @param failures of members that can't be executed: they have ended.
   */
  write(compiled: Record<string, string>, failures: ReadonlyMap<number, Failure>): void {
    const { assignments, usesLane } = this.#request;
    const begin = startTimer();
    this.message.compiled = compiled;
    const fail = (index: number, failure: Failure, logFile: string | null): string => {
      this.#changeState(index, STATE.open, STATE.taken);
      this.close(index, lostOutcome(failure, begin, logFile));
      return 'null';
    };
    const [base] = assignments;
    if (base === undefined) return;
    const writer = new BatchWriter(base, usesLane);
    this.message.base = writer.base;
    const texts = assignments.map((assignment, index) => {
      const failure = failures.get(index);
      if (failure !== undefined) return fail(index, failure, assignment.logFile);
      try {
        return writer.member(assignment);
      } catch (error) {
        return fail(index, internalError(error), null);
      }
    });
    this.message.members = `[${texts.join(',')}]`;
  }

  /** Starts the clock of the batch. Called when it is passed to its thread. */
  start(): void {
    const { mayReturn, options } = this.#request;
    if (!mayReturn) return void this.#executionOf(0);
    this.#timer = setTimeout(() => this.#takeStock(), WAIT_MS);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#takeStock();
    return undefined;
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
    return index === -1 || this.#settled[index] === 1 ? null : index;
  }

  /** The execution of a member that has not ended. It is there from now on. */
  #executionOf(index: number): ActiveExecution {
    let execution = this.#executions.get(index);
    if (execution === undefined) {
      execution = this.#activate(index);
      this.#executions.set(index, execution);
    }
    return execution;
  }

  #activate(index: number): ActiveExecution {
    const { signal, onMessage } = this.#request.options;
    const { mark, memory } = this.message;
    const { startedAt, clock } = readTimes(memory, index);
    const hasBegun = stateOf(memory, index) !== STATE.open;
    return new ActiveExecution(
      this.#assignment(index),
      { signal, onMessage: (message) => onMessage(index, message) },
      (message) => this.#host.send(message),
      {
        terminate: this.terminate,
        mark: memberMark(mark, index),
        begin: hasBegun ? { at: startedAt, clock: fromSharedClock(clock) } : startTimer(),
      },
    );
  }

  #assignment(index: number): Assignment {
    const assignment = this.#request.assignments[index];
    if (assignment === undefined) throw new RangeError(`the batch has no member ${index}`);
    return assignment;
  }

  /** The execution that a message of this id is about; null for one that is not of this batch, or has ended. */
  executionFor(executionId: number): ActiveExecution | null {
    const index = this.find(executionId);
    return index === null ? null : this.#executionOf(index);
  }

  /** Ends the thread because of an execution that it does not get to. */
  fail(failure: Failure): void {
    for (let index = 0; index < this.#settled.length; index += 1) {
      if (this.#settled[index] === 1) continue;
      this.#executionOf(index).verdict = failure;
      break;
    }
    this.terminate.abort();
  }

  /** Takes the results that are known to be final. */
  collect(): void {
    const end = endedMembers(this.message.memory);
    const from = this.#taken;
    this.#taken = Math.max(from, end);
    this.#takeResults(from, end);
  }

  #takeResults(from: number, end: number): void {
    const outcomes: BatchOutcome[] = [];
    for (let index = from; index < end; index += 1) {
      if (!this.#changeState(index, STATE.executed, STATE.taken)) continue;
      const outcome = this.#host.redactor.fields(this.#result(index));
      outcomes.push({ index, outcome: this.#close(index, outcome) });
    }
    this.#pass(outcomes);
  }

  /** The outcome of a member that did nothing but return. */
  #result(index: number): Outcome {
    const { memory } = this.message;
    const { startedAt, durationSeconds, stepSeconds, cpuSeconds, cpuWaitSeconds } = readTimes(memory, index);
    const endedAt = startedAt + Math.round(durationSeconds * 1000);
    const output = this.#text(TEXTS * index);
    const extras = parsedExtras(this.#text(TEXTS * index + 2));
    if ((output !== null && !isOutput(output)) || extras === null)
      return failedOutcome(UNREADABLE, { startedAt, endedAt, durationSeconds }, null);
    const id = this.#assignment(index).workstream.steps[0]?.id ?? '';
    return {
      status: 'completed',
      failure: null,
      steps: [
        {
          id,
          kind: 'module',
          status: 'completed',
          durationSeconds: stepSeconds,
          exitCode: null,
          tail: '',
          failure: null,
          tool: null,
        },
      ],
      tests: [],
      output,
      metrics: extras.metrics,
      startedAt,
      endedAt,
      durationSeconds,
      cpuSeconds,
      cpuWaitSeconds,
      filesModified: extras.filesModified,
      warnings: [],
      logFile: null,
    };
  }

  /** The text at this place in shared memory; null for none. */
  #text(place: number): string | null {
    const { texts, bytes } = this.message.memory;
    const length = texts[place + 1] ?? 0;
    return length === 0 ? null : Buffer.from(bytes.buffer, texts[place], length).toString('utf8');
  }

  /** Ends a member with what its thread answered. */
  settle(executionId: number, outcome: Outcome): void {
    const index = this.find(executionId);
    if (index !== null) this.close(index, outcome);
  }

  /** Ends a member that has not ended. */
  close(index: number, outcome: Outcome): void {
    this.#pass([{ index, outcome: this.#close(index, outcome) }]);
  }

  /** @returns its outcome. */
  #close(index: number, outcome: Outcome): Outcome {
    this.#settled[index] = 1;
    this.#open -= 1;
    const execution = this.#executions.get(index);
    if (execution === undefined) return outcome;
    this.#executions.delete(index);
    execution.close();
    return execution.judge(outcome);
  }

  #pass(outcomes: readonly BatchOutcome[]): void {
    if (outcomes.length > 0) this.#request.options.onOutcomes(outcomes);
    if (this.#open === 0) this.#onSettled();
  }

  /** Gives back what was not begun soon, and a clock to what was. */
  #takeStock(): void {
    const { keepsFirst, options } = this.#request;
    this.#takeBack(keepsFirst && !options.signal.aborted ? 1 : 0);
    const { memory } = this.message;
    let current: number | null = null;
    for (let index = 0; index < this.#settled.length; index += 1)
      if (this.#settled[index] === 0 && stateOf(memory, index) !== STATE.answered) current = index;
    if (current === null) return;
    // What follows another one in its thread has shown that nothing of that goes on.
    this.#takeResults(0, current);
    this.#executionOf(current);
  }

  /** Takes back what was not begun, from this index on. */
  #takeBack(from: number): void {
    const before = this.returned.length;
    for (let index = from; index < this.#settled.length; index += 1)
      if (this.#changeState(index, STATE.open, STATE.takenBack)) this.#giveBack(index);
    const now = this.returned.slice(before);
    if (now.length > 0 && this.#open > 0) this.#request.options.onReturned?.(now);
  }

  /** A member of which nothing has happened and nothing will is returned. */
  #giveBack(index: number): void {
    this.#drop(index);
    this.returned.push(index);
  }

  #drop(index: number): void {
    this.#settled[index] = 1;
    this.#open -= 1;
    this.#executions.get(index)?.close();
    this.#executions.delete(index);
  }

  /**
   * Takes what the thread has left in shared memory, now that it does no more for this batch. What was not begun is
   * returned, but for the first one.
   */
  end(): void {
    this.#takeResults(0, this.#settled.length);
    this.#takeBack(1);
  }

  /**
   * Decides what becomes of the first member where a thread has failed that had not begun it.
   * @param mayTryAgain whether another thread may be tried.
   * @returns whether another thread is to be tried. Otherwise it was returned, or is unanswered.
   */
  takeFirst(mayTryAgain: boolean): boolean {
    if (!this.#changeState(0, STATE.open, STATE.takenBack)) return false;
    const { mayReturn, keepsFirst, options } = this.#request;
    const hasFailed = this.#executions.get(0)?.verdict != null;
    const again = keepsFirst && mayTryAgain && !hasFailed && !options.signal.aborted;
    if (again) this.#drop(0);
    else if (mayReturn && (!keepsFirst || options.signal.aborted)) this.#giveBack(0);
    return again;
  }

  /** Those that have neither an outcome nor were returned, each an execution. */
  get unanswered(): [index: number, execution: ActiveExecution][] {
    const indices = [...this.#settled.keys()].filter((index) => this.#settled[index] === 0);
    return indices.map((index) => [index, this.#executionOf(index)]);
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

  #changeState(index: number, from: number, to: number): boolean {
    return this.#settled[index] === 0 && changeState(this.message.memory, index, from, to);
  }
}

const extrasSchema = outcomeSchema.pick({ filesModified: true, metrics: true });

/** Null for text that no agent writes. */
function parsedExtras(text: string | null): BatchExtras | null {
  if (text === null) return { filesModified: [], metrics: {} };
  try {
    return extrasSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
