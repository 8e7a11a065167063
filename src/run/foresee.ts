import type { AgentResult } from '../domain/agent-result.ts';
import type { Inheritance } from '../domain/earlier-run.ts';
import type { Plan } from '../domain/plan.ts';
import { Budget } from './budget.ts';
import { FinalResults } from './final-results.ts';

export interface Foreseen {
  plan: Plan;
  /** Dependencies that are not part of the run, and whether they count as met. */
  outside: ReadonlyMap<string, boolean>;
  inheritance: Inheritance;
  /** US dollars that the run may cost; null for no limit. */
  maxCostUsd: number | null;
}

/**
 * The results that a run records before it executes anything. They are those of the run because the run's own
 * `FinalResults` decides them here too. Records nothing.
 */
export function foresee({ plan, outside, inheritance, maxCostUsd }: Foreseen): AgentResult[] {
  const results: AgentResult[] = [];
  const budget = new Budget(maxCostUsd);
  budget.spend(inheritance.spentUsd);
  const decided = new FinalResults({
    runId: '',
    plan,
    outside,
    inheritance,
    journal: {
      publish: (event) => {
        if (event.type === 'workstream-finished') results.push(event.result);
      },
      commit: () => undefined,
    },
    earlierAttempts: () => [],
    refusal: (workstream) => budget.refusalOf(workstream),
    onReady: () => undefined,
  });
  decided.begin();
  return results;
}
