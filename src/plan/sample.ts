/** Which workstreams are run to find out how many agents suit them. Pure. */
import type { LeftOut, WhyLeftOut } from '../domain/tuning.ts';
import type { Plan } from '../domain/plan.ts';
import type { Step, Workstream } from '../domain/workstream.ts';

/** Numbers of agents are tried up to this many for each core. */
const MOST_EACH_CORE = 4;

/** Workstreams of one kind that are run first, to find out how long they take; and those of all kinds at most. */
const FIRST_OF_A_KIND = 2;
const FIRST_IN_ALL = 200;

/** Most workstreams of a part: their ids are arguments of a command. */
const MOST = 2000;

/** Powers of two and the cores, up to four agents for each core, and no more than workstreams. */
export function countsToTry(cores: number, workstreams: number): number[] {
  const whole = Math.max(1, Math.ceil(cores));
  const counts = new Set([whole]);
  for (let count = 1; count <= whole * MOST_EACH_CORE; count *= 2) counts.add(count);
  return [...counts].filter((count) => count <= Math.max(1, workstreams)).toSorted((a, b) => a - b);
}

/** What may be run again and again: not what costs money, leaves commits, or needs what is left out. */
export function triable({ workstreams, broken }: Pick<Plan, 'workstreams' | 'broken'>): {
  workstreams: Workstream[];
  leftOut: LeftOut[];
} {
  const why = new Map<string, WhyLeftOut>(broken.map(({ id }) => [id, 'broken']));
  const dependents = new Map<string, string[]>();
  for (const workstream of workstreams) {
    const reason = ownReason(workstream);
    if (reason !== null) why.set(workstream.id, reason);
    for (const { id } of workstream.dependsOn)
      dependents.set(id, [...(dependents.get(id) ?? []), workstream.id]);
  }
  const queue = [...why.keys()];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const dependent of dependents.get(id) ?? []) {
      if (why.has(dependent)) continue;
      why.set(dependent, 'needs-left-out');
      queue.push(dependent);
    }
  }
  return {
    workstreams: workstreams.filter(({ id }) => !why.has(id)),
    leftOut: [...why].map(([id, reason]) => ({ id, why: reason })),
  };
}

function ownReason({ steps, workspace }: Workstream): WhyLeftOut | null {
  if (steps.some(({ kind }) => kind === 'tool')) return 'tool';
  return workspace === 'worktree' ? 'worktree' : null;
}

/** Workstreams of the same kind do the same with other values: the same modules and programs, where they are named. */
export function kindOf({ kind, isolation, steps }: Workstream): string {
  return JSON.stringify([kind, isolation, ...steps.map(actOf)]);
}

function actOf(step: Step): string {
  switch (step.kind) {
    case 'module':
      return `${step.module}#${step.export}`;
    case 'run':
      return `run ${step.run.trim().split(/\s/, 1)[0] ?? ''}`;
    case 'command':
      return `command ${step.command[0]}`;
    case 'tool':
      return `tool ${step.tool}`;
  }
}

/** A few of every kind, with what they depend on: enough to find out how long each kind takes. */
export function firstSample(workstreams: readonly Workstream[]): Workstream[] {
  const taken = new Map<string, number>();
  const few = inProportion(workstreams).filter((workstream) => {
    const kind = kindOf(workstream);
    const count = taken.get(kind) ?? 0;
    taken.set(kind, count + 1);
    return count < FIRST_OF_A_KIND;
  });
  const sample = new Sample(workstreams);
  for (const workstream of few.slice(0, FIRST_IN_ALL)) sample.add(workstream);
  return sample.workstreams;
}

export interface Enough {
  /** Work in all, in seconds of one agent. */
  seconds: number;
  /** Workstreams. */
  least: number;
}

/**
 * Of every kind as many in proportion, with what they depend on, until there are enough; all of them where that is
 * not more.
 * @param expected seconds that a workstream takes.
 */
export function sampleOf(
  workstreams: readonly Workstream[],
  enough: Enough,
  expected: (workstream: Workstream) => number,
): Workstream[] {
  const all = workstreams.reduce((sum, workstream) => sum + expected(workstream), 0);
  if (all <= enough.seconds) return [...workstreams];
  const sample = new Sample(workstreams);
  for (const workstream of inProportion(workstreams)) {
    const { size } = sample;
    if (size >= MOST || (size >= enough.least && sample.sum(expected) >= enough.seconds)) break;
    sample.add(workstream);
  }
  return sample.workstreams;
}

/** An order of which every beginning has the kinds in the proportion of the whole. */
function inProportion(workstreams: readonly Workstream[]): Workstream[] {
  const kinds = new Map<string, Workstream[]>();
  for (const workstream of workstreams) {
    const kind = kindOf(workstream);
    const members = kinds.get(kind);
    if (members === undefined) kinds.set(kind, [workstream]);
    else members.push(workstream);
  }
  return [...kinds.values()]
    .flatMap((members) => members.map((workstream, rank) => ({ workstream, place: rank / members.length })))
    .toSorted((a, b) => a.place - b.place)
    .map(({ workstream }) => workstream);
}

/** Workstreams with everything that they depend on. */
class Sample {
  readonly #byId: Map<string, Workstream>;
  readonly #all: readonly Workstream[];
  readonly #ids = new Set<string>();
  #summed = 0;
  #added: Workstream[] = [];

  constructor(all: readonly Workstream[]) {
    this.#all = all;
    this.#byId = new Map(all.map((workstream) => [workstream.id, workstream]));
  }

  get size(): number {
    return this.#ids.size;
  }

  /** In the order of the whole. */
  get workstreams(): Workstream[] {
    return this.#all.filter(({ id }) => this.#ids.has(id));
  }

  add(workstream: Workstream): void {
    const queue = [workstream];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (this.#ids.has(next.id)) continue;
      this.#ids.add(next.id);
      this.#added.push(next);
      for (const { id } of next.dependsOn) {
        const dependency = this.#byId.get(id);
        if (dependency !== undefined) queue.push(dependency);
      }
    }
  }

  /** Adds up what was added since it was asked last, so `valueOf` is always to be the same. */
  sum(valueOf: (workstream: Workstream) => number): number {
    for (const workstream of this.#added) this.#summed += valueOf(workstream);
    this.#added = [];
    return this.#summed;
  }
}
