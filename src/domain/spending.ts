/** What tools used, put together from what each of them said. */
import type { ToolReport } from './tool.ts';

/** What is known; null where no tool said. */
export interface Spending {
  costUsd: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
}

/** The sum of what is known; null when nothing is. */
export function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** What several tools used together. */
export function spendingOf(reports: readonly ToolReport[]): Spending {
  return {
    costUsd: sumKnown(reports.map(({ costUsd }) => costUsd)),
    inputTokens: sumKnown(reports.map(({ tokens }) => tokens.input)),
    outputTokens: sumKnown(reports.map(({ tokens }) => tokens.output)),
  };
}
