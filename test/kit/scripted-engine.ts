/** An engine whose executions end when, and as, a test says. */
import type { Assignment } from '../../src/domain/assignment.ts';
import type { Engine, ExecuteOptions } from '../../src/domain/engine.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { failedOutcome, type Outcome } from '../../src/domain/outcome.ts';

/** An execution that has not ended. */
export interface OpenExecution {
  assignment: Assignment;
  /** Whether it is queued behind another one of its agent and may be returned. */
  queued: boolean;
  end(outcome: Outcome): void;
  /** As the engine's own fault. */
  reject(error: Error): void;
  /** Only of one that is queued. */
  returnUnstarted(): void;
}

/** Keeps what it is given open. An agent executes what it has in the order in which it got it. */
export class ScriptedEngine implements Engine {
  readonly #open: OpenExecution[] = [];
  readonly #onStart: (assignment: Assignment) => void;
  closed = false;

  constructor(onStart: (assignment: Assignment) => void) {
    this.#onStart = onStart;
  }

  async execute(assignment: Assignment, options: ExecuteOptions): Promise<Outcome> {
    const outcome = await this.#take(assignment, options, false);
    if (outcome === null) throw new Error('what was not queued was returned');
    return outcome;
  }

  async enqueue(assignment: Assignment, options: ExecuteOptions): Promise<Outcome | null> {
    return this.#take(assignment, options, true);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** All of them, in the order in which they were given. */
  get open(): readonly OpenExecution[] {
    return this.#open;
  }

  /** Those that may end now: the first of each agent. */
  get first(): OpenExecution[] {
    const agents = new Set<string>();
    return this.#open.filter(({ assignment: { agentId } }) => {
      if (agents.has(agentId)) return false;
      agents.add(agentId);
      return true;
    });
  }

  #take(assignment: Assignment, { signal }: ExecuteOptions, mayQueue: boolean): Promise<Outcome | null> {
    const { agentId } = assignment;
    const queued = mayQueue && this.#open.some((other) => other.assignment.agentId === agentId);
    this.#onStart(assignment);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#open.splice(this.#open.indexOf(execution), 1);
      };
      const execution: OpenExecution = {
        assignment,
        queued,
        end: (outcome) => {
          leave();
          // What ends it once the run is interrupted need not be what it ended with.
          resolve(signal.aborted && outcome.failure !== null ? failed(STOPPED) : outcome);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
        returnUnstarted: () => {
          if (!queued) throw new Error('only what is queued is returned');
          leave();
          resolve(null);
        },
      };
      this.#open.push(execution);
    });
  }
}

const STOPPED: Failure = { reason: 'cancelled', detail: 'it was stopped' };

/** @param durationSeconds 0.00001 is tiny. Default: 1. */
export function completed(durationSeconds = 1, changes: Partial<Outcome> = {}): Outcome {
  return { ...failed(STOPPED, durationSeconds), status: 'completed', failure: null, ...changes };
}

export function failed(failure: Failure, durationSeconds = 1): Outcome {
  const startedAt = 1_700_000_000_000;
  const span = { startedAt, endedAt: startedAt + durationSeconds * 1000, durationSeconds };
  return failedOutcome(failure, span, null);
}
