/** Which workstreams become ready, and which can't be executed any more, as others reach their final status. */
import type { FinalStatus } from '../domain/agent-result.ts';
import type { Failure } from '../domain/failure.ts';
import type { Workstream } from '../domain/workstream.ts';

/** A workstream that will never be executed, and why. */
interface Doomed {
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

/** Visits each dependency once, so that a whole run costs O(V + E). */
export class DependencyTracker {
  readonly #unmet: Int32Array;
  readonly #dependents = new Map<string, Link[]>();
  readonly #decided: Uint8Array;
  readonly #ids: string[];
  readonly #stages: StageTracker;

  /** @param decided 1 for each workstream that has its final status already; `settle` has to be called for it too. */
  constructor(workstreams: readonly Workstream[], decided: Uint8Array = new Uint8Array(workstreams.length)) {
    this.#unmet = new Int32Array(workstreams.length);
    this.#ids = workstreams.map(({ id }) => id);
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
    const links = this.#dependents.get(id);
    if (links === undefined) this.#dependents.set(id, [link]);
    else links.push(link);
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
    return this.#dependents.has(id) || this.#stages.has(id);
  }

  /**
   * Settles `id` with its final status. Returns everything that follows from it, also through dependents that can't be
   * executed any more. `detail` ends the sentence "It needs X, which …".
   */
  settle(id: string, status: FinalStatus, detail: string): Consequences {
    const consequences: Consequences = { ready: [], doomed: [] };
    this.#settleOne(id, status, detail, consequences);
    // The list grows while it is walked: what is doomed dooms others.
    for (const { index } of consequences.doomed) {
      this.#settleOne(this.#ids[index] ?? '', 'skipped', 'was skipped (dependency-failed)', consequences);
    }
    return consequences;
  }

  #settleOne(id: string, status: FinalStatus, detail: string, consequences: Consequences): void {
    for (const { index, when } of this.#dependents.get(id) ?? []) {
      if (this.#decided[index] === 1) continue;
      if (when === 'completed' && status !== 'completed') {
        this.#decided[index] = 1;
        consequences.doomed.push({ index, failure: { reason: 'dependency-failed', dependency: id, detail } });
      } else {
        const unmet = (this.#unmet[index] ?? 0) - 1;
        this.#unmet[index] = unmet;
        if (unmet === 0) consequences.ready.push(index);
      }
    }
    this.#dependents.delete(id);
    for (const stage of this.#stages.finish(id)) this.#settleOne(stage, 'completed', '', consequences);
  }
}

/** Tracks when a stage is over: every workstream of it, and of those before it, has its final status. */
export class StageTracker {
  readonly #stageOf = new Map<string, number>();
  readonly #stages: Int32Array;
  /** By stage: members without a final status. */
  readonly #left: number[] = [];
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
    if (stage === undefined) return [];
    this.#stageOf.delete(id);
    this.#left[stage] = (this.#left[stage] ?? 0) - 1;
    const over: string[] = [];
    while (this.#left[this.#over + 1] === 0) {
      this.#over += 1;
      over.push(nameOf(this.#over));
    }
    return over;
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
