import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import {
  addNumber,
  type Moments,
  NO_NUMBERS,
  standardDeviation,
  standardError,
} from './algorithms/moments.ts';
import { Percolation } from './algorithms/percolation.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { Random } from './lib/random.ts';

const inputSchema = z.strictObject({
  /** Rows, and columns, of the lattice. */
  side: z.number().int().positive(),
  seed: z.number().int(),
  /** Sites of all trials together, so that members with different sides take the same time. */
  sites: z.number().positive(),
});

/** What each member of the sweep gives to the workstream that combines them. */
export const sweepOutputSchema = z.object({
  side: z.number(),
  seed: z.number(),
  trials: z.number(),
  mean: z.number(),
  standard_deviation: z.number(),
});

/** Measures many times at which share of open sites a random lattice begins to let water through. */
export default async function samplePercolation(input: unknown, context: StepContext): Promise<ModuleResult> {
  const { side, seed, sites } = inputSchema.parse(input);
  const trials = Math.ceil(sites / side ** 2);
  const checkpoint = createCheckpoint(context);
  const lattice = new Percolation(side);
  const random = Random.fromSeed(seed);
  let moments: Moments = NO_NUMBERS;
  for (let trial = 0; trial < trials; trial += 1) {
    await checkpoint(
      trial / trials,
      `trial ${trial} of ${trials}: threshold ${moments.mean.toFixed(5)} so far`,
    );
    moments = addNumber(moments, lattice.threshold(random));
  }
  context.log.info({ side, seed, trials, mean: moments.mean }, 'sampled');
  const output: z.infer<typeof sweepOutputSchema> = {
    side,
    seed,
    trials,
    mean: moments.mean,
    standard_deviation: standardDeviation(moments),
  };
  return { output, metrics: { standard_error: standardError(moments) } };
}
