import { expect, test } from 'vitest';
import samplePercolation, { sweepOutputSchema } from '../../../workstreams/tasks/percolation-sweep.ts';
import combinePercolation from '../../../workstreams/tasks/percolation-threshold.ts';
import { makeContext } from '../make-context.ts';

const member = async (side: number, seed: number) => {
  const { output } = await samplePercolation({ side, seed, sites: 100_000 }, makeContext());
  return sweepOutputSchema.parse(output);
};

test('a member has as many trials as its sites allow, and depends on nothing but its input', async () => {
  const output = await member(32, 1);
  expect(output).toMatchObject({ side: 32, seed: 1, trials: 98 });
  expect(Math.abs(output.mean - 0.5927)).toBeLessThan(0.02);
  expect(await member(32, 1)).toEqual(output);
  expect(await member(32, 2)).not.toEqual(output);
});

test('members with the same side count together, and the line through the sides is extrapolated', async () => {
  const trials = 100;
  const of = (side: number, seed: number, off: number) => {
    return { side, seed, trials, mean: 0.59 + side ** (-7 / 4) + off, standard_deviation: 0.01 };
  };
  const dependencies = { a: of(32, 1, 0.001), b: of(32, 2, -0.001), c: of(64, 1, 0), d: of(64, 2, 0) };
  const { output, metrics } = await combinePercolation({ known: 0.59 }, makeContext({ dependencies }));
  expect(output).toMatchObject({
    threshold: 0.59,
    known_value: 0.59,
    standard_errors_off: 0,
    known_value_is_inside: true,
    by_side: [
      { side: 32, trials: 200, mean: 0.592323, difference: 0.002323 },
      { side: 64, trials: 200, mean: 0.590691, difference: 0.000691 },
    ],
  });
  expect(metrics?.['standard_error']).toBeGreaterThan(0.01 / Math.sqrt(200));
});

test('outputs that are no members of the sweep are refused', async () => {
  const dependencies = { a: { side: 'large' } };
  await expect(combinePercolation({ known: 0.59 }, makeContext({ dependencies }))).rejects.toThrow('side');
});
