/** What `flaky --json` and `errors --history --json` print. Fields may be added within a version. */
import { z } from 'zod';
import { associationSchema, lookedAtSchema, patternHistorySchema, runRefSchema } from './history.ts';
import { namedPatternSchema } from './pattern.ts';

const text = z.string();
const count = z.int().nonnegative();

const failureHistorySchema = z.object({
  workstreamId: text,
  patternId: text,
  history: patternHistorySchema,
  /** In how many of the runs it failed so, and in how many it did at an attempt after which it passed. */
  failedRuns: count,
  healedRuns: count,
  /** How often it passed after it had failed so. */
  recoveries: count,
});
/** What is known of one pattern in one workstream. */
export type FailureHistory = z.infer<typeof failureHistorySchema>;

const patternSummarySchema = namedPatternSchema.extend({
  /** Over all workstreams: of the one whose state decides. */
  history: patternHistorySchema,
  workstreams: count,
  /** In how many runs it was seen. */
  runs: count,
});
/** What is known of one pattern in all workstreams. */
export type PatternSummary = z.infer<typeof patternSummarySchema>;

export const flakyDocumentSchema = z.object({
  version: z.literal(1),
  verdict: text,
  runs: lookedAtSchema,
  failures: z.array(failureHistorySchema),
  patterns: z.array(patternSummarySchema),
});
/** `flaky --json` */
export type FlakyDocument = z.infer<typeof flakyDocumentSchema>;

export const errorHistoryDocumentSchema = z.object({
  version: z.literal(1),
  verdict: text,
  runs: lookedAtSchema,
  patterns: z.array(patternSummarySchema),
  /** Of one pattern; null where all were asked for. */
  pattern: z
    .object({
      failures: z.array(failureHistorySchema),
      /** What stands in the holes of the pattern in the last run that had it. */
      values: z.array(
        z.object({
          hole: count,
          distinct: count,
          shown: z.array(z.object({ text, count })),
        }),
      ),
      /** Factors with which it is seen more often than without. */
      goesWith: z.array(associationSchema),
      /** The runs that had it, the newest first. */
      seenIn: z.array(z.object({ run: runRefSchema, workstreams: count })),
    })
    .nullable(),
});
/** `errors --history --json` */
export type ErrorHistoryDocument = z.infer<typeof errorHistoryDocumentSchema>;
