/**
 * One try at a workstream. A workstream's result is that of its last attempt, or of the best where several tools were
 * given the same workstream; the others are kept beside it.
 */
import { z } from 'zod';
import { storedFailureSchema } from './failure.ts';

const count = z.number().int().nonnegative();

export const attemptSchema = z.object({
  /** Counted from 1. */
  attempt: count,
  agentId: z.string(),
  /** The tool that was asked; null where there was none. */
  tool: z.string().nullable(),
  model: z.string().nullable(),
  /** The failure's reason and its sentence; null for a candidate that completed and was not chosen. */
  reason: z.string().nullable(),
  explanation: z.string().nullable(),
  /** Null for a candidate that completed, and in records of versions that did not keep it. */
  failure: storedFailureSchema,
  /** The shape of the error, by which errors are grouped; null where it has none. */
  pattern: z.string().nullable(),
  /** ISO 8601 in UTC. */
  startTime: z.string(),
  durationSeconds: z.number(),
  /** US dollars; null where it can't be known. */
  costUsd: z.number().nullable(),
  inputTokens: count.nullable(),
  outputTokens: count.nullable(),
  /** Hash of what it changed; null when that was nothing. */
  contentHash: z.string().nullable(),
  logFile: z.string().nullable(),
});
export type AttemptRecord = z.infer<typeof attemptSchema>;

const candidateCount = z.number().int().nonnegative();

export const candidateSchema = z.object({
  tool: z.string(),
  /** Which attempt it was: its work is kept under that number. */
  attempt: candidateCount,
  /** The agent that executed it; null in results of versions that did not keep it. */
  agentId: z.string().nullable().catch(null),
  /** Whether this is the one whose work counts. */
  chosen: z.boolean(),
  completed: z.boolean(),
  /** Completed, with acceptance tests that passed. */
  accepted: z.boolean(),
  /** Tests that passed: those that the acceptance tests report, or else the acceptance tests themselves. */
  testsPassed: candidateCount,
  costUsd: z.number().nullable(),
  durationSeconds: z.number(),
  /** Lines added and removed; null where they are not known. */
  changedLines: candidateCount.nullable(),
  /** Why it failed; null where it completed. */
  reason: z.string().nullable(),
  /** The commit that holds its work; null without git. */
  commit: z.string().nullable(),
  logFile: z.string().nullable(),
});
export type Candidate = z.infer<typeof candidateSchema>;
