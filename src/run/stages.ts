import type { Workstream } from '../domain/workstream.ts';
import { stages } from '../plan/gates.ts';

/** Knows when a stage is over: every workstream of it, and of those before it, has its final status. */
export class Stages {
  readonly #stageOf = new Map<string, number>();
  readonly #stages: Int32Array;
  /** By stage: members without a final status. */
  readonly #left: number[] = [];
  /** Stages up to this one are over. */
  #over = 0;

  constructor(workstreams: readonly Workstream[]) {
    this.#stages = stages(workstreams);
    for (const [index, { id }] of workstreams.entries()) {
      const stage = this.#stages[index] ?? 0;
      if (stage === 0) continue;
      this.#stageOf.set(id, stage);
      this.#left[stage] = (this.#left[stage] ?? 0) + 1;
    }
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

  /** Takes a final status, and gives the names of the stages that are over now. */
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
