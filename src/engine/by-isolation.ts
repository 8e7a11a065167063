import type { Assignment } from '../domain/assignment.ts';
import type { BatchOptions, Engine, ExecuteOptions, LocalEngine } from '../domain/engine.ts';
import type { Outcome } from '../domain/outcome.ts';

interface Engines {
  thread: LocalEngine & Required<Pick<Engine, 'executeBatch'>>;
  /** The caller decides how many of its executions run at once. */
  process: Engine & Pick<LocalEngine, 'inChildren'>;
}

/** Executes each assignment where its workstream asks for: in a thread, or in a process of its own. */
export class EngineByIsolation implements LocalEngine {
  readonly #engines: Engines;

  constructor(engines: Engines) {
    this.#engines = engines;
  }

  execute(assignment: Assignment, options: ExecuteOptions): Promise<Outcome> {
    return this.#engines[assignment.workstream.isolation].execute(assignment, options);
  }

  /** Only workstreams whose isolation is a thread are executed in batches. */
  executeBatch(assignments: readonly Assignment[], options: BatchOptions): Promise<readonly number[]> {
    return this.#engines.thread.executeBatch(assignments, options);
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
