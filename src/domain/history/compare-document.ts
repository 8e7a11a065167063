/** What `compare --json` prints. Fields may be added within a version. */
import { z } from 'zod';
import { runComparisonSchema } from './history.ts';
import { namedPatternSchema } from './pattern.ts';

const text = z.string();

export const comparisonDocumentSchema = z.object({
  version: z.literal(1),
  /** The answer in a sentence. */
  verdict: text,
  comparison: runComparisonSchema,
  /** Those that the changes name, as far as the runs that were compared have them. */
  patterns: z.array(namedPatternSchema),
});
/** `compare --json` */
export type ComparisonDocument = z.infer<typeof comparisonDocumentSchema>;
