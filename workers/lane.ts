/** A batch in its thread: what is nothing but the call of a function is called here, everything else by the agent. */
import { types } from 'node:util';
import { BatchMemory, STATE } from '../src/domain/batch/batch-memory.ts';
import { type AssignmentBatch, itemsOf, type MemberItem } from '../src/domain/batch/batch-text.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { secondsSince, toSharedClock } from '../src/os/stopwatch.ts';
import type { Agent } from './agent.ts';
import { currentExecution, type EarlyCall, type Execution } from './execution.ts';
import { loadedFunction } from './modules/load-module.ts';
import { checkResult } from './runners/module.ts';
import { createStepContext } from './runners/step-context.ts';
import type { StepOutcome } from './runners/step-outcome.ts';
import type { AsyncWatch } from './thread/async-watch.ts';
import { cpuTimeSince } from './thread/cpu-time.ts';
import { hasExitCode } from './thread/exit-code.ts';
import { nextTurn, now } from './thread/own-globals.ts';

/** After so many milliseconds of members that were called the event loop gets a turn. */
const TURN_MS = 1;

/** What a batch needs of its thread. */
export interface BatchThread {
  agent: Agent;
  watch: AsyncWatch;
  /** Tells the main thread that there are results in the memory of a batch. */
  tell: (batch: number) => void;
  send: (answer: Answer) => void;
  /** Whether code has closed the port by which that is sent. */
  isMute: () => boolean;
}

/** A member that was begun. */
interface Member {
  item: MemberItem;
  execution: Execution;
}

export class BatchRun {
  readonly #batch: AssignmentBatch;
  readonly #thread: BatchThread;
  readonly #memory: BatchMemory;
  /** Members that have returned, and of which a turn of the event loop will show whether that was all. */
  #returned: Member[] = [];
  /** Those of which it was not all. */
  #unfinished: Member[] = [];
  #turnedAt = now();
  /** Number of members up to the last that was begun. */
  #begun = 0;
  /** The member that was begun last, or is executed now. */
  #current: Member | null = null;
  /** Not sent yet: that of the last member is returned to the pool. */
  #answer: Answer | null = null;

  constructor(batch: AssignmentBatch, thread: BatchThread) {
    this.#batch = batch;
    this.#thread = thread;
    this.#memory = new BatchMemory(batch.memory);
  }

  /** Resolves with the answer to the last member that it began, null where that is in shared memory. */
  async execute(): Promise<Answer | null> {
    const { agent, isMute } = this.#thread;
    for (const item of itemsOf(this.#batch)) {
      const member = this.#begin(item);
      if (member === null) continue;
      if (!this.#call(member)) await this.#executeWhole(member, item.index);
      if (agent.hasRetired || (this.#answer !== null && isMute())) break;
      if (now() - this.#turnedAt < TURN_MS) continue;
      await this.#turn();
      if (agent.isSpoilt) break;
    }
    if (!agent.hasRetired) await this.#turn();
    agent.rest();
    return this.#answer;
  }

  /** Stops what is executed now, if the main thread wants that. */
  stopCurrent(): void {
    if (this.#current === null) return;
    const { item, execution } = this.#current;
    const because = this.#memory.cancellationOf(item.index);
    if (because !== null) this.#thread.agent.cancel(execution.assignment.executionId, because);
  }

  /**
   * Null for one that was taken back. Its times are there before it is claimed: the main thread may look at them from
   * then on.
   */
  #begin(item: MemberItem): Member | null {
    const { index } = item;
    if (this.#memory.stateOf(index) !== STATE.open) return null;
    this.#sendAnswer();
    const execution = this.#thread.agent.begin(item);
    const { at, clock } = execution.begin;
    this.#memory.writeStart(index, at, toSharedClock(clock));
    if (!this.#memory.changeState(index, STATE.open, STATE.begun)) return null;
    this.#begun = index + 1;
    this.#current = { item, execution };
    return this.#current;
  }

  /** Calls the function of a plain member. Returns whether that did nothing but return, as far as can be seen now. */
  #call(member: Member): boolean {
    const { execution, item } = member;
    const step = item.call;
    const found = step === null ? null : loadedFunction(step, execution);
    if (step === null || typeof found !== 'function') return false;
    const context = createStepContext(execution, () => execution.signal);
    if (!this.#isQuiet(execution, () => ({ returned: found(step.input, context) }))) return false;
    const { early } = execution;
    if (early === null || !('returned' in early) || !isReadable(early.returned)) return false;
    const value = early.returned;
    if (value === undefined || value === null) return this.#keepResult(member, NOTHING_MADE);
    // Reading the value may call code of the workstream.
    if (!this.#isQuiet(execution, () => ({ checked: checkResult(value, execution, '') }))) return false;
    const checked = execution.early;
    return checked !== null && 'checked' in checked && this.#keepResult(member, checked.checked);
  }

  /** Whether a call did nothing but return something. It counts as the beginning of the first step in any case. */
  #isQuiet(execution: Execution, call: () => EarlyCall): boolean {
    const { agent, watch } = this.#thread;
    watch.start();
    try {
      execution.early = currentExecution.run(execution, call);
    } catch (error) {
      execution.early = { threw: error };
    }
    return watch.stop() && agent.isPlain(execution) && !('threw' in execution.early);
  }

  /** Returns whether the result of a call could be kept in shared memory. */
  #keepResult(member: Member, { output, filesModified, metrics }: CallResult): boolean {
    const { begin, cpuBefore, series } = member.execution;
    const { used: cpuSeconds, waited: cpuWaitSeconds } = cpuTimeSince(cpuBefore);
    const durationSeconds = secondsSince(begin);
    const stepSeconds = durationSeconds;
    const times = { durationSeconds, stepSeconds, cpuSeconds, cpuWaitSeconds };
    return (
      this.#memory.keep(member.item.index, times, { output, filesModified, metrics, series }) &&
      this.#note(member)
    );
  }

  /** Returns whether an answer could be kept there, because its outcome is one of a call as well. */
  #keepAnswer(member: Member, { outcome, posted }: Answer): boolean {
    return posted === 0 && this.#memory.keepWhole(member.item.index, outcome) && this.#note(member);
  }

  #note(member: Member): true {
    this.#memory.changeState(member.item.index, STATE.begun, STATE.executed);
    this.#returned.push(member);
    return true;
  }

  /**
   * Has the agent execute a member from where it stands, once its answer before is sent. What had returned before does
   * not wait for its end.
   * @param ended how many members have ended, the first ones.
   */
  async #executeWhole(member: Member, ended: number): Promise<void> {
    this.#sendAnswer();
    this.#current = member;
    const answer = this.#thread.agent.execute(member.execution);
    // It may have been told to before this thread was there, or while another one was executed.
    this.stopCurrent();
    if (this.#returned.length > 0) {
      await nextTurn();
      // An exit code would be that of the one which is being executed.
      this.#settleReturned(ended, null);
    }
    const given = await answer;
    if (member.item.call !== null && !this.#thread.agent.hasRetired && this.#keepAnswer(member, given))
      return;
    this.#answer = given;
    this.#memory.changeState(member.item.index, STATE.begun, STATE.answered);
  }

  async #turn(): Promise<void> {
    await nextTurn();
    this.#settleReturned(this.#begun, hasExitCode() ? (this.#returned.at(-1) ?? null) : null);
    // By their indices here and below: code may have changed how arrays are iterated.
    const unfinished = this.#unfinished;
    this.#unfinished = [];
    for (let index = 0; index < unfinished.length; index += 1) {
      const member = unfinished[index];
      if (member === undefined) continue;
      if (this.#thread.agent.hasRetired)
        this.#memory.changeState(member.item.index, STATE.begun, STATE.executed);
      else await this.#executeWhole(member, this.#begun);
    }
    this.#turnedAt = now();
  }

  /**
   * Decides, after a turn of the event loop, which of those that have returned have ended by that.
   * @param failed one that has set an exit code; null for none.
   */
  #settleReturned(ended: number, failed: Member | null): void {
    const returned = this.#returned;
    if (returned.length === 0) return;
    this.#returned = [];
    for (let index = 0; index < returned.length; index += 1) {
      const member = returned[index];
      if (member === undefined) continue;
      const { execution, item } = member;
      const isOver = execution.ended || (execution.isUntouched && member !== failed);
      if (!isOver && this.#memory.changeState(item.index, STATE.executed, STATE.begun))
        this.#unfinished.push(member);
      else execution.ended = true;
    }
    this.#memory.ended = ended;
    this.#thread.tell(this.#batch.id);
  }

  #sendAnswer(): void {
    if (this.#answer !== null) this.#thread.send(this.#answer);
    this.#answer = null;
  }
}

/** One that returns what an async function may return too goes the ordinary way: it may be a promise. */
function isReadable(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'object' || types.isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !('then' in value);
}

/** What came of a call. */
type CallResult = Pick<StepOutcome, 'output' | 'filesModified' | 'metrics'>;
const NOTHING_MADE: CallResult = { output: null, filesModified: [], metrics: {} };
