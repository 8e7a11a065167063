/** What `trends --json` prints. Fields may be added within a version. */
import { z } from 'zod';
import { durationShiftSchema, lookedAtSchema } from './history.ts';

const text = z.string();

const trendSchema = z.object({
  workstreamId: text,
  /** Whether the last runs took longer or shorter than those before, by tests that chance hardly passes. */
  state: z.enum(['slower', 'faster', 'steady', 'too-few-runs']),
  /** The shift of the last runs; null unless slower or faster. */
  shift: durationShiftSchema.nullable(),
  /** Every lasting change in these runs, the oldest first. */
  changes: z.array(durationShiftSchema),
  medianSeconds: z.number(),
  /** One for each run in which it completed with its present definition, on machines like the last, the oldest first. */
  points: z.array(z.object({ runId: text, seconds: z.number() })),
});
/** How long a workstream takes over runs. */
export type Trend = z.infer<typeof trendSchema>;

export const trendsDocumentSchema = z.object({
  version: z.literal(1),
  verdict: text,
  runs: lookedAtSchema,
  /** Of all workstreams together; null where they are as fast as before, or too few runs are known. */
  wholeRun: durationShiftSchema.nullable(),
  /** Slower ones first, then faster ones, then those that take longest. */
  workstreams: z.array(trendSchema),
});
/** `trends --json` */
export type TrendsDocument = z.infer<typeof trendsDocumentSchema>;
