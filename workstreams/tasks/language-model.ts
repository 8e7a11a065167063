import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { BigramModel } from './algorithms/bigram-model.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { markdownProse } from './lib/markdown-prose.ts';
import { Random } from './lib/random.ts';
import { round } from './lib/round.ts';
import { fileSelectionSchema, selectFiles } from './lib/select-files.ts';
import { words } from './lib/words.ts';

const inputSchema = z.strictObject({
  files: fileSelectionSchema,
  /** Every so many files one is kept from training and tested with. */
  hold_out_every: z.number().int().min(2),
  discounts: z.array(z.number().min(0).max(1)),
  sentences: z.number().int().positive(),
  seed: z.number().int(),
});

/** What the model says is cut after so many words, and not shown when it has fewer than the least. */
const MOST_WORDS = 20;
const LEAST_WORDS = 8;

/** Trains a model of word pairs on the selected Markdown, tests it on text it has not seen, and lets it speak. */
export default async function trainLanguageModel(
  input: unknown,
  context: StepContext,
): Promise<ModuleResult> {
  const options = inputSchema.parse(input);
  const checkpoint = createCheckpoint(context);
  const files = selectFiles(context.workspace, options.files);
  const training: string[][] = [];
  const heldOut: string[][] = [];
  for (const [i, { path }] of files.entries()) {
    await checkpoint((0.5 * i) / files.length, `reading ${path}`);
    const target = i % options.hold_out_every === options.hold_out_every - 1 ? heldOut : training;
    for (const sentence of sentencesOf(readFileSync(join(context.workspace, path), 'utf8')))
      target.push(sentence);
  }
  const model = new BigramModel(training);
  context.log.info({ words: model.vocabulary, pairs: model.pairs }, 'trained');
  const best = model.bestDiscount;
  const perplexities: { discount: number; perplexity: number }[] = [];
  for (const [i, discount] of [...options.discounts, best].entries()) {
    await checkpoint(0.5 + (0.5 * i) / options.discounts.length, `testing discount ${discount}`);
    perplexities.push({
      discount: round(discount, 3),
      perplexity: round(model.perplexity(heldOut, discount), 1),
    });
  }
  const perplexity = round(model.perplexity(heldOut, best), 1);
  const output = {
    training_sentences: training.length,
    held_out_sentences: heldOut.length,
    vocabulary: model.vocabulary,
    word_pairs: model.pairs,
    estimated_discount: round(best, 3),
    perplexity_on_held_out_text: perplexity,
    perplexities: perplexities.toSorted((a, b) => a.discount - b.discount),
    it_says: speak(model, options.sentences, Random.fromSeed(options.seed)),
  };
  return { output, metrics: { perplexity } };
}

function speak(model: BigramModel, sentences: number, random: Random): string {
  const said: string[] = [];
  // A model of short sentences may never say a long one.
  for (let attempt = 0; said.length < sentences && attempt < 100 * sentences; attempt += 1) {
    const sentence = model.sentence(random, MOST_WORDS);
    if (sentence.length >= LEAST_WORDS) said.push(sentence.join(' '));
  }
  return said.join('\n');
}

/** Split at full stops and the like, paragraphs and list items; a sentence has at least three words. */
function sentencesOf(markdown: string): string[][] {
  return markdownProse(markdown)
    .split(/[.!?:;]+\s|\n\s*\n|\n\s*[-+\d]/)
    .map(words)
    .filter((sentence) => sentence.length >= 3);
}
