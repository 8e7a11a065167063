/** Which workstreams become ready, and which can't run any more, as others reach their final status. */
import type { FinalStatus } from '../domain/agent-result.ts';
import type { Failure } from '../domain/failure.ts';
import type { Workstream } from '../domain/workstream.ts';
import { Stages } from './stages.ts';

/** A workstream that will never run, and why. */
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

/** Each dependency is looked at once, so a whole run costs O(V + E). */
export class Dependencies {
  readonly #unmet: Int32Array;
  readonly #dependents = new Map<string, Link[]>();
  readonly #decided: Uint8Array;
  readonly #ids: string[];
  readonly #stages: Stages;

  /** @param decided 1 for each workstream that has its final status already; `settle` is told of it all the same. */
  constructor(workstreams: readonly Workstream[], decided: Uint8Array = new Uint8Array(workstreams.length)) {
    this.#unmet = new Int32Array(workstreams.length);
    this.#ids = workstreams.map(({ id }) => id);
    this.#decided = decided.slice();
    this.#stages = new Stages(workstreams);
    for (const [index, workstream] of workstreams.entries()) {
      this.#unmet[index] = workstream.dependsOn.length;
      for (const { id, when } of workstream.dependsOn) this.#link(id, { index, when });
      const stage = this.#stages.before(index);
      if (stage === null) continue;
      this.#unmet[index] = workstream.dependsOn.length + 1;
      this.#link(stage, { index, when: 'finished' });
    }
  }

  #link(id: string, link: Link): void {
    const links = this.#dependents.get(id);
    if (links === undefined) this.#dependents.set(id, [link]);
    else links.push(link);
  }

  /** Workstreams that need nothing. */
  free(): number[] {
    return [...this.#unmet.keys()].filter((index) => this.#unmet[index] === 0 && this.#decided[index] === 0);
  }

  hasDependents(id: string): boolean {
    return this.#dependents.has(id) || this.#stages.has(id);
  }

  /**
   * Says that `id` has its final status, and gives everything that follows from it, also through what can't run any
   * more. `detail` ends the sentence "It needs X, which …".
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
