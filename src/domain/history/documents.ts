/** The JSON documents of the commands that look at many runs. Fields may be added within a version. */
import { z } from 'zod';
import { cacheUseSchema, constraintsSchema, finalStatusSchema } from '../agent-result.ts';
import {
  associationSchema,
  durationShiftSchema,
  patternHistorySchema,
  runComparisonSchema,
  runRefSchema,
} from './history.ts';

const text = z.string();
const count = z.int().nonnegative();

const namedPatternSchema = z.object({
  id: text,
  /** The failure's reason. */
  type: text,
  /** What its messages have in common. */
  pattern: text,
});
/** A pattern, as far as it takes to name it. */
export type NamedPattern = z.infer<typeof namedPatternSchema>;

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

/** The runs that were looked at: how many, and the first and the last of them. */
const lookedAtSchema = z.object({ count, first: runRefSchema, last: runRefSchema });
export type LookedAt = z.infer<typeof lookedAtSchema>;

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
