/** How the engine on threads passes assignments to them. Known to `src/engine` and the entries of agents only. */
import type { Assignment } from './assignment.ts';
import type { Outcome } from './outcome.ts';
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

/** Writes the members of a batch. */
export class BatchWriter {
  readonly #base: Assignment;
  readonly #usesLane: boolean;
  readonly #assignmentKeys: readonly (keyof Assignment)[];
  readonly #workstreamKeys: readonly (keyof Workstream)[];

  /** @param usesLane whether a member may be plain. */
  constructor(base: Assignment, usesLane: boolean) {
    this.#base = base;
    this.#usesLane = usesLane;
    this.#assignmentKeys = otherKeys(base, ['workstream', 'executionId', 'dependencies', 'logFile']);
    this.#workstreamKeys = otherKeys(base.workstream, ['id', 'base', 'title', 'steps', 'source', 'hash']);
  }

  /** What `wholeAssignment` is made of. */
  get base(): string {
    return JSON.stringify({ ...this.#base, dependencies: {} });
  }

  /** A `BatchMember` as JSON. What nearly always differs is written out, because that is faster. */
  member(assignment: Assignment): string {
    const { executionId, dependencies, logFile, workstream } = assignment;
    const { id, base, title, steps, source, hash } = workstream;
    const member: BatchMember = {
      plain: this.#usesLane && isPlain(assignment),
      assignment: { executionId, dependencies, logFile },
      workstream: { id, base, title, steps, source, hash },
    };
    addDifferences(member.assignment, assignment, this.#base, this.#assignmentKeys);
    addDifferences(member.workstream, workstream, this.#base.workstream, this.#workstreamKeys);
    return JSON.stringify(member);
  }
}

function otherKeys<T extends object>(value: T, keys: readonly (keyof T)[]): (keyof T)[] {
  const others: (keyof T)[] = [];
  for (const key in value) if (!keys.includes(key)) others.push(key);
  return others;
}

/** Only what is the same value, or the same object, counts as equal. */
function addDifferences<T extends object>(
  to: Partial<T>,
  value: T,
  base: T,
  keys: readonly (keyof T)[],
): void {
  for (const key of keys) if (value[key] !== base[key]) to[key] = value[key];
}

function isPlain({ setup, workstream: { steps, acceptanceTests, testGates } }: Assignment): boolean {
  const [step] = steps;
  if (step === undefined || steps.length > 1 || setup !== null) return false;
  return (
    step.kind === 'module' && step.timeoutSeconds === null && acceptanceTests.length + testGates.length === 0
  );
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
  /** By member where its output begins in `bytes` and how long it is, and the same of its `BatchExtras`; 0 for none. */
  texts: Int32Array;
  /** JSON text of those. */
  bytes: Uint8Array;
}

/**
 * Of a member of a batch. The thread turns `open` to `begun`, and this to `executed` where the times and the output are
 * in shared memory, or to `answered` before it sends an answer. The main thread turns `open` to `taken-back`: then
 * nothing of it will ever happen. It turns `executed` to `taken`. Each changes only what is still as it expects.
 */
export const STATE = { open: 0, begun: 1, executed: 2, answered: 3, takenBack: 4, taken: 5 } as const;

/** What is kept of each member: see `BatchTimes`. NaN stands for null. */
const TIMES = 6;

/** Numbers in `texts` of each member. */
export const TEXTS = 4;

/** What few modules return. */
export type BatchExtras = Pick<Outcome, 'filesModified' | 'metrics'>;

/** Times of a member of a batch. */
export interface BatchTimes {
  /** When it began, in milliseconds since 1970. */
  startedAt: number;
  /** The same on the clock that all threads share. */
  clock: number;
  durationSeconds: number;
  /** Of its one step. */
  stepSeconds: number;
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
    texts: shared(Int32Array, members * TEXTS * Int32Array.BYTES_PER_ELEMENT),
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
  { durationSeconds, stepSeconds, cpuSeconds, cpuWaitSeconds }: Omit<BatchTimes, 'startedAt' | 'clock'>,
): void {
  const at = index * TIMES;
  times[at + 2] = durationSeconds;
  times[at + 3] = stepSeconds;
  times[at + 4] = cpuSeconds ?? Number.NaN;
  times[at + 5] = cpuWaitSeconds ?? Number.NaN;
}

export function readTimes({ times }: BatchMemory, index: number): BatchTimes {
  const at = (offset: number): number => times[index * TIMES + offset] ?? Number.NaN;
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return {
    startedAt: at(0),
    clock: at(1),
    durationSeconds: at(2),
    stepSeconds: at(3),
    cpuSeconds: known(at(4)),
    cpuWaitSeconds: known(at(5)),
  };
}
