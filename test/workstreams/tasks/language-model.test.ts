import { expect, test } from 'vitest';
import { z } from 'zod';
import trainLanguageModel from '../../../workstreams/tasks/language-model.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

const outputSchema = z.object({
  training_sentences: z.number(),
  held_out_sentences: z.number(),
  vocabulary: z.number(),
  perplexity_on_held_out_text: z.number(),
  perplexities: z.array(z.object({ discount: z.number(), perplexity: z.number() })),
  it_says: z.string(),
});

test('learns from most files and is tested with the rest', async () => {
  const workspace = temporaryFolder();
  const text =
    'The cat sat on the mat near the dog that sat on the cat. Too short. The dog ran.\n\n- The cat ran.';
  writeFiles(workspace, { 'a.md': text, 'b.md': text, 'c.md': 'The dog sat on the mat.' });
  const input = {
    files: { patterns: ['*.md'], max_megabytes: 1 },
    hold_out_every: 3,
    discounts: [0.9, 0.1],
    sentences: 2,
    seed: 1,
  };
  const run = async () =>
    outputSchema.parse((await trainLanguageModel(input, makeContext({ workspace }))).output);
  const output = await run();
  expect(output).toMatchObject({ training_sentences: 6, held_out_sentences: 1, vocabulary: 9 });
  expect(output.perplexities).toHaveLength(3);
  expect(output.perplexities[0]?.discount).toBe(0.1);
  expect(output.perplexity_on_held_out_text).toBeGreaterThan(1);
  expect(output.perplexity_on_held_out_text).toBeLessThan(9);
  for (const sentence of output.it_says.split('\n')) expect(sentence).toMatch(/^the( [a-z]+){7,19}$/);
  expect(await run()).toEqual(output);
});
