import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { type Moments, mergeMoments, NO_NUMBERS, standardError } from './algorithms/moments.ts';
import { weightedLine } from './algorithms/weighted-line.ts';
import { round } from './lib/round.ts';
import { sweepOutputSchema } from './percolation-sweep.ts';

const inputSchema = z.strictObject({
  /** The threshold of an infinite lattice. */
  known: z.number(),
});

/** Half the width of a 95 % confidence interval in standard errors, for the many trials of a sweep. */
const NORMAL_95 = 1.96;

/** The mean threshold of a lattice is off by side^-7/4: Ziff, "Spanning probability in 2D percolation", 1992. */
const FINITE_SIZE_EXPONENT = -7 / 4;

/** Extrapolates the members of the percolation sweep to an infinite lattice and compares with the known value. */
export default async function combinePercolation(
  input: unknown,
  context: StepContext,
): Promise<ModuleResult> {
  const { known } = inputSchema.parse(input);
  const members = z.record(z.string(), sweepOutputSchema).parse(context.dependencies);
  const sides = mergeBySide(Object.values(members));
  const points = sides.map(([side, moments]) => {
    return { x: side ** FINITE_SIZE_EXPONENT, y: moments.mean, error: standardError(moments) };
  });
  const { intercept: threshold, interceptError: error } = weightedLine(points);
  const standardErrorsOff = Math.abs(threshold - known) / error;
  context.log.info({ members: Object.keys(members).length, threshold }, 'combined');
  const output = {
    threshold: round(threshold, 6),
    confidence_interval_95: interval(threshold, error),
    known_value: known,
    standard_errors_off: round(standardErrorsOff, 2),
    known_value_is_inside: standardErrorsOff <= NORMAL_95,
    by_side: sides.map(([side, moments]) => ({
      side,
      trials: moments.count,
      mean: round(moments.mean, 6),
      confidence_interval_95: interval(moments.mean, standardError(moments)),
      difference: round(moments.mean - known, 6),
    })),
  };
  return { output, metrics: { threshold, standard_error: error } };
}

/** The trials of all members with the same side together, by side. */
function mergeBySide(members: readonly z.infer<typeof sweepOutputSchema>[]): [number, Moments][] {
  const bySide = new Map<number, Moments>();
  for (const { side, trials, mean, standard_deviation } of members) {
    const squares = standard_deviation ** 2 * (trials - 1);
    bySide.set(side, mergeMoments(bySide.get(side) ?? NO_NUMBERS, { count: trials, mean, squares }));
  }
  return [...bySide].toSorted(([a], [b]) => a - b);
}

function interval(mean: number, error: number): string {
  return `${(mean - NORMAL_95 * error).toFixed(6)} to ${(mean + NORMAL_95 * error).toFixed(6)}`;
}
