import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { mergeMoments, type Moments, NO_NUMBERS, standardError } from './algorithms/moments.ts';
import { round } from './lib/round.ts';
import { sweepOutputSchema } from './percolation-sweep.ts';

const inputSchema = z.strictObject({
  /** The threshold of an infinite lattice. */
  known: z.number(),
});

/** Half the width of a 95 % confidence interval in standard errors, for the many trials of a sweep. */
const NORMAL_95 = 1.96;

interface Estimate {
  mean: number;
  error: number;
}

/** Combines the members of the percolation sweep to one estimate and compares it with the known value. */
export default async function combinePercolation(
  input: unknown,
  context: StepContext,
): Promise<ModuleResult> {
  const { known } = inputSchema.parse(input);
  const members = z.record(z.string(), sweepOutputSchema).parse(context.dependencies);
  const bySide = new Map<number, Moments>();
  for (const { side, trials, mean, standard_deviation } of Object.values(members)) {
    const squares = standard_deviation ** 2 * (trials - 1);
    bySide.set(side, mergeMoments(bySide.get(side) ?? NO_NUMBERS, { count: trials, mean, squares }));
  }
  const sides = [...bySide].toSorted(([a], [b]) => a - b);
  const all = weightedMean(
    sides.map(([, moments]) => ({ mean: moments.mean, error: standardError(moments) })),
  );
  const off = Math.abs(all.mean - known);
  context.log.info({ members: Object.keys(members).length, threshold: all.mean }, 'combined');
  const output = {
    threshold: round(all.mean, 6),
    confidence_interval_95: interval(all),
    known_value: known,
    standard_errors_off: round(off / all.error, 2),
    known_value_is_inside: off <= NORMAL_95 * all.error,
    by_side: sides.map(([side, moments]) => ({
      side,
      trials: moments.count,
      mean: round(moments.mean, 6),
      confidence_interval_95: interval({ mean: moments.mean, error: standardError(moments) }),
      difference: round(moments.mean - known, 6),
    })),
  };
  return { output, metrics: { threshold: all.mean, standard_error: all.error } };
}

/** The mean of independent estimates with the least error: each weighs by the inverse of its squared error. */
function weightedMean(estimates: readonly Estimate[]): Estimate {
  const weights = estimates.reduce((sum, { error }) => sum + 1 / error ** 2, 0);
  const mean = estimates.reduce((sum, { mean, error }) => sum + mean / error ** 2, 0) / weights;
  return { mean, error: 1 / Math.sqrt(weights) };
}

function interval({ mean, error }: Estimate): string {
  return `${(mean - NORMAL_95 * error).toFixed(6)} to ${(mean + NORMAL_95 * error).toFixed(6)}`;
}
