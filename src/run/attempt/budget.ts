import type { CostLimit } from '../../domain/assignment.ts';
import type { Failure } from '../../domain/failure.ts';
import type { ToolReport } from '../../domain/tool.ts';
import type { Workstream } from '../../domain/workstream.ts';

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

  /** Why a workstream is not started; null while it may be. One without a tool costs nothing. */
  refusalOf(workstream: Workstream): Failure | null {
    const refusal = this.refusal();
    return refusal !== null && usesTool(workstream) ? refusal : null;
  }

  /**
   * What limits one attempt: the run's money and the workstream's, that of which least is left first. Attempts that run
   * at the same time are each told of all that is left of the run's.
   */
  forAttempt(workstream: { limitUsd: number | null; spentUsd: number }): CostLimit[] {
    if (workstream.limitUsd === null && this.#limitUsd === null) return [];
    const run = { of: 'run' as const, limitUsd: this.#limitUsd, spentUsd: this.#spentUsd };
    return [{ of: 'workstream' as const, ...workstream }, run]
      .flatMap(({ limitUsd, ...rest }) => (limitUsd === null ? [] : [{ limitUsd, ...rest }]))
      .toSorted((a, b) => leftOf(a) - leftOf(b));
  }
}

/** Whether any of its steps is a tool's. */
export const usesTool = ({ steps }: Workstream): boolean => steps.some(({ kind }) => kind === 'tool');

const leftOf = ({ limitUsd, spentUsd }: CostLimit): number => limitUsd - spentUsd;

/** What tools are known to have cost together, and which of them did not say. */
export function costOf(reports: readonly ToolReport[]): { knownUsd: number | null; unknown: string[] } {
  const known = reports.flatMap(({ costUsd }) => (costUsd === null ? [] : [costUsd]));
  const unknown = reports.filter(({ costUsd }) => costUsd === null).map(({ tool }) => tool);
  return {
    knownUsd: known.length === 0 ? null : known.reduce((sum, usd) => sum + usd, 0),
    unknown: [...new Set(unknown)],
  };
}
