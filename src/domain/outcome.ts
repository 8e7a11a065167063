/** The outcome of an execution, which is an agent's answer to an assignment, and the tests that it ran for that. */
import { z } from 'zod';
import { type Failure, failureSchema } from './failure.ts';
import { isDeeper, MAX_NESTING } from './json.ts';
import { toolReportSchema } from './tool-report.ts';

const count = z.number().int().nonnegative();

export const testCountsSchema = z.object({ total: count, passed: count, failed: count, skipped: count });
/** `total` is the sum of the others. Tests that are expected to fail, or still to be written, count as skipped. */
export type TestCounts = z.infer<typeof testCountsSchema>;

export const testCaseSchema = z.object({
  /** File, class or group; empty where it is not reported. At most 300 characters. */
  suite: z.string(),
  /** At most 300 characters. */
  name: z.string(),
  status: z.enum(['passed', 'failed', 'skipped']),
  /** Null where it is not reported. */
  durationSeconds: z.number().nonnegative().nullable(),
  /** The message of a failed test, at most 2,000 characters; null for the others and where there was none. */
  message: z.string().nullable(),
});
/** One test among those that an acceptance test ran, from its output or its result files. */
export type TestCase = z.infer<typeof testCaseSchema>;

const seconds = z.number().nonnegative();

/** Milliseconds since 1970 that a date can have. */
const time = z.number().min(0).max(8.64e15);

/** Whether a text is JSON that may be an output: checked because code of a workstream can post messages too. */
export const isOutput = (text: string): boolean => !isDeeper(text, MAX_NESTING) && isJson(text);

const number = z.number();

export const metricSeriesSchema = z.object({
  /** Step and value, in the order in which they were reported: all, or a share of them with the first, last, least and greatest. */
  points: z.array(z.tuple([number, number])),
  /** How many were reported. */
  total: count,
});
/** What a module reported of one metric while it ran. */
export type MetricSeries = z.infer<typeof metricSeriesSchema>;

export const madeFileSchema = z.object({
  /** Relative to the workspace, with `/` between its parts. */
  path: z.string(),
  /** Size; null where it could not be read. */
  bytes: count.nullable(),
  /** SHA-256 of its content in hexadecimal; null where that is not known. */
  sha256: z.string().nullable(),
  /** Why its size or hash is not known; null where both are. */
  problem: z.string().nullable(),
});
/** A file that a workstream made, among those that it declares as its outputs. */
export type MadeFile = z.infer<typeof madeFileSchema>;

const outputText = z.string().refine(isOutput);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** How one step went. */
const stepResultSchema = z.object({
  id: z.string(),
  kind: z.enum(['module', 'run', 'command', 'tool']),
  status: z.enum(['completed', 'failed']),
  durationSeconds: seconds,
  /** Exit code of the child process; null where there was none or a signal ended it. */
  exitCode: z.number().int().nullable(),
  /** The last of what it printed, at most 4 KiB. */
  tail: z.string(),
  failure: failureSchema.nullable(),
  /** What the tool of a tool step reported; null for the other kinds, and where it was not started. */
  tool: toolReportSchema.nullable(),
});
export type StepResult = z.infer<typeof stepResultSchema>;

/** How one acceptance test went. A manual check is listed and never run. */
export const testResultSchema = z.object({
  name: z.string(),
  status: z.enum(['passed', 'failed', 'manual']),
  /** False where a failure is only a warning: a gate that does not block. */
  blocking: z.boolean(),
  durationSeconds: seconds.nullable(),
  /** What a person needs to know about a failure or a manual check; empty otherwise. */
  detail: z.string(),
  /** Absolute path of what it printed; null for nothing. */
  logFile: z.string().nullable(),
  /** The source of its counts and cases: `junit`, `tap`, `pytest` …; null where nothing is known. */
  format: z.string().nullable(),
  /** Null where neither its output nor a result file has them. */
  counts: testCountsSchema.nullable(),
  /** All failed ones up to 200, then others up to 1,000 in all. */
  cases: z.array(testCaseSchema),
});
export type TestResult = z.infer<typeof testResultSchema>;

export const outcomeSchema = z.object({
  status: z.enum(['completed', 'failed']),
  startedAt: time,
  endedAt: time,
  durationSeconds: seconds,
  /** CPU time of the thread, without child processes; null where the platform does not provide it. */
  cpuSeconds: seconds.nullable(),
  /** Time in which the thread was ready to run and waited for a processor; null where the platform does not provide it. */
  cpuWaitSeconds: seconds.nullable(),
  steps: z.array(stepResultSchema),
  tests: z.array(testResultSchema),
  /** The workstream's output for its dependents, as JSON text; null for none. */
  output: outputText.nullable(),
  filesModified: z.array(z.string()),
  metrics: z.record(z.string(), number),
  /** By name of the metric. */
  series: z.record(z.string(), metricSeriesSchema),
  /** The files among its declared outputs, by path; empty where it declares none. */
  outputs: z.array(madeFileSchema),
  warnings: z.array(z.string()),
  failure: failureSchema.nullable(),
  /** Absolute path of the whole output; null when nothing was printed. */
  logFile: z.string().nullable(),
  /** Where it was executed; absent where that was this machine. The agent's name begins with the host's. */
  executedBy: z.object({ host: z.string(), agentId: z.string() }).optional(),
  /** Measured by the engine, for a workstream that reserves something; null for what can't be known. */
  usage: z
    .object({ cpuSeconds: seconds.nullable(), peakMemoryMb: z.number().nonnegative().nullable() })
    .optional(),
});

/** The result of one execution. `failure` is null exactly when `status` is `completed`. */
export type Outcome = z.infer<typeof outcomeSchema>;

/** The message in which an agent answers an assignment. */
export const answerSchema = z.object({
  executionId: z.number().int(),
  outcome: outcomeSchema,
  /** How many messages it sent before; they travel another way and may arrive after the answer. */
  posted: z.number().int().nonnegative(),
});
export type Answer = z.infer<typeof answerSchema>;

/** When an execution began and ended, and how long it took. */
export type OutcomeSpan = Pick<Outcome, 'startedAt' | 'endedAt' | 'durationSeconds'>;

/**
 * The outcome of an execution of which nothing but its failure is known.
 * @param logFile absolute path of what it printed; null for nothing.
 */
export function failedOutcome(failure: Failure, span: OutcomeSpan, logFile: string | null): Outcome {
  return {
    status: 'failed',
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    durationSeconds: span.durationSeconds,
    cpuSeconds: null,
    cpuWaitSeconds: null,
    steps: [],
    tests: [],
    output: null,
    filesModified: [],
    metrics: {},
    series: {},
    outputs: [],
    warnings: [],
    failure,
    logFile,
  };
}

/** The failure for an error of Millrace itself, whatever was thrown. */
export function internalError(error: unknown): Failure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { reason: 'internal-error', thrown: { name, message, ...(stack === undefined ? {} : { stack }) } };
}
