/** The row of `agent_results`: what one agent found out about one workstream. */
import { z } from 'zod';
import { attemptSchema, candidateSchema } from './attempt.ts';
import { changesSchema, mergeSchema } from './changes.ts';
import { reasonSchema, storedFailureSchema } from './failure.ts';
import { isFields, type Json, type JsonObject } from './json.ts';
import { madeFileSchema, metricSeriesSchema, testCountsSchema, testResultSchema } from './outcome.ts';
import { reviewRecordSchema } from './policy/review.ts';
import { toolReportSchema } from './tool-report.ts';

const text = z.string();
const count = z.number().int().nonnegative();
const seconds = z.number();

/** Data of workstreams, not validated: that would take long for a large output, and z.record drops `__proto__`. */
const json = z.custom<Json>((value) => value !== undefined);
const jsonObject = z.custom<JsonObject>((value) => isFields(value));

/** The states of a workstream. The last three are final: only they are rows of `agent_results`. */
export type Status = 'pending' | 'blocked' | 'running' | FinalStatus;
export const finalStatusSchema = z.enum(['completed', 'failed', 'skipped']);
export type FinalStatus = z.infer<typeof finalStatusSchema>;

/** Name in `agent_id` where no agent ran the workstream. */
export const COORDINATOR = 'coordinator';

const resultErrorSchema = z.object({
  /** The failure's reason; in a row of an older system, whatever word it had there. */
  type: text,
  message: text,
});
/** An element of `errors`. */
export type ResultError = z.infer<typeof resultErrorSchema>;

const testSummarySchema = z.object({
  total: count,
  passed: count,
  failed: count,
  manual: count,
  /** The tests that these ran, added up over those that say; null where none does. */
  cases: testCountsSchema.nullable(),
  tests: z.array(testResultSchema),
});
/**
 * The object in `test_results`. Its numbers are those of acceptance tests and gates; manual checks are listed and
 * count neither as passed nor as failed. Their `cases` are not in that object but in the table `test_cases`.
 */
export type TestSummary = z.infer<typeof testSummarySchema>;

export const stepSummarySchema = z.object({
  id: text,
  kind: text,
  status: z.enum(['completed', 'failed']),
  duration_seconds: seconds,
  exit_code: z.number().nullable(),
});
/** A step as the row keeps it. */
export type StepSummary = z.infer<typeof stepSummarySchema>;

export const constraintsSchema = z.object({
  /** Ids of what it depends on, with whether that had to complete or only to end. */
  dependsOn: z.array(z.object({ id: text, when: z.enum(['completed', 'finished']) })),
  /** What it held while it was executed: the name of a group, and paths. */
  conflictGroup: text.nullable(),
  scopes: z.array(text),
  /** Whether others could run beside it. */
  parallelOk: z.boolean(),
  /** The stage that it belonged to; null for none. */
  gate: count.nullable(),
});
/** What had a say in when a workstream could start. */
export type Constraints = z.infer<typeof constraintsSchema>;

export const usageSchema = z.object({
  /** What it reserved: processors, and memory in MB; null for none. */
  cpus: z.number().nullable(),
  memoryMb: z.number().nullable(),
  /** CPU time of its last attempt in seconds, that of the processes it started included; null where it can't be known. */
  cpuSeconds: seconds.nullable(),
  /** The most memory in MB that its processes were seen to hold at a time; null where that can't be known. */
  peakMemoryMb: z.number().nullable(),
});
/** What a workstream reserved, and what it used of it. */
export type ResourceUsage = z.infer<typeof usageSchema>;

/** What the cache had to do with a result. */
export const cacheUseSchema = z.object({
  /** Whether the result is that of an earlier run, was kept for later runs, or neither. */
  result: z.enum(['taken-over', 'kept', 'not-kept']),
  /** Why it was executed: what has changed since it was last kept, in clauses such as `input a.csv changed`. */
  changes: z.array(text),
  /** Why it was not kept, or why what was kept could not be used; null for no reason. */
  note: text.nullable(),
});
export type CacheUse = z.infer<typeof cacheUseSchema>;

export const limitWaitSchema = z.object({
  tool: text,
  /** What the tool said of its limit. */
  text,
  /** When it met it, and until when it was to wait: ISO 8601 in UTC. */
  at: text,
  until: text,
  /** How long the execution had taken, and what it is known to have cost in US dollars. */
  durationSeconds: seconds,
  costUsd: z.number().nullable(),
  logFile: text.nullable(),
});
/** An execution that met a usage limit. */
export type LimitWait = z.infer<typeof limitWaitSchema>;

const resultMetadataSchema = z.object({
  title: text,
  kind: text.nullable(),
  /** The workstream's file and its position there. */
  file: text,
  position: count,
  priority: z.number(),
  /** Null where nothing had, and in results of versions that did not keep it. */
  constraints: constraintsSchema.nullable().catch(null),
  /** What the workstream returned for its dependents; null for nothing. */
  output: json,
  metrics: z.record(text, z.number()),
  /** The id of the definition whose matrix it is a member of; null without one. */
  base: text.nullable().catch(null),
  /** The values of this member of a matrix; null without one, and in results of versions that did not keep them. */
  matrix: jsonObject.nullable().catch(null),
  /** What its modules reported of metrics while they ran, by name. */
  series: z.record(text, metricSeriesSchema).catch({}),
  /** The files that it made, among those that it declares as its outputs, by path. */
  outputs: z.array(madeFileSchema).catch([]),
  steps: z.array(stepSummarySchema),
  /** The last of what the failed step printed. */
  tail: text.nullable(),
  /** What each tool step's tool reported, in the order of the steps. */
  tools: z.array(toolReportSchema),
  /** What it changed; null where that was not measured. */
  changes: changesSchema.nullable(),
  /** What became of it in the run's branch; null where nothing is merged. */
  merge: mergeSchema.nullable(),
  /** The other attempts than the one whose result this is. */
  earlierAttempts: z.array(attemptSchema),
  /** Executions that met a usage limit: they are no attempts, and the workstream waited after each. */
  limitWaits: z.array(limitWaitSchema).catch([]),
  /** The tools that were given the same workstream; empty where it was one. */
  candidates: z.array(candidateSchema),
  /** What reviewers said, of each attempt that was reviewed; the last is that of its work. */
  reviews: z.array(reviewRecordSchema).catch([]),
  /** Why it was not tried again although it might have been; null where that is not so. */
  gaveUp: text.nullable(),
  /** The host that executed it, in a run over a queue; null for this machine, and where nothing was executed. */
  host: text.nullable().catch(null),
  /** Null where the workstream has no `cache`. */
  cache: cacheUseSchema.nullable().catch(null),
  /** How its compensation actions went; empty where none was run. */
  compensation: z.array(stepSummarySchema),
  /** What the definition said beside the fields that Millrace uses. */
  definition: jsonObject,
});
/** What `metadata` holds beside the columns. */
export type ResultMetadata = z.infer<typeof resultMetadataSchema>;

export const agentResultSchema = z.object({
  runId: text.min(1),
  agentId: text,
  workstreamId: text.min(1),
  status: finalStatusSchema,
  startTime: text.nullable(),
  endTime: text.nullable(),
  durationSeconds: seconds.nullable(),
  filesModified: z.array(text),
  commitsCreated: z.array(text),
  errors: z.array(resultErrorSchema),
  warnings: z.array(text),
  testResults: testSummarySchema,
  metadata: resultMetadataSchema,
  /** Why it is not `completed`; null when it is. A skip has a reason and no error. */
  reason: reasonSchema.nullable(),
  /** The reason as a sentence; null when completed. */
  explanation: text.nullable(),
  /** What reason and explanation were made from; null when completed, and in rows of versions that did not keep it. */
  failure: storedFailureSchema,
  /** CPU time of the thread in seconds; null where it can't be known. */
  cpuSeconds: seconds.nullable(),
  /** Time its thread waited for a processor in seconds; null where it can't be known. */
  cpuWaitSeconds: seconds.nullable(),
  /** Null for a workstream that reserved nothing, or that no agent ran. */
  usage: usageSchema.nullable().catch(null),
  attempts: count,
  /** The run that computed the result, where it was taken over from the cache and not executed; null else. */
  fromRun: text.nullable().catch(null),
  /** How long that run took for it in seconds; null where it was executed. */
  savedSeconds: seconds.nullable().catch(null),
  /** Of the definition that was run; null where it could not be. */
  definitionHash: text.nullable(),
  /** Path of the whole output; null when nothing was printed. */
  logFile: text.nullable(),
  stack: text.nullable(),
  /** The shape of the error, by which errors are grouped; null without an error. */
  pattern: text.nullable(),
});
/** One workstream's final result. Times are ISO 8601 in UTC with milliseconds, null where no agent ran it. */
export type AgentResult = z.infer<typeof agentResultSchema>;
