import type { ToolPerformance } from './run-record.ts';
import { sumKnown } from './spending.ts';

/** What all tools together cost, as far as it is known. */
export function totalCost(tools: readonly ToolPerformance[]): { knownUsd: number | null; unknown: number } {
  return {
    knownUsd: sumKnown(tools.map(({ costUsd }) => costUsd)),
    unknown: tools.reduce((sum, { unknownCosts }) => sum + unknownCosts, 0),
  };
}
