import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { candidatePairs } from './algorithms/candidate-pairs.ts';
import { jaccard } from './algorithms/jaccard.ts';
import { estimateSimilarity, MinHash, type Signature } from './algorithms/minhash.ts';
import { shingles } from './algorithms/shingles.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { Random } from './lib/random.ts';
import { round } from './lib/round.ts';
import { fileSelectionSchema, selectFiles } from './lib/select-files.ts';
import { withoutModulesFolder } from './lib/without-modules-folder.ts';

const inputSchema = z.strictObject({
  files: fileSelectionSchema,
  /** Files with fewer tokens are too short to be compared. */
  min_tokens: z.number().int().positive(),
  shingle_size: z.number().int().positive(),
  signature_size: z.number().int().positive(),
  /** Places in a band: more find fewer candidates. */
  rows: z.number().int().positive(),
  min_similarity: z.number().min(0).max(1),
  top: z.number().int().positive(),
  seed: z.number().int(),
});

/** A file as the set of its shingles. */
interface Document {
  path: string;
  members: Uint32Array;
  signature: Signature;
}

interface Pair {
  a: Document;
  b: Document;
  estimate: number;
  similarity: number;
}

/** Finds pairs of files that are nearly the same, without comparing all pairs, and checks each that it reports. */
export default async function findNearDuplicates(
  input: unknown,
  context: StepContext,
): Promise<ModuleResult> {
  const options = inputSchema.parse(input);
  const documents = await readDocuments(options, context);
  const pairs: Pair[] = [];
  for (const [i, j] of candidatePairs(
    documents.map(({ signature }) => signature),
    options.rows,
  )) {
    const [a, b] = [documents[i], documents[j]];
    if (a === undefined || b === undefined) continue;
    const estimate = estimateSimilarity(a.signature, b.signature);
    pairs.push({ a, b, estimate, similarity: jaccard(a.members, b.members) });
  }
  context.log.info({ files: documents.length, candidates: pairs.length }, 'compared');
  const near = pairs.filter(({ similarity }) => similarity >= options.min_similarity && similarity < 1);
  near.sort((x, y) => y.similarity - x.similarity);
  const deviations = pairs.reduce(
    (sum, { estimate, similarity }) => sum + Math.abs(estimate - similarity),
    0,
  );
  const output = {
    files: documents.length,
    possible_pairs: (documents.length * (documents.length - 1)) / 2,
    compared_pairs: pairs.length,
    identical_pairs: pairs.filter(({ similarity }) => similarity === 1).length,
    near_duplicates: near.length,
    mean_error_of_estimate: round(deviations / Math.max(1, pairs.length), 4),
    closest_but_not_identical: eachFileOnce(near)
      .slice(0, options.top)
      .map(({ a, b, estimate, similarity }) => ({
        similarity: round(similarity, 3),
        estimate: round(estimate, 3),
        one: withoutModulesFolder(a.path),
        other: withoutModulesFolder(b.path),
      })),
  };
  return { output };
}

async function readDocuments(
  options: z.infer<typeof inputSchema>,
  context: StepContext,
): Promise<Document[]> {
  const minHash = new MinHash(options.signature_size, Random.fromSeed(options.seed));
  const checkpoint = createCheckpoint(context);
  const documents: Document[] = [];
  const files = selectFiles(context.workspace, options.files);
  for (const [i, { path }] of files.entries()) {
    await checkpoint(i / files.length, path);
    const tokens = tokensOf(readFileSync(join(context.workspace, path), 'utf8'));
    if (tokens.length < options.min_tokens) continue;
    const members = shingles(tokens, options.shingle_size);
    documents.push({ path, members, signature: minHash.signature(members) });
  }
  return documents;
}

/** Leaves out pairs with a file that an earlier pair has shown. */
function eachFileOnce(pairs: readonly Pair[]): Pair[] {
  const shown = new Set<Document>();
  return pairs.filter(({ a, b }) => {
    if (shown.has(a) || shown.has(b)) return false;
    shown.add(a).add(b);
    return true;
  });
}

/** Names, numbers and signs; layout does not count. */
const tokensOf = (source: string): string[] => source.match(/[\w$]+|[^\w$\s]/g) ?? [];
