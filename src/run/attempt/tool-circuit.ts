import type { Failure, Reason } from '../../domain/failure.ts';

/** Failures that lie with the tool and not with the work it was given. */
const OF_THE_TOOL: ReadonlySet<string> = new Set<Reason>([
  'tool-not-found',
  'tool-unsupported',
  'tool-not-logged-in',
  'tool-quota',
  'tool-error',
  'no-model-answer',
]);

interface Streak {
  reason: Reason;
  count: number;
}

/**
 * Knows when a tool fails the same way again and again, so that the rest of its workstreams are not started one by one
 * into the same wall. Any other outcome of the tool ends the streak; once open, it stays open for the run.
 */
export class ToolCircuit {
  readonly #threshold: number;
  readonly #streaks = new Map<string, Streak>();

  /** @param threshold failures in a row that open it; 0 for never. */
  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Takes the end of an attempt that used the tool. */
  record(tool: string, failure: Failure | null): void {
    if (this.refusal(tool) !== null) return;
    if (failure === null || !OF_THE_TOOL.has(failure.reason)) {
      this.#streaks.delete(tool);
      return;
    }
    const streak = this.#streaks.get(tool);
    const count = streak?.reason === failure.reason ? streak.count + 1 : 1;
    this.#streaks.set(tool, { reason: failure.reason, count });
  }

  /** Why nothing more is given to the tool; null while it is used. */
  refusal(tool: string): Failure | null {
    const streak = this.#streaks.get(tool);
    if (streak === undefined || this.#threshold === 0 || streak.count < this.#threshold) return null;
    return { reason: 'circuit-open', tool, cause: streak.reason, count: streak.count };
  }
}
