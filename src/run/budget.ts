import type { Failure } from '../domain/failure.ts';
import type { ToolReport } from '../domain/tool.ts';

/** What a run has spent on tools, as far as they say. */
export class Budget {
  readonly #limitUsd: number | null;
  #spentUsd = 0;

  /** @param limitUsd US dollars that the run may cost; null for no limit. */
  constructor(limitUsd: number | null) {
    this.#limitUsd = limitUsd;
  }

  /** Takes what an attempt is known to have cost. */
  spend(usd: number): void {
    this.#spentUsd += usd;
  }

  /** Why no tool is started any more; null while there is money left. */
  refusal(): Failure | null {
    if (this.#limitUsd === null || this.#spentUsd < this.#limitUsd) return null;
    return { reason: 'budget-exceeded', of: 'run', limitUsd: this.#limitUsd, spentUsd: this.#spentUsd };
  }

  /**
   * What one attempt may spend: the least of what is left of the run's money and of the workstream's; null for no
   * limit. Attempts that run at the same time are each told of all that is left of the run's.
   */
  forAttempt(workstream: { limitUsd: number | null; spentUsd: number }): number | null {
    const limits = [
      this.#limitUsd === null ? null : this.#limitUsd - this.#spentUsd,
      workstream.limitUsd === null ? null : workstream.limitUsd - workstream.spentUsd,
    ].filter((limit) => limit !== null);
    return limits.length === 0 ? null : Math.max(0, Math.min(...limits));
  }
}

/** What tools are known to have cost together, and which of them did not say. */
export function costOf(reports: readonly ToolReport[]): { knownUsd: number | null; unknown: string[] } {
  const known = reports.flatMap(({ costUsd }) => (costUsd === null ? [] : [costUsd]));
  const unknown = reports.filter(({ costUsd }) => costUsd === null).map(({ tool }) => tool);
  return {
    knownUsd: known.length === 0 ? null : known.reduce((sum, usd) => sum + usd, 0),
    unknown: [...new Set(unknown)],
  };
}
