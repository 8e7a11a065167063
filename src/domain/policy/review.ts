/** The review of a change by another tool: what is asked for, and what is kept of it. */
import { z } from 'zod';

const text = z.string();
const count = z.number().int().nonnegative().nullable();

export const reviewSchema = z.strictObject({
  /** The tool that reviews, as steps name tools. */
  tool: text,
  /** What it is to look at; empty for the change as a whole. */
  tasks: z.array(text),
  /** Whether work that it rejects, or of which it says nothing, is not accepted. */
  blocks: z.boolean(),
  /** Hard limit in seconds; null for that of the workstream. */
  timeoutSeconds: z.number().positive().nullable(),
});
/** That another tool reviews what a workstream changed, once its acceptance tests have passed and before it is merged. */
export type ReviewRequest = z.infer<typeof reviewSchema>;

/** Of the gravest first. */
export const SEVERITIES = ['error', 'warning', 'note'] as const;

const findingSchema = z.object({
  severity: z.enum(SEVERITIES),
  /** As the reviewer wrote it: relative to the folder that it was started in; null for the change as a whole. */
  file: text.nullable(),
  /** Counted from 1; null where it names none. */
  line: count,
  text,
});
/** One thing that a reviewer found. */
export type ReviewFinding = z.infer<typeof findingSchema>;

export const reviewRecordSchema = z.object({
  /** The attempt whose work was reviewed, counted from 1. */
  attempt: z.number().int().positive(),
  tool: text,
  model: text.nullable(),
  /** `none` where it gave no verdict. */
  verdict: z.enum(['accepted', 'rejected', 'none']),
  /** Why there is no verdict, in a sentence; null where there is one. */
  noVerdict: text.nullable(),
  blocks: z.boolean(),
  findings: z.array(findingSchema),
  /** How many it reported; more than there are `findings` where those were too many to keep. */
  found: z.number().int().nonnegative(),
  /** The end of what it said. */
  text,
  /** US dollars; null where it can't be known. */
  costUsd: z.number().nullable(),
  inputTokens: count,
  outputTokens: count,
  durationSeconds: z.number(),
  logFile: text.nullable(),
});
/** What came of one review. */
export type ReviewRecord = z.infer<typeof reviewRecordSchema>;
