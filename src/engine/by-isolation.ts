import type { Assignment } from '../domain/assignment.ts';
import type { Engine, EngineRunOptions, ScalableEngine } from '../domain/engine.ts';
import type { Outcome } from '../domain/outcome.ts';

interface Engines {
  thread: ScalableEngine;
  /** How many of it run at once is up to the caller. */
  process: Engine;
}

/** Executes each assignment where its workstream asks for: in a thread, or in a process of its own. */
export class EngineByIsolation implements ScalableEngine {
  readonly #engines: Engines;

  constructor(engines: Engines) {
    this.#engines = engines;
  }

  run(assignment: Assignment, options: EngineRunOptions): Promise<Outcome> {
    return this.#engines[assignment.workstream.isolation].run(assignment, options);
  }

  lineUp(assignment: Assignment, options: EngineRunOptions): Promise<Outcome | null> {
    return this.#engines[assignment.workstream.isolation].lineUp(assignment, options);
  }

  resize(agents: number): void {
    this.#engines.thread.resize(agents);
  }

  get inChildren(): number {
    return this.#engines.thread.inChildren + this.#engines.process.inChildren;
  }

  async close(): Promise<void> {
    await Promise.all([this.#engines.thread.close(), this.#engines.process.close()]);
  }
}
