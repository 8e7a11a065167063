/** Which workstreams are run to find out how many agents suit them. Pure. */
import type { Plan } from '../domain/plan.ts';
import type { LeftOut, WhyLeftOut } from '../domain/tuning.ts';
import type { Step, Workstream } from '../domain/workstream.ts';

/** Numbers of agents are tried up to this many for each core. */
const MOST_EACH_CORE = 4;

/** Workstreams of one kind that are run first, to find out how long they take; and those of all kinds at most. */
const FIRST_OF_A_KIND = 2;
const FIRST_IN_ALL = 200;

/** Most workstreams of a part: their ids are arguments of a command. */
const MOST = 2000;

/**
 * Powers of two and the cores, up to four agents for each core.
 * @param most workstreams that can be executed at the same time: more agents would have nothing to do.
 */
export function countsToTry(cores: number, most: number): number[] {
  const whole = Math.max(1, Math.ceil(cores));
  const counts = new Set([whole]);
  for (let count = 1; count <= whole * MOST_EACH_CORE; count *= 2) counts.add(count);
  return [...counts].filter((count) => count <= Math.max(1, most)).toSorted((a, b) => a - b);
}

/** What may be run again and again: not what costs money, leaves commits, or needs what is left out. */
export function isTriable({ workstreams, broken }: Pick<Plan, 'workstreams' | 'broken'>): {
  workstreams: Workstream[];
  leftOut: LeftOut[];
} {
  const why = new Map<string, WhyLeftOut>(broken.map(({ id }) => [id, 'broken']));
  const dependents = new Map<string, string[]>();
  for (const workstream of workstreams) {
    const reason = ownReason(workstream);
    if (reason !== null) why.set(workstream.id, reason);
    for (const { id } of workstream.dependsOn) {
      const others = dependents.get(id);
      if (others === undefined) dependents.set(id, [workstream.id]);
      else others.push(workstream.id);
    }
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

/**
 * A few of every kind, with what they depend on: enough to find out how long each kind takes. Of a kind that depends on
 * more than that there is none.
 */
export function firstSample(workstreams: readonly Workstream[]): Workstream[] {
  const taken = new Map<string, number>();
  const sample = new Sample(workstreams);
  for (const workstream of inProportion(workstreams)) {
    const kind = kindOf(workstream);
    const count = taken.get(kind) ?? 0;
    if (count >= FIRST_OF_A_KIND) continue;
    if (sample.add(workstream, FIRST_IN_ALL - sample.size)) taken.set(kind, count + 1);
  }
  return sample.workstreams;
}

export interface Enough {
  /** Work in all, in seconds of one agent. */
  seconds: number;
  /** Workstreams. */
  least: number;
  /** Whether all of them can be run without naming each. */
  mayBeAll: boolean;
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
  const all = sumOf(workstreams, expected);
  if (all <= enough.seconds && (enough.mayBeAll || workstreams.length <= MOST)) return [...workstreams];
  const sample = new Sample(workstreams);
  // One that needs thousands of others would make the sample the whole.
  const isSmall = (more: readonly Workstream[]): boolean =>
    more.length <= enough.least || sumOf(more, expected) <= enough.seconds;
  let seconds = 0;
  for (const workstream of inProportion(workstreams)) {
    if (sample.size >= MOST || (sample.size >= enough.least && seconds >= enough.seconds)) break;
    const added = sample.add(workstream, MOST - sample.size, isSmall);
    if (added !== null) seconds += sumOf(added, expected);
  }
  return sample.workstreams;
}

const sumOf = (workstreams: readonly Workstream[], valueOf: (workstream: Workstream) => number): number =>
  workstreams.reduce((sum, workstream) => sum + valueOf(workstream), 0);

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

  /**
   * Adds it with what it needs, and returns what was added; null where that would be more than `room`, or is not
   * wanted: then nothing was added.
   */
  add(
    workstream: Workstream,
    room: number,
    isWanted: (more: readonly Workstream[]) => boolean = () => true,
  ): Workstream[] | null {
    const more = new Set<Workstream>();
    if (!this.#ids.has(workstream.id)) more.add(workstream);
    // A set is walked in the order of insertion, what is added on the way included.
    for (const { dependsOn } of more) {
      if (more.size > room) return null;
      for (const { id } of dependsOn) {
        const dependency = this.#byId.get(id);
        if (dependency !== undefined && !this.#ids.has(id)) more.add(dependency);
      }
    }
    const added = [...more];
    if (added.length > room || !isWanted(added)) return null;
    for (const { id } of added) this.#ids.add(id);
    return added;
  }
}
