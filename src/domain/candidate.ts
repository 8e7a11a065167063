/** One of several tools that were given the same workstream. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

export const candidateSchema = z.object({
  tool: z.string(),
  /** Which attempt it was: its work is kept under that number. */
  attempt: count,
  /** Whether this is the one whose work counts. */
  chosen: z.boolean(),
  completed: z.boolean(),
  /** Completed, with acceptance tests that passed. */
  accepted: z.boolean(),
  /** Tests that passed: those that the acceptance tests report, or else the acceptance tests themselves. */
  testsPassed: count,
  costUsd: z.number().nullable(),
  durationSeconds: z.number(),
  /** Lines added and removed; null where they are not known. */
  changedLines: count.nullable(),
  /** Why it failed; null where it completed. */
  reason: z.string().nullable(),
  /** The commit that holds its work; null without git. */
  commit: z.string().nullable(),
  logFile: z.string().nullable(),
});
export type Candidate = z.infer<typeof candidateSchema>;
