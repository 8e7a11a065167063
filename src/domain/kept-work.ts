/** What is stored of a workstream before it has a result, so that a run that is killed and resumed does not do it again. */
import { z } from 'zod';
import { candidateSchema } from './attempt.ts';
import { changesSchema } from './changes.ts';
import { outcomeSchema } from './outcome.ts';
import type { ReviewRecord } from './policy/review.ts';

export const keptCandidateSchema = z.object({
  /** What it is judged by. */
  facts: candidateSchema.omit({ chosen: true }),
  outcome: outcomeSchema,
  /** What it changed; null where that was not measured. */
  changes: changesSchema.nullable(),
  /** Paths that it changed outside its scope. */
  outsideScope: z.array(z.string()),
});
/** A candidate that has ended, with all that makes it the workstream's result where it is the best. */
export type KeptCandidate = z.infer<typeof keptCandidateSchema>;

/** A candidate of an earlier session of the run. */
export interface EarlierCandidate {
  candidate: KeptCandidate;
  /** Of the definition that it was given. */
  definitionHash: string;
  /** What its reviewer said; null where it was not reviewed, or the reviewer gave no verdict. */
  review: ReviewRecord | null;
}

export const keptSessionSchema = z.object({
  stepId: z.string(),
  /** From 1: the attempt in which it began, whose workspace it is in. */
  attempt: z.number().int().positive(),
  /** Of the definition that was executed. */
  definitionHash: z.string(),
  tool: z.string(),
  sessionId: z.string(),
  /** Absolute folder of the workspace. */
  folder: z.string(),
});
/** The session of a tool in a tool step, known from the moment that the tool names it. */
export type KeptSession = z.infer<typeof keptSessionSchema>;
