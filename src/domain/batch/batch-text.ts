/** How the engine on threads passes assignments to them, as text. Known to `src/engine` and the entries of agents only. */
import type { Assignment } from '../assignment.ts';
import { copyOf, type ModuleStep, type Step, type Workstream } from '../workstream.ts';
import type { SharedViews } from './batch-memory.ts';

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
  one.session === other.session &&
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

/** A member as its thread reads it. Its whole assignment is made when that is first asked for. */
export class MemberItem implements BatchItem {
  readonly index: number;
  /** The one step of a member to which there is nothing else; null for another one. */
  readonly call: ModuleStep | null;
  readonly #batch: AssignmentBatch;
  readonly #reader: BatchReader;
  #assignment: Assignment | null = null;

  constructor(index: number, batch: AssignmentBatch, reader: BatchReader) {
    this.index = index;
    this.call = reader.callOf(index);
    this.#batch = batch;
    this.#reader = reader;
  }

  get assignment(): Assignment {
    this.#assignment ??= this.#reader.assignmentOf(this.index);
    return this.#assignment;
  }

  get scope(): AssignmentScope {
    return this.#reader.scopeOf(this.index);
  }

  get mark(): string {
    return memberMark(this.#batch.mark, this.index);
  }

  get typeScript(): readonly string[] {
    return this.#batch.typeScript;
  }
}

/** Of all but those that the main thread has ended already. */
export function itemsOf(batch: AssignmentBatch): MemberItem[] {
  const reader = new BatchReader(batch);
  return reader.indices.map((index) => new MemberItem(index, batch, reader));
}
