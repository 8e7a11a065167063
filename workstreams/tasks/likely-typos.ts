import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { distanceFrom } from './algorithms/levenshtein.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { markdownProse } from './lib/markdown-prose.ts';
import { fileSelectionSchema, selectFiles } from './lib/select-files.ts';
import { withoutModulesFolder } from './lib/without-modules-folder.ts';

const inputSchema = z.strictObject({
  files: fileSelectionSchema,
  /** Letters of the shortest word that is looked at. */
  min_letters: z.number().int().positive(),
  /** A word that occurs at most so often may be a typo. */
  rare: z.number().int().positive(),
  /** A word that occurs at least so often may be what was meant. */
  frequent: z.number().int().positive(),
  top: z.number().int().positive(),
});

/** How often a word occurs, and where first. */
interface Word {
  count: number;
  file: string;
}

interface Suspect {
  word: string;
  file: string;
  meant: string;
  times: number;
}

const LONGEST = 32;

/** Compares every rare word of the selected Markdown with every frequent one: those one edit apart are likely typos. */
export default async function findTypos(input: unknown, context: StepContext): Promise<ModuleResult> {
  const options = inputSchema.parse(input);
  const words = countWords(context.workspace, options);
  const all = [...words];
  const rare = all.filter(([, { count }]) => count <= options.rare).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const frequent = all.filter(([, { count }]) => count >= options.frequent);
  context.log.info({ words: words.size, rare: rare.length, frequent: frequent.length }, 'counted');
  const checkpoint = createCheckpoint(context);
  const suspects: Suspect[] = [];
  for (const [i, [word, { file }]] of rare.entries()) {
    await checkpoint(i / rare.length, `${word}: ${suspects.length} suspects so far`);
    const suspect = closest(word, frequent);
    if (suspect !== null) suspects.push({ word, file: withoutModulesFolder(file), ...suspect });
  }
  // The longer a word, the less likely is another word one edit away.
  suspects.sort((a, b) => b.word.length - a.word.length || b.times - a.times);
  const output = {
    different_words: words.size,
    comparisons: rare.length * frequent.length,
    suspects: suspects.length,
    likely_typos: suspects.slice(0, options.top),
  };
  return { output };
}

function countWords(workspace: string, options: z.infer<typeof inputSchema>): Map<string, Word> {
  const words = new Map<string, Word>();
  for (const { path } of selectFiles(workspace, options.files)) {
    const prose = markdownProse(readFileSync(join(workspace, path), 'utf8'));
    for (const [word] of prose.matchAll(/(?<![\w./@-])[A-Za-z]?[a-z]+(?![\w./@-]*\w)/g)) {
      if (word.length < options.min_letters || word.length > LONGEST) continue;
      const known = words.get(word.toLowerCase());
      if (known === undefined) words.set(word.toLowerCase(), { count: 1, file: path });
      else known.count += 1;
    }
  }
  return words;
}

/** The most frequent word that is one edit away, where the edit does not look like another form of the same word. */
function closest(word: string, frequent: readonly [string, Word][]): { meant: string; times: number } | null {
  const distance = distanceFrom(word);
  let found: { meant: string; times: number } | null = null;
  for (const [other, { count }] of frequent) {
    if (distance(other) !== 1 || count <= (found?.times ?? 0) || isOtherForm(word, other)) continue;
    found = { meant: other, times: count };
  }
  return found;
}

/** Words that differ at their ends only, such as "option" and "options", or by a prefix, are both right as a rule. */
function isOtherForm(a: string, b: string): boolean {
  const stem = Math.min(a.length, b.length) - 1;
  return a.slice(0, stem) === b.slice(0, stem) || a.slice(-stem) === b.slice(-stem);
}
