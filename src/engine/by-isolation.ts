import type { Assignment } from '../domain/assignment.ts';
import type { Engine, EngineRunOptions } from '../domain/engine.ts';
import type { Outcome } from '../domain/outcome.ts';

/** Executes each assignment where its workstream asks for: in a thread, or in a process of its own. */
export class EngineByIsolation implements Engine {
  readonly #engines: Record<'thread' | 'process', Engine>;

  constructor(engines: Record<'thread' | 'process', Engine>) {
    this.#engines = engines;
  }

  run(assignment: Assignment, options: EngineRunOptions): Promise<Outcome> {
    return this.#engines[assignment.workstream.isolation].run(assignment, options);
  }

  lineUp(assignment: Assignment, options: EngineRunOptions): Promise<Outcome | null> {
    return this.#engines[assignment.workstream.isolation].lineUp(assignment, options);
  }

  async close(): Promise<void> {
    await Promise.all([this.#engines.thread.close(), this.#engines.process.close()]);
  }
}
