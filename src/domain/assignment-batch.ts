/** How the engine on threads passes assignments to them. Known to `src/engine` and the entries of agents only. */
import type { Assignment } from './assignment.ts';
import type { Outcome } from './outcome.ts';
import { copyOf, type ModuleStep, type Step, type Workstream } from './workstream.ts';

/** An assignment with absolute paths, and what the engine adds to it. */
export interface BatchItem {
  assignment: Assignment;
  /** By which everything it starts can be found: each process has it in its environment (`MILLRACE_EXECUTION`). */
  mark: string;
  /** Those of its modules that are, or import, TypeScript. */
  typeScript: readonly string[];
}

/** Assignments as text, written by a `BatchWriter` and read by a `BatchReader`. */
export interface BatchText {
  size: number;
  /** The first assignment as JSON, without the outputs of its dependencies; the others differ from it in some fields. */
  base: string;
  /** As JSON, a `BatchMember` each; null for one that the main thread has ended already. */
  members: string;
  /** Whether each is the same call of the same function by the same agent, so that few are ever asked what they differ in. */
  alike: boolean;
}

/** What a thread is given at once, and executes one after the other. */
export interface AssignmentBatch extends BatchText {
  /** Posted, as a number, to tell the main thread that members have ended. */
  id: number;
  /** The beginning of the mark of each member, which ends with its index. */
  mark: string;
  /** Those of their modules that are, or import, TypeScript. */
  typeScript: readonly string[];
  memory: SharedViews;
}

/** In what an assignment differs from the first of its batch. */
interface BatchMember {
  /** Whether there is nothing to it but the call of a function. */
  plain: boolean;
  assignment: Partial<Assignment>;
  /** In what its workstream differs. Title and base are those of the first only if they are written out, else the id. */
  definition: Partial<Workstream> & Pick<Workstream, 'id'>;
}

/** The mark of the member of a batch. No mark is the beginning of another one. */
export const memberMark = (batch: string, index: number): string => `${batch}/${index}/`;

/** Writes the assignments of a batch. */
export class BatchWriter {
  readonly #base: Assignment;
  readonly #canBePlain: boolean;
  readonly #members: string[] = [];
  #areAlike = true;

  /**
   * @param base the first one.
   * @param canBePlain whether a member may be executed as a call.
   */
  constructor(base: Assignment, canBePlain: boolean) {
    this.#base = base;
    this.#canBePlain = canBePlain;
  }

  get text(): BatchText {
    return {
      size: this.#members.length,
      base: JSON.stringify({ ...this.#base, dependencies: {} }),
      members: `[${this.#members.join(',')}]`,
      alike: this.#areAlike,
    };
  }

  /** Adds one that the main thread has ended already. */
  addEnded(): void {
    this.#members.push('null');
    this.#areAlike = false;
  }

  /** Adds an assignment. Throws, and adds nothing, where it can't be written. */
  add(assignment: Assignment): void {
    const { executionId, dependencies, logFile } = assignment;
    const own: Partial<Assignment> = { executionId, logFile };
    if (Object.keys(dependencies).length > 0) own.dependencies = dependencies;
    const isLike = isAlike(assignment, this.#base);
    if (!isLike) addDifferences(own, assignment, this.#base, DIFFERENT);
    const member: BatchMember = {
      plain: this.#canBePlain && isPlain(assignment),
      assignment: own,
      definition: this.#definition(assignment.workstream),
    };
    this.#members.push(JSON.stringify(member));
    this.#areAlike &&= isLike && member.plain && member.definition.steps === undefined;
  }

  /** What differs in nearly every workstream is compared field by field, because that is faster. */
  #definition(workstream: Workstream): BatchMember['definition'] {
    const first = this.#base.workstream;
    // One of a class has accessors, which are the same for all of that class.
    if (Object.getPrototypeOf(workstream) !== Object.getPrototypeOf(first)) return copyOf(workstream);
    const { id, base, title, steps, source, hash } = workstream;
    const own: BatchMember['definition'] = { id, source, hash };
    if (base !== id) own.base = base;
    if (title !== id) own.title = title;
    if (steps !== first.steps || steps.some(hasOwnInput)) own.steps = steps;
    addDifferences(own, workstream, first, ['id', 'source', 'hash', 'base', 'title', 'steps']);
    return own;
  }
}

/** Whether the function of a step gets an object, which it may change. */
const hasOwnInput = (step: Step): boolean =>
  step.kind === 'module' && typeof step.input === 'object' && step.input !== null;

/** What is in every member, or nowhere. */
const DIFFERENT = ['workstream', 'executionId', 'dependencies', 'logFile'] as const;

/** Whether two assignments differ in nothing else. Read field by field, because nearly all do. */
const isAlike = (one: Assignment, other: Assignment): boolean =>
  one.runId === other.runId &&
  one.agentId === other.agentId &&
  one.attempt === other.attempt &&
  one.workspace === other.workspace &&
  one.limits === other.limits &&
  one.tools === other.tools &&
  one.gates === other.gates &&
  one.shell === other.shell &&
  one.setup === other.setup &&
  one.previousFailure === other.previousFailure &&
  one.budgets === other.budgets;

/** Only what is the same value, or the same object, counts as equal. */
function addDifferences<T extends object>(
  to: Partial<T>,
  value: T,
  base: T,
  but: readonly (keyof T)[],
): void {
  for (const key in value) if (value[key] !== base[key] && !but.includes(key)) to[key] = value[key];
}

function isPlain({ setup, workstream }: Assignment): boolean {
  const { steps, acceptanceTests, testGates, outputs } = workstream;
  const [step] = steps;
  if (step === undefined || steps.length > 1 || setup !== null || outputs.length > 0) return false;
  return (
    step.kind === 'module' && step.timeoutSeconds === null && acceptanceTests.length + testGates.length === 0
  );
}

// Bound once: code of a workstream could put its own in its place, and others are read after that.
const { parse } = JSON;

/** Reads the assignments of a batch, each member when it is first asked for. */
export class BatchReader {
  readonly #text: BatchText;
  readonly #base: Assignment;
  #members: readonly (BatchMember | null)[] | null = null;

  constructor(text: BatchText) {
    this.#text = text;
    this.#base = parse(text.base);
  }

  /** Of all but those that the main thread has ended already. */
  get indices(): number[] {
    const all = [...Array(this.#text.size).keys()];
    return this.#text.alike ? all : all.filter((index) => this.#all[index] !== null);
  }

  /** The one step of a member to which there is nothing else; null for another one. */
  callOf(index: number): ModuleStep | null {
    const { steps } = this.#base.workstream;
    const { plain, definition } = this.#text.alike ? ALIKE : this.#member(index);
    const step = plain ? (definition.steps ?? steps)[0] : null;
    return step?.kind === 'module' ? step : null;
  }

  scopeOf(index: number): AssignmentScope {
    const { runId, agentId, attempt, workspace } = this.#base;
    if (this.#text.alike) return { runId, agentId, attempt, workspace };
    const { assignment: own } = this.#member(index);
    return {
      runId: own.runId ?? runId,
      agentId: own.agentId ?? agentId,
      attempt: own.attempt ?? attempt,
      workspace: own.workspace ?? workspace,
    };
  }

  /**
   * Nothing in it is shared with another one, so that what one execution does to its own reaches no other, although the
   * main thread keeps one empty list for all workstreams.
   */
  assignmentOf(index: number): Assignment {
    const { assignment, definition } = this.#member(index);
    const whole: Assignment = parse(this.#text.base);
    const { id } = definition;
    return {
      ...whole,
      ...assignment,
      workstream: { ...whole.workstream, base: id, title: id, ...definition },
    };
  }

  get #all(): readonly (BatchMember | null)[] {
    const members: readonly (BatchMember | null)[] = this.#members ?? parse(this.#text.members);
    this.#members = members;
    return members;
  }

  #member(index: number): BatchMember {
    const member = this.#all[index] ?? null;
    if (member === null) throw new RangeError(`the batch has no member ${index}`);
    return member;
  }
}

/** What is needed of an assignment in any case. */
export type AssignmentScope = Pick<Assignment, 'runId' | 'agentId' | 'attempt' | 'workspace'>;

const ALIKE: Pick<BatchMember, 'plain'> & { definition: Pick<Partial<Workstream>, 'steps'> } = {
  plain: true,
  definition: {},
};

/**
 * Of a member of a batch. The thread turns `open` to `begun`, and this to `executed` where the times and the output are
 * in shared memory, or to `answered` before it sends an answer. The main thread turns `open` to `taken-back`: then
 * nothing of it will ever happen. It turns `executed` to `taken`, and so it does with one that it ends itself. Each side
 * changes only what is still as it expects.
 */
export const STATE = { open: 0, begun: 1, executed: 2, answered: 3, takenBack: 4, taken: 5 } as const;

/** What is kept of a member that did nothing but return, or of which nothing else came. */
export interface KeptResult {
  /** When it began, in milliseconds since 1970. */
  startedAt: number;
  durationSeconds: number;
  /** Of its one step. */
  stepSeconds: number;
  cpuSeconds: number | null;
  cpuWaitSeconds: number | null;
  /** As JSON text; null for none. */
  output: string | null;
  /** `BatchExtras` as JSON text; null for none, as with most modules. */
  extras: string | null;
}

/** What few modules return. */
export type BatchExtras = Pick<Outcome, 'filesModified' | 'metrics' | 'series'>;

/** Parts of one memory. */
interface SharedViews {
  /** By member one of `STATE`; behind them how many members are known to have ended, the first ones. */
  states: Int32Array;
  /** By member `TEXTS` numbers: where its output begins in `bytes` and how long it is, and the same of its extras. */
  texts: Int32Array;
  /** By member `TIMES` numbers: a `KeptResult`, and when it began by the clock of all threads. NaN stands for null. */
  times: Float64Array;
  bytes: Uint8Array;
}

const TIMES = 6;
const TEXTS = 4;
/** Room for the texts of a member, on average; what does not fit goes in a message. */
const TEXT_BYTES = 512;
/** Longer texts go in a message. */
const encoded = new Uint8Array(8192);

// Bound once, and given no memory that could be kept: code of a workstream could put its own in their place.
const { compareExchange, load, store } = Atomics;
const encodeInto = TextEncoder.prototype.encodeInto.bind(new TextEncoder());

/**
 * Memory that both sides share, so that it is known at every moment, also after the death of the thread, which members it
 * has begun, and what came of those that ended.
 */
export class BatchMemory {
  readonly views: SharedViews;
  /** End of the texts that this side has written. */
  #textEnd = 0;

  constructor(views: SharedViews) {
    this.views = views;
  }

  static of(members: number): BatchMemory {
    const sizes = [members * TIMES * 8, (members + 1) * 4, members * TEXTS * 4, members * TEXT_BYTES];
    const memory = new SharedArrayBuffer(sizes.reduce((sum, size) => sum + size));
    let end = 0;
    const next = (size = 0): number => (end += size) - size;
    return new BatchMemory({
      times: new Float64Array(memory, next(sizes[0]), members * TIMES),
      states: new Int32Array(memory, next(sizes[1]), members + 1),
      texts: new Int32Array(memory, next(sizes[2]), members * TEXTS),
      bytes: new Uint8Array(memory, next(sizes[3])),
    });
  }

  stateOf(index: number): number {
    return load(this.views.states, index);
  }

  /** @returns whether it was `from`. */
  changeState(index: number, from: number, to: number): boolean {
    return compareExchange(this.views.states, index, from, to) === from;
  }

  setState(index: number, state: number): void {
    store(this.views.states, index, state);
  }

  /** How many members are known to have ended, the first ones, but for those that wait for an answer. */
  get ended(): number {
    return load(this.views.states, this.views.states.length - 1);
  }

  set ended(count: number) {
    store(this.views.states, this.views.states.length - 1, count);
  }

  /** @param clock the same moment on the clock that all threads share. */
  writeStart(index: number, startedAt: number, clock: number): void {
    const { times } = this.views;
    times[index * TIMES] = startedAt;
    times[index * TIMES + 1] = clock;
  }

  readStart(index: number): { startedAt: number; clock: number } {
    return { startedAt: this.#time(index, 0), clock: this.#time(index, 1) };
  }

  /** Returns whether its texts found room. */
  write(index: number, result: Omit<KeptResult, 'startedAt'>): boolean {
    if (!this.#writeText(index * TEXTS, result.output)) return false;
    if (!this.#writeText(index * TEXTS + 2, result.extras)) return false;
    const { times } = this.views;
    const at = index * TIMES;
    times[at + 2] = result.durationSeconds;
    times[at + 3] = result.stepSeconds;
    times[at + 4] = result.cpuSeconds ?? Number.NaN;
    times[at + 5] = result.cpuWaitSeconds ?? Number.NaN;
    return true;
  }

  read(index: number): KeptResult {
    return {
      startedAt: this.#time(index, 0),
      durationSeconds: this.#time(index, 2),
      stepSeconds: this.#time(index, 3),
      cpuSeconds: known(this.#time(index, 4)),
      cpuWaitSeconds: known(this.#time(index, 5)),
      output: this.#text(index * TEXTS),
      extras: this.#text(index * TEXTS + 2),
    };
  }

  #time(index: number, offset: number): number {
    return this.views.times[index * TIMES + offset] ?? Number.NaN;
  }

  #writeText(place: number, text: string | null): boolean {
    if (text === null) return true;
    const { bytes, texts } = this.views;
    const { read, written } = encodeInto(text, encoded);
    const begin = this.#textEnd;
    if (read < text.length || written > bytes.length - begin) return false;
    for (let at = 0; at < written; at += 1) bytes[begin + at] = encoded[at] ?? 0;
    texts[place] = begin;
    texts[place + 1] = written;
    this.#textEnd = begin + written;
    return true;
  }

  #text(place: number): string | null {
    const { texts, bytes } = this.views;
    const length = texts[place + 1] ?? 0;
    if (length === 0) return null;
    const begin = bytes.byteOffset + (texts[place] ?? 0);
    return Buffer.from(bytes.buffer, begin, length).toString('utf8');
  }
}

const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
