/** What `why --json` prints. Fields may be added within a version. */
import { z } from 'zod';
import { cacheUseSchema, constraintsSchema, finalStatusSchema } from '../agent-result.ts';
import { runRefSchema } from './history.ts';

const text = z.string();
const count = z.int().nonnegative();

const neighbourSchema = z.object({
  workstreamId: text,
  agentId: text,
  status: finalStatusSchema,
  reason: text.nullable(),
  startTime: text.nullable(),
  endTime: text.nullable(),
  constraints: constraintsSchema.nullable(),
});
/** Another workstream of the same run. */
export type Neighbour = z.infer<typeof neighbourSchema>;

const attemptedSchema = z.object({
  attempt: count,
  agentId: text,
  tool: text.nullable(),
  /** Null for an attempt that completed and was not chosen. */
  reason: text.nullable(),
  explanation: text.nullable(),
  startTime: text.nullable(),
  durationSeconds: z.number().nullable(),
});
/** An attempt that is not the last one. */
export type EarlierAttempt = z.infer<typeof attemptedSchema>;

const circumstancesSchema = z.object({
  workstreamId: text,
  title: text,
  file: text,
  status: finalStatusSchema,
  reason: text.nullable(),
  explanation: text.nullable(),
  agentId: text,
  /** Null where no agent executed it, as are the times below. */
  startTime: text.nullable(),
  endTime: text.nullable(),
  durationSeconds: z.number().nullable(),
  cpuWaitSeconds: z.number().nullable(),
  attempts: count,
  earlierAttempts: z.array(attemptedSchema),
  /** Why it was not tried again although it might have been. */
  gaveUp: text.nullable(),
  /** The run that computed its result, where it was taken over, and how many seconds that had taken. */
  fromRun: text.nullable(),
  savedSeconds: z.number().nullable(),
  /** Null where it has no cache. */
  cache: cacheUseSchema.nullable(),
  constraints: constraintsSchema.nullable(),
  /** Its dependencies as far as they were part of the run. */
  dependencies: z.array(neighbourSchema),
  skippedBecauseOfIt: count,
  logFile: text.nullable(),
  tail: text.nullable(),
});
/** What is known of one workstream in one run. */
export type Circumstances = z.infer<typeof circumstancesSchema>;

const waitSchema = z.object({
  /** When all that it depends on had ended; the start of the run for what depends on nothing. */
  readyAt: text,
  seconds: z.number(),
  /** `lock`: something that it may not run beside was executed; `agents`: every agent was busy; null where it is not known. */
  for: z.enum(['lock', 'agents']).nullable(),
  /** What was executed meanwhile that kept it waiting. */
  behind: z.array(neighbourSchema),
});
/** How long a workstream was ready before it was started, and why. */
export type ReadyWait = z.infer<typeof waitSchema>;

export const whyDocumentSchema = z.object({
  version: z.literal(1),
  verdict: text,
  run: runRefSchema,
  workstream: circumstancesSchema,
  /** Null where it was not started, or times are not known. */
  wait: waitSchema.nullable(),
  /** What became of it in the last runs, the oldest first. */
  before: z.array(z.object({ runId: text, what: z.enum(['passed', 'failed', 'not-run']) })),
});
/** `why --json` */
export type WhyDocument = z.infer<typeof whyDocumentSchema>;
