/** Which workstreams become ready, and which can't be executed any more, as others reach their final status. */
import type { FinalStatus } from '../domain/agent-result.ts';
import type { Failure } from '../domain/failure.ts';
import type { Workstream } from '../domain/workstream.ts';

/** A workstream that will never be executed, and why. */
export interface Doomed {
  index: number;
  failure: Failure;
}

/** What one final status changes for others. */
export interface Consequences {
  ready: number[];
  doomed: Doomed[];
}

interface Link {
  index: number;
  when: 'completed' | 'finished';
}

/** What others depend on: a workstream of this run or of an earlier one, or a stage. */
interface Needed {
  links: Link[];
  /** Null as long as it is open. */
  status: FinalStatus | null;
  /** Ends the sentence "It needs X, which …". */
  detail: string;
}

const isMet = (when: Link['when'], status: FinalStatus | null): boolean =>
  when === 'completed' ? status === 'completed' : status !== null;

/**
 * Visits each dependency once, so that a whole run costs O(V + E); where a workstream is opened again, once more what
 * follows from it.
 */
export class DependencyTracker {
  /** By workstream: how many of its dependencies are not met. */
  readonly #unmet: Int32Array;
  readonly #needed = new Map<string, Needed>();
  /** By workstream: 1 once nothing that happens to its dependencies changes what becomes of it. */
  readonly #decided: Uint8Array;
  readonly #workstreams: readonly Workstream[];
  readonly #stages: StageTracker;

  /** @param decided 1 for each workstream that has its final status already; `settle` has to be called for it too. */
  constructor(workstreams: readonly Workstream[], decided: Uint8Array = new Uint8Array(workstreams.length)) {
    this.#unmet = new Int32Array(workstreams.length);
    this.#workstreams = workstreams;
    this.#decided = decided.slice();
    this.#stages = new StageTracker(workstreams);
    workstreams.forEach(({ dependsOn }, index) => {
      this.#unmet[index] = dependsOn.length;
      for (const { id, when } of dependsOn) this.#link(id, { index, when });
      const stage = this.#stages.before(index);
      if (stage === null) return;
      this.#unmet[index] = dependsOn.length + 1;
      this.#link(stage, { index, when: 'finished' });
    });
  }

  #link(id: string, link: Link): void {
    const needed = this.#needed.get(id);
    if (needed === undefined) this.#needed.set(id, { links: [link], status: null, detail: '' });
    else needed.links.push(link);
  }

  /** Workstreams that depend on nothing. */
  free(): number[] {
    const free: number[] = [];
    this.#unmet.forEach((unmet, index) => {
      if (unmet === 0 && this.#decided[index] === 0) free.push(index);
    });
    return free;
  }

  hasDependents(id: string): boolean {
    return this.#needed.has(id) || this.#stages.has(id);
  }

  /** Whether it waits for something that it depends on. */
  isBlocked(index: number): boolean {
    return this.#decided[index] === 0 && (this.#unmet[index] ?? 0) > 0;
  }

  /**
   * Settles `id` with its final status. Returns everything that follows from it, also through dependents that can't be
   * executed any more. `detail` ends the sentence "It needs X, which …".
   */
  settle(id: string, status: FinalStatus, detail: string): Consequences {
    const consequences: Consequences = { ready: [], doomed: [] };
    this.#settleOne(id, status, detail, consequences);
    this.#skipDependents(consequences);
    return consequences;
  }

  /** The list grows while it is walked: what is doomed dooms others. */
  #skipDependents(consequences: Consequences): void {
    for (const { index } of consequences.doomed)
      this.#settleOne(this.#id(index), 'skipped', SKIPPED, consequences);
  }

  #settleOne(id: string, status: FinalStatus, detail: string, consequences: Consequences): void {
    const needed = this.#needed.get(id);
    if (needed !== undefined && needed.status === null) {
      needed.status = status;
      needed.detail = detail;
      for (const { index, when } of needed.links) {
        if (this.#decided[index] === 1) continue;
        if (isMet(when, status)) this.#meet(index, consequences);
        else this.#doom(index, id, detail, consequences);
      }
    }
    for (const stage of this.#stages.finish(id)) this.#settleOne(stage, 'completed', '', consequences);
  }

  #meet(index: number, { ready }: Consequences): void {
    const unmet = (this.#unmet[index] ?? 0) - 1;
    this.#unmet[index] = unmet;
    if (unmet === 0) ready.push(index);
  }

  #doom(index: number, dependency: string, detail: string, { doomed }: Consequences): void {
    this.#decided[index] = 1;
    doomed.push({ index, failure: { reason: 'dependency-failed', dependency, detail } });
  }

  /**
   * The workstreams that were skipped because this one did not complete, also through others, in an order in which each
   * comes after one that it was skipped for.
   * @param isSkipped whether it was skipped because something that it depends on did not complete.
   */
  skippedFor(index: number, isSkipped: (index: number) => boolean): number[] {
    const found = new Set([index]);
    for (const each of found)
      for (const link of this.#needed.get(this.#id(each))?.links ?? [])
        if (link.when === 'completed' && isSkipped(link.index)) found.add(link.index);
    found.delete(index);
    return [...found];
  }

  /**
   * Takes back that these workstreams, which did not complete, have ended. What waits for their end is blocked again, unless
   * it has begun.
   * @param indices the one that is opened again, then those of `skippedFor`.
   * @param mayWait whether it is ready and has not begun.
   * @returns what follows for the others: those that were ready and are blocked now, and of the given ones those that are
   * ready, and those that are skipped for something else.
   */
  reopen(
    indices: readonly number[],
    mayWait: (index: number) => boolean,
  ): Consequences & { blocked: number[] } {
    const blocked: number[] = [];
    const ids = indices.map((index) => this.#id(index));
    for (const id of [...ids, ...ids.flatMap((each) => this.#stages.reopen(each))])
      this.#reopenOne(id, mayWait, blocked);
    for (const index of indices) {
      this.#decided[index] = 0;
      this.#unmet[index] = this.#needs(index).filter(
        ({ when, needed }) => !isMet(when, needed.status),
      ).length;
    }
    const consequences: Consequences = { ready: [], doomed: [] };
    for (const index of indices) this.#decideAgain(index, consequences);
    this.#skipDependents(consequences);
    return { ...consequences, blocked };
  }

  #reopenOne(id: string, mayWait: (index: number) => boolean, blocked: number[]): void {
    const needed = this.#needed.get(id);
    if (needed === undefined) return;
    for (const { index, when } of needed.links) {
      if (this.#decided[index] === 1 || !isMet(when, needed.status)) continue;
      const isReady = this.#unmet[index] === 0;
      if (isReady && !mayWait(index)) this.#decided[index] = 1;
      else this.#unmet[index] = (this.#unmet[index] ?? 0) + 1;
      if (isReady && this.#decided[index] === 0) blocked.push(index);
    }
    needed.status = null;
  }

  /** What a workstream depends on, its stage included. */
  #needs(index: number): { id: string; when: Link['when']; needed: Needed }[] {
    const stage = this.#stages.before(index);
    const all = this.#workstreams[index]?.dependsOn ?? [];
    return [...all, ...(stage === null ? [] : [{ id: stage, when: 'finished' as const }])].flatMap((need) => {
      const needed = this.#needed.get(need.id);
      return needed === undefined ? [] : [{ ...need, needed }];
    });
  }

  #decideAgain(index: number, consequences: Consequences): void {
    if (this.#unmet[index] === 0) consequences.ready.push(index);
    const cause = this.#needs(index).find(
      ({ when, needed: { status } }) => status !== null && !isMet(when, status),
    );
    if (cause === undefined || this.#decided[index] === 1) return;
    this.#doom(index, cause.id, cause.needed.detail, consequences);
  }

  #id(index: number): string {
    return this.#workstreams[index]?.id ?? '';
  }
}

const SKIPPED = 'was skipped (dependency-failed)';

/** Tracks when a stage is over: every workstream of it, and of those before it, has its final status. */
export class StageTracker {
  readonly #stageOf = new Map<string, number>();
  readonly #stages: Int32Array;
  /** By stage: members without a final status. */
  readonly #left: number[] = [];
  /** Members that have one. */
  readonly #ended = new Set<string>();
  /** Stages up to this one are over. */
  #over = 0;

  constructor(workstreams: readonly Workstream[]) {
    this.#stages = stages(workstreams);
    workstreams.forEach(({ id }, index) => {
      const stage = this.#stages[index] ?? 0;
      if (stage === 0) return;
      this.#stageOf.set(id, stage);
      this.#left[stage] = (this.#left[stage] ?? 0) + 1;
    });
    // All of a stage may be needed by earlier ones and so belong to them: then it is over with the one before it.
    for (let stage = 1; stage < this.#left.length; stage++) this.#left[stage] ??= 0;
  }

  /** Name of the stage that the workstream with this index waits for; null for none. No workstream has such an id. */
  before(index: number): string | null {
    const stage = this.#stages[index] ?? 0;
    return stage > 1 ? nameOf(stage - 1) : null;
  }

  has(id: string): boolean {
    return this.#stageOf.has(id);
  }

  /** Counts a workstream as ended. Returns the names of the stages that are over by that. */
  finish(id: string): string[] {
    const stage = this.#stageOf.get(id);
    if (stage === undefined || this.#ended.has(id)) return [];
    this.#ended.add(id);
    this.#left[stage] = (this.#left[stage] ?? 0) - 1;
    const over: string[] = [];
    while (this.#left[this.#over + 1] === 0) {
      this.#over += 1;
      over.push(nameOf(this.#over));
    }
    return over;
  }

  /** Takes back that a workstream has ended. Returns the names of the stages that are not over any more by that. */
  reopen(id: string): string[] {
    const stage = this.#stageOf.get(id);
    if (stage === undefined || !this.#ended.delete(id)) return [];
    this.#left[stage] = (this.#left[stage] ?? 0) + 1;
    const open: string[] = [];
    for (; this.#over >= stage; this.#over -= 1) open.push(nameOf(this.#over));
    return open;
  }
}

const nameOf = (stage: number): string => `stage ${stage}`;

/**
 * The stages that a run goes through one after the other: that of each workstream by its position, from 1; 0 for those
 * that belong to none and wait for none. A stage can't wait for itself, so a dependency belongs at the latest to the
 * stage of its dependents, whatever its `gate`. O(V log V + E). Pure.
 */
export function stages(workstreams: readonly Pick<Workstream, 'id' | 'gate' | 'dependsOn'>[]): Int32Array {
  const stage = new Int32Array(workstreams.length);
  const gated: { index: number; gate: number }[] = [];
  workstreams.forEach(({ gate }, index) => {
    if (gate !== null) gated.push({ index, gate });
  });
  if (gated.length === 0) return stage;
  const seen = new Uint8Array(workstreams.length);
  const indexOf = new Map(workstreams.map(({ id }, index) => [id, index]));
  const numbers = new Map(
    [...new Set(gated.map(({ gate }) => gate))].toSorted((a, b) => a - b).map((gate, at) => [gate, at + 1]),
  );
  const members = gated.map(({ index, gate }) => ({ index, number: numbers.get(gate) ?? 0 }));
  for (const { index, number } of members.toSorted((a, b) => a.number - b.number)) {
    const waiting = [index];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      // The earliest stage comes first.
      if (seen[next] === 1) continue;
      seen[next] = 1;
      if (workstreams[next]?.gate !== null) stage[next] = number;
      for (const { id } of workstreams[next]?.dependsOn ?? []) {
        const needed = indexOf.get(id);
        if (needed !== undefined) waiting.push(needed);
      }
    }
  }
  return stage;
}
