import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { type Bm25Parameters, SearchIndex } from './algorithms/bm25.ts';
import { type Checkpoint, createCheckpoint } from './lib/checkpoint.ts';
import { packageFolders, readManifest } from './lib/installed-package.ts';
import { round } from './lib/round.ts';
import { fileSelectionSchema, selectFiles } from './lib/select-files.ts';
import { withoutModulesFolder } from './lib/without-modules-folder.ts';
import { words } from './lib/words.ts';

const inputSchema = z.strictObject({
  files: fileSelectionSchema,
  queries: z.array(z.string()).min(1),
  k1: z.array(z.number().positive()).min(1),
  b: z.array(z.number().min(0).max(1)).min(1),
});

/** A question with one right answer: what a package says about itself, and its own README. */
interface KnownItem {
  query: string[];
  document: number;
}

/** How well a ranking finds the known items. */
interface Quality extends Bm25Parameters {
  /** Mean of 1 / the right document's place. */
  mean_reciprocal_rank: number;
  /** Share of questions whose first hit is right. */
  first_is_right: number;
}

/**
 * Builds a search index over the selected Markdown, answers the queries with it, and finds the parameters with which a
 * package's description most often leads to its README.
 */
export default async function searchReadmes(input: unknown, context: StepContext): Promise<ModuleResult> {
  const { files: selection, queries, k1: allK1, b: allB } = inputSchema.parse(input);
  const checkpoint = createCheckpoint(context);
  const index = new SearchIndex();
  const items: KnownItem[] = [];
  const folders = new Set(packageFolders(context.workspace));
  const files = selectFiles(context.workspace, selection);
  for (const { path } of files) {
    await checkpoint(null, `indexing ${path}`);
    const document = index.add(words(readFileSync(join(context.workspace, path), 'utf8')));
    const query = descriptionFor(context.workspace, folders, path);
    if (query !== null) items.push({ query, document });
  }
  context.log.info({ documents: files.length, words: index.vocabulary, questions: items.length }, 'indexed');
  const grid = allK1.flatMap((k1) => allB.map((b) => ({ k1, b })));
  const qualities = await tune(index, items, grid, checkpoint);
  const best = qualities.reduce((a, b) => (b.mean_reciprocal_rank > a.mean_reciprocal_rank ? b : a));
  const output = {
    documents: files.length,
    different_words: index.vocabulary,
    questions: items.length,
    best_parameters: `k1 = ${best.k1}, b = ${best.b}`,
    mean_reciprocal_rank: best.mean_reciprocal_rank,
    first_hits: queries.map((query) => firstHits(index, query, best, files)),
    parameters: qualities.toSorted((a, b) => b.mean_reciprocal_rank - a.mean_reciprocal_rank),
  };
  return { output, metrics: { mean_reciprocal_rank: best.mean_reciprocal_rank } };
}

/** What a package says about itself, for the README in its folder; null for other files and where it says nothing. */
function descriptionFor(workspace: string, folders: ReadonlySet<string>, path: string): string[] | null {
  if (!/\/readme\.md$/i.test(path) || !folders.has(dirname(path))) return null;
  const query = words(readManifest(workspace, dirname(path)).description);
  return query.length === 0 ? null : query;
}

async function tune(
  index: SearchIndex,
  items: readonly KnownItem[],
  grid: readonly Bm25Parameters[],
  checkpoint: Checkpoint,
): Promise<Quality[]> {
  const qualities: Quality[] = [];
  for (const [i, { k1, b }] of grid.entries()) {
    let reciprocals = 0;
    let right = 0;
    for (const { query, document } of items) {
      await checkpoint(i / grid.length, `k1 = ${k1}, b = ${b}`);
      const place = index.search(query, { k1, b }).findIndex((hit) => hit.document === document);
      if (place >= 0) reciprocals += 1 / (place + 1);
      if (place === 0) right += 1;
    }
    const mean_reciprocal_rank = round(reciprocals / items.length, 4);
    qualities.push({ k1, b, mean_reciprocal_rank, first_is_right: round(right / items.length, 4) });
  }
  return qualities;
}

function firstHits(
  index: SearchIndex,
  query: string,
  parameters: Bm25Parameters,
  files: readonly { path: string }[],
) {
  const [first, second] = index.search(words(query), parameters).map(({ document, score }) => {
    return { path: withoutModulesFolder(files[document]?.path ?? ''), score: round(score, 2) };
  });
  return { query, first: first?.path ?? null, score: first?.score ?? null, second: second?.path ?? null };
}
