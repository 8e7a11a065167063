/** How the engine on threads passes assignments to them. Known to `src/engine` and the entries of agents only. */
import type { Assignment } from './assignment.ts';
import type { Workstream } from './workstream.ts';

/** An assignment with absolute paths, and what the engine adds to it. */
export interface BatchItem {
  assignment: Assignment;
  /** By which everything it starts can be found: each process has it in its environment (`MILLRACE_EXECUTION`). */
  mark: string;
  /** For modules that are not JavaScript: path of the module to path of its compiled form. */
  compiled: Record<string, string>;
}

/** What a thread is given at once, and executes one after the other. */
export interface AssignmentBatch {
  /** Posted, as a number, to tell the main thread that members have ended. */
  id: number;
  /** The first assignment as JSON; the others differ from it in some fields. */
  base: string;
  /** As JSON, a `BatchMember` each. */
  members: string;
  /** The beginning of the mark of each member, which ends with its index. */
  mark: string;
  compiled: Record<string, string>;
  memory: BatchMemory;
}

/** In what an assignment differs from the first of its batch. */
export interface BatchMember {
  /** Whether there is nothing to it but the call of a function. */
  plain: boolean;
  assignment: Partial<Assignment>;
  workstream: Partial<Workstream>;
}

/** @param usesLane whether a member may be plain. */
export function batchMember(assignment: Assignment, base: Assignment, usesLane: boolean): BatchMember {
  const { workstream, executionId, dependencies, logFile } = assignment;
  const own = { ...differences(assignment, base), executionId, dependencies, logFile };
  delete own.workstream;
  const fields = { ...differences(workstream, base.workstream), steps: workstream.steps };
  return { plain: usesLane && isPlain(assignment), assignment: own, workstream: fields };
}

function isPlain({ setup, workstream: { steps, acceptanceTests, testGates } }: Assignment): boolean {
  const [step] = steps;
  if (step === undefined || steps.length > 1 || setup !== null) return false;
  return (
    step.kind === 'module' && step.timeoutSeconds === null && acceptanceTests.length + testGates.length === 0
  );
}

/** Fields that are equal may be missing or not: only what is the same value, or the same object, is looked for. */
function differences<T extends object>(value: T, base: T): Partial<T> {
  const own: Partial<T> = {};
  for (const key in value) if (value[key] !== base[key]) own[key] = value[key];
  return own;
}

/**
 * A member's whole assignment. Nothing in it is shared with another one, so that what one execution does to its own
 * reaches no other, although the main thread keeps one empty list for all workstreams.
 */
export function wholeAssignment({ assignment, workstream }: BatchMember, base: string): Assignment {
  const whole: Assignment = JSON.parse(base);
  return { ...whole, ...assignment, workstream: { ...whole.workstream, ...workstream } };
}

/** The mark of the member of a batch. No mark is the beginning of another one. */
export const memberMark = (batch: string, index: number): string => `${batch}/${index}/`;

/**
 * Memory that both sides share, so that it is known at every moment, also after the death of the thread, which members it
 * has begun, and what came of those that ended.
 */
export interface BatchMemory {
  /** By member one of `STATE`; behind them how many members are known to have ended, the first ones. */
  states: Int32Array;
  /** By member `TIMES` numbers. */
  times: Float64Array;
  /** By member where its output begins in `bytes`, and how long it is; nothing for none. */
  outputs: Int32Array;
  /** Outputs as JSON text. */
  bytes: Uint8Array;
}

/**
 * Of a member of a batch. The thread turns `open` to `begun`, and this to `executed` where the times and the output are
 * in shared memory, or to `answered` before it sends an answer. The main thread turns `open` to `taken-back`: then
 * nothing of it will ever happen. It turns `executed` to `taken`. Each changes only what is still as it expects.
 */
export const STATE = { open: 0, begun: 1, executed: 2, answered: 3, takenBack: 4, taken: 5 } as const;

/** What is kept of each member: see `BatchTimes`. NaN stands for null. */
const TIMES = 5;

/** Times of a member of a batch. */
export interface BatchTimes {
  /** When it began, in milliseconds since 1970. */
  startedAt: number;
  /** The same on the clock that all threads share. */
  clock: number;
  durationSeconds: number;
  cpuSeconds: number | null;
  cpuWaitSeconds: number | null;
}

/** Room for outputs: what does not fit goes in a message. */
const OUTPUT_BYTES = 512;

export function makeBatchMemory(members: number): BatchMemory {
  const shared = <T>(Type: new (buffer: SharedArrayBuffer) => T, bytes: number): T =>
    new Type(new SharedArrayBuffer(bytes));
  return {
    states: shared(Int32Array, (members + 1) * Int32Array.BYTES_PER_ELEMENT),
    times: shared(Float64Array, members * TIMES * Float64Array.BYTES_PER_ELEMENT),
    outputs: shared(Int32Array, members * 2 * Int32Array.BYTES_PER_ELEMENT),
    bytes: shared(Uint8Array, members * OUTPUT_BYTES),
  };
}

// Bound once: code of a workstream could put its own in their place, and get hold of the memory.
const { compareExchange, load, store } = Atomics;

/** @returns whether it was `from`. */
export const changeState = ({ states }: BatchMemory, index: number, from: number, to: number): boolean =>
  compareExchange(states, index, from, to) === from;

export const stateOf = ({ states }: BatchMemory, index: number): number => load(states, index);

/** How many members are known to have ended, the first ones, but for those that wait for an answer. */
export const endedMembers = ({ states }: BatchMemory): number => load(states, states.length - 1);

export const setEndedMembers = ({ states }: BatchMemory, count: number): void =>
  void store(states, states.length - 1, count);

export function writeStart({ times }: BatchMemory, index: number, startedAt: number, clock: number): void {
  times[index * TIMES] = startedAt;
  times[index * TIMES + 1] = clock;
}

export function writeEnd(
  { times }: BatchMemory,
  index: number,
  { durationSeconds, cpuSeconds, cpuWaitSeconds }: Omit<BatchTimes, 'startedAt' | 'clock'>,
): void {
  const at = index * TIMES;
  times[at + 2] = durationSeconds;
  times[at + 3] = cpuSeconds ?? Number.NaN;
  times[at + 4] = cpuWaitSeconds ?? Number.NaN;
}

export function readTimes({ times }: BatchMemory, index: number): BatchTimes {
  const at = (offset: number): number => times[index * TIMES + offset] ?? Number.NaN;
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return {
    startedAt: at(0),
    clock: at(1),
    durationSeconds: at(2),
    cpuSeconds: known(at(3)),
    cpuWaitSeconds: known(at(4)),
  };
}
