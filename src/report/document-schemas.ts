/**
 * The JSON documents that commands print, each of its own version, as schemas: for programs that check what they read,
 * and published as JSON Schema. What is printed comes from the database checked, so no command loads this.
 */
import { z } from 'zod';
import { agentResultSchema, finalStatusSchema } from '../domain/agent-result.ts';
import { candidateSchema } from '../domain/attempt.ts';
import { fileChangeSchema, mergeSchema } from '../domain/changes.ts';
import { failureSchema, storedFailureSchema } from '../domain/failure.ts';
import { comparisonDocumentSchema } from '../domain/history/compare-document.ts';
import { errorHistoryDocumentSchema, flakyDocumentSchema } from '../domain/history/failure-documents.ts';
import {
  associationSchema,
  checkoutSchema,
  patternHistorySchema,
  runComparisonSchema,
  runRefSchema,
} from '../domain/history/history.ts';
import { type ErrorPattern, patternsDocumentSchema } from '../domain/history/pattern.ts';
import { trendsDocumentSchema } from '../domain/history/trends-document.ts';
import { whyDocumentSchema } from '../domain/history/why-document.ts';
import type { Json } from '../domain/json.ts';
import { madeFileSchema, metricSeriesSchema, testCountsSchema } from '../domain/outcome.ts';
import { reviewRecordSchema } from '../domain/policy/review.ts';
import type {
  AgentPerformance,
  HostPerformance,
  LiveWorkstream,
  ResourceUse,
  ResultsTable,
  RunDocument,
  RunSummary,
} from '../domain/run-record.ts';
import type { ToolPerformance } from '../domain/tool-record.ts';
import { notificationSchema } from './notification.ts';

const text = z.string();
const count = z.int().nonnegative();
const seconds = z.number();
const share = z.number().nullable();
const maybeText = text.nullable();
const maybeSeconds = seconds.nullable();
const maybeCount = count.nullable();
const version = z.literal(1);

/** A list that was cut, and how many entries there are in all. */
const capped = <T>(element: z.ZodType<T>) => z.object({ shown: z.array(element), total: count });

const totals = z.object({
  workstreams: count,
  completed: count,
  failed: count,
  skipped: count,
  takenOver: count.describe('Of those that completed: how many were taken over from earlier runs.'),
  savedSeconds: seconds.describe('How long those had taken, together.'),
  filesModified: count,
  commits: count,
  errors: count,
  warnings: count,
});

const agent = z.object({
  agentId: text,
  workstreams: count,
  completed: count,
  failed: count,
  successRate: share,
  busySeconds: seconds,
  idleSeconds: seconds,
  cpuSeconds: maybeSeconds,
  utilisation: share,
  averageSeconds: maybeSeconds,
  medianSeconds: maybeSeconds,
  p95Seconds: maybeSeconds,
  perHour: z.number().nullable(),
}) satisfies z.ZodType<AgentPerformance>;

const host = z.object({
  host: text,
  agents: count,
  workstreams: count,
  completed: count,
  failed: count,
  busySeconds: seconds,
  lost: count.describe('Executions that failed with host-lost there.'),
}) satisfies z.ZodType<HostPerformance>;

/** Of a run over a queue. */
const hosts = z
  .array(host)
  .optional()
  .describe('What each host of the queue did; absent for a run that was executed on this machine.');

const testTotals = z.object({ total: count, passed: count, failed: count, manual: count });

const speed = z.object({
  wallSeconds: seconds,
  busySeconds: seconds,
  oneAgentSeconds: seconds,
  overheadSeconds: maybeSeconds,
  criticalPathSeconds: seconds,
  criticalPath: z.array(text),
  reservedSeconds: maybeSeconds,
  speedup: z.number().nullable(),
  limitSeconds: seconds,
  efficiency: share,
});

const executionSummary = z.object({
  version,
  millrace: text,
  node: text,
  platform: text,
  cores: z.number(),
  agentsCount: count,
  scaling: z
    .object({ start: count, final: count, least: count, most: count, changes: count })
    .nullable()
    .describe('Null where the number of agents was fixed.'),
  distribution: z.enum(['dynamic', 'round-robin']),
  exitCode: z.int(),
  interruptedBy: maybeText,
  waitsForLimit: z
    .object({ tool: text, until: text.describe('ISO 8601 in UTC.') })
    .nullable()
    .describe('The usage limit that all that is left waits for; null where it did not end with exit code 5.'),
  sessions: count,
  waitedForRuns: z.object({ seconds, runIds: z.array(text) }).nullable(),
  resources: z
    .object({ cpus: z.number(), memoryMb: z.number() })
    .nullable()
    .describe('What workstreams could reserve together; null where none reserved anything.'),
  speed,
  agents: z.array(agent),
  tests: testTotals,
  overhead: z.object({ storeSeconds: seconds, consolidateSeconds: seconds }),
});

const runSummary = z
  .object({
    runId: text,
    state: z.enum(['running', 'ended', 'interrupted']),
    createdAt: text.describe('ISO 8601 in UTC.'),
    endedAt: maybeText,
    totals,
    executionSummary: executionSummary
      .nullable()
      .describe('Null for a run that has not ended, and for one that an older system made.'),
    recommendations: z.array(text),
    resumedAt: maybeText,
    retryOf: maybeText.describe('The run whose failures it tried again.'),
    label: maybeText,
    hostname: maybeText,
    checkout: checkoutSchema.nullable().describe('What was checked out when it began.'),
  })
  .describe('One run.') satisfies z.ZodType<RunSummary>;

const errorPattern = z
  .object({
    id: text.describe('Its identity over runs: p- and 8 hexadecimal digits.'),
    type: text.describe('The reason of the failure.'),
    pattern: text.describe('What the messages have in common, with <*> for what differs.'),
    telling: text.describe('The line that tells what went wrong.'),
    count,
    workstreams: z.array(text).describe('Up to 20 of those that have it.'),
    values: z.array(z.object({ hole: count, distinct: count, shown: z.array(z.object({ text, count })) })),
    places: z.array(z.object({ place: text, count })),
    example: z.object({
      workstreamId: text,
      agentId: text,
      message: text,
      stack: maybeText,
      tail: maybeText,
      logFile: maybeText,
    }),
    history: patternHistorySchema.nullable(),
    goesWith: z.array(associationSchema).describe('What it is seen more often with than without.'),
    merged: z
      .array(text)
      .optional()
      .describe('While the run is under way: ids of patterns that become a part of it at its end.'),
  })
  .describe('A group of errors that are one error.') satisfies z.ZodType<ErrorPattern>;

const toolPerformance = z.object({
  tool: text,
  model: maybeText,
  workstreams: count,
  attempts: count,
  completed: count,
  accepted: count,
  notAccepted: count,
  falseSuccesses: count,
  unknownCosts: count,
  costUsd: z.number().nullable(),
  inputTokens: maybeCount,
  outputTokens: maybeCount,
  seconds,
}) satisfies z.ZodType<ToolPerformance>;

const toolTask = z.object({
  workstreamId: text,
  title: text,
  tool: text,
  model: maybeText,
  status: finalStatusSchema,
  reason: maybeText,
  attempts: count,
  tests: z.object({ passed: count, failed: count }),
  costUsd: z.number().nullable(),
  durationSeconds: maybeSeconds,
  files: maybeCount,
  linesAdded: maybeCount,
  linesRemoved: maybeCount,
  branch: maybeText,
  merge: mergeSchema.shape.status.nullable(),
});

const shortResult = z.object({
  workstreamId: text,
  title: text,
  agentId: text,
  status: finalStatusSchema,
  reason: maybeText,
  explanation: maybeText,
  failure: storedFailureSchema,
  startTime: maybeText,
  endTime: maybeText,
  durationSeconds: maybeSeconds,
  logFile: maybeText,
});

const merges = z.object({
  branch: text,
  merged: count,
  tested: z.boolean(),
  caveat: text,
  mergeable: count,
  failing: count,
  problems: capped(
    z.object({
      workstreamId: text,
      status: mergeSchema.shape.status,
      branch: maybeText,
      conflictsWith: z.array(text),
      files: z.array(text),
      detail: text,
      partner: maybeText,
      failingTest: maybeText,
      logFile: maybeText,
    }),
  ),
  outside: capped(
    z.object({
      workstreamId: text,
      files: z.array(z.object({ path: text, linesAdded: count.nullable(), linesRemoved: count.nullable() })),
    }),
  ),
});

const testNote = z.object({ workstreamId: text, name: text, detail: text });

const json = z.custom<Json>((value) => value !== undefined);

const resultsTable = z
  .object({
    parameters: z.array(text).describe('Names of the values of matrices.'),
    outputs: z.array(text).describe('Dotted names in outputs.'),
    metrics: z.array(text),
    rows: z.array(
      z.object({
        workstreamId: text,
        base: text,
        status: finalStatusSchema,
        reason: maybeText,
        seconds: maybeSeconds,
        parameters: z.array(json),
        outputs: z.array(json),
        metrics: z.array(z.number().nullable()),
      }),
    ),
    total: count,
    columnsLeftOut: count,
  })
  .describe('Values, outputs and metrics as one table.') satisfies z.ZodType<ResultsTable>;

const output = z.object({
  workstreamId: text,
  title: text,
  status: finalStatusSchema,
  reason: maybeText,
  explanation: maybeText,
  tool: maybeText.describe('The tool that wrote the output; null where a module returned it.'),
  tests: z.object({ passed: count, failed: count }),
  output: json,
  metrics: z.record(text, z.number()),
});

const reservation = z.object({ cpus: z.number().nullable(), memoryMb: z.number().nullable() });

const resourceUse = z.object({
  workstreamId: text,
  seconds: maybeSeconds,
  asked: reservation,
  cpuSeconds: maybeSeconds,
  used: reservation.describe('Processors at the mean, and the most memory at a time in MB.'),
  advice: maybeText.describe('What to reserve instead.'),
}) satisfies z.ZodType<ResourceUse>;

/** The lists that a document has beside its workstreams. */
const lists = {
  scaling: capped(
    z.object({
      at: text,
      from: maybeCount,
      to: count,
      reason: z.enum(['start', 'waiting', 'cpu-bound', 'crowded', 'memory']),
      explanation: text,
    }),
  ),
  tools: z.array(toolPerformance),
  tasks: capped(toolTask).describe('What became of each workstream that a coding agent worked on.'),
  competitions: capped(z.object({ workstreamId: text, candidates: z.array(candidateSchema) })),
  reviews: capped(reviewRecordSchema.extend({ workstreamId: text })).describe(
    'What reviewers said, those first that did not accept what they reviewed.',
  ),
  merges: merges.nullable(),
  retried: capped(
    z.object({
      workstreamId: text,
      status: finalStatusSchema,
      attempts: count,
      reasons: z.array(text),
      gaveUp: maybeText,
    }),
  ),
  parked: z
    .array(
      z.object({
        tool: text,
        times: count,
        seconds,
        why: text,
        until: text,
        hasWorked: z.boolean(),
      }),
    )
    .describe('Tools that met usage limits, and for how long they waited.'),
  failures: capped(shortResult),
  skipped: capped(shortResult),
  warnings: capped(z.object({ workstreamId: text, text })),
  tests: testTotals,
  testCases: testCountsSchema.nullable(),
  failedTests: capped(testNote),
  failedCases: capped(
    z.object({ workstreamId: text, acceptanceTest: text, suite: text, name: text, message: maybeText }),
  ),
  manualChecks: capped(testNote),
  files: capped(
    z.object({
      path: text,
      workstreams: z.array(text),
      status: fileChangeSchema.shape.status.nullable(),
      linesAdded: maybeCount,
      linesRemoved: maybeCount,
    }),
  ),
  commits: capped(z.object({ workstreamId: text, commit: text })),
  outputs: capped(output),
  results: resultsTable.nullable(),
  outputFiles: capped(madeFileSchema.extend({ workstreamId: text })).describe(
    'Files that workstreams made, among those that they declare as their outputs.',
  ),
  series: capped(metricSeriesSchema.extend({ workstreamId: text, name: text })).describe(
    'What modules reported of metrics while they ran.',
  ),
  resources: capped(resourceUse).describe('What workstreams reserved and used, those with advice first.'),
  timeline: capped(shortResult).describe(
    'Every workstream up to 500; of more the failures and the longest; in order of start.',
  ),
};
/** What `run --json`, `show --json` and `report --format json` print. */
const runDocumentSchema = z
  .object({
    version,
    run: runSummary,
    agents: z.array(agent),
    hosts,
    errors: z.array(errorPattern).describe('The most frequent first, 1,000 at most.'),
    errorPatterns: count.describe('How many groups of errors there are.'),
    recommendations: z.array(text),
    comparison: runComparisonSchema
      .nullable()
      .describe('How it differs from the run before it of the same workstreams.'),
    ...lists,
    database: text.describe('Path of the database.'),
    workstreams: z
      .array(agentResultSchema)
      .describe('Every result, in the order in which they arrived; one on each line.'),
  })
  .describe('A run as it is shown.') satisfies z.ZodType<RunDocument>;

const live = z.object({
  workstreamId: text,
  title: text,
  status: z.enum(['pending', 'blocked', 'running']),
  agentId: maybeText,
  since: maybeText,
  fraction: share,
  activity: maybeText,
}) satisfies z.ZodType<LiveWorkstream>;

const parkedTool = z.object({
  runId: text.describe('The run that met the limit.'),
  tool: text.describe('The tool, or the account that it shares with others.'),
  class: z.enum(['rate', 'window']),
  why: text.describe('What the tool said.'),
  source: z.enum(['exact', 'words', 'guess']),
  parkedAt: text,
  until: text,
  resumedAt: maybeText,
});

/** Every document by the command that prints it with `--json`. */
export const documentSchemas = {
  run: runDocumentSchema,
  runs: z.object({ version, runs: z.array(runSummary) }).describe('The runs, the newest first.'),
  status: z
    .object({
      version,
      run: runSummary,
      counts: z.object({ pending: count, blocked: count, running: count }),
      running: z.array(live),
      hosts,
      parked: z
        .array(parkedTool)
        .describe(
          'Tools that wait for their usage limits, whichever run met them; none of a run that has ended.',
        ),
    })
    .describe('What a run is doing now, or how it ended.'),
  errors: z
    .object({ version, run_id: text, errors: z.array(errorPattern) })
    .describe('The errors of a run, grouped.'),
  agents: z
    .object({ version, run_id: text, agents: z.array(agent), tools: z.array(toolPerformance) })
    .describe('The agents and the coding agents of a run.'),
  compare: comparisonDocumentSchema.describe('How a run, or several, differs from an earlier one.'),
  'error-history': errorHistoryDocumentSchema.describe('How the errors of the last runs went.'),
  flaky: flakyDocumentSchema.describe('What failed and passed by turns.'),
  trends: trendsDocumentSchema.describe('How long workstreams took over the last runs.'),
  why: whyDocumentSchema.describe('What became of one workstream in a run, and why.'),
  patterns: patternsDocumentSchema.describe('The error patterns of all runs.'),
  notification: notificationSchema.describe('What a webhook is told when a run has ended.'),
};

/** The commands that print them, where that is not their name. */
const COMMANDS: Partial<Record<keyof typeof documentSchemas, string>> = {
  'error-history': 'errors --history',
};

/** Of those that no command prints. */
const TITLES: Partial<Record<keyof typeof documentSchemas, string>> = {
  notification: 'millrace run --notify',
};

/** What stands in a document more than once has a name in its JSON Schema. */
const NAMED = {
  Failure: failureSchema,
  RunRef: runRefSchema,
  PatternHistory: patternHistorySchema,
  ErrorPattern: errorPattern,
  RunSummary: runSummary,
  AgentPerformance: agent,
  ShortResult: shortResult,
  AgentResult: agentResultSchema,
};

/**
 * The JSON Schema (draft 2020-12) of a document. Fields may be added in a later version of Millrace, so it allows
 * others; `isClosed` is for a test that none is left out.
 */
export function documentJsonSchema(name: keyof typeof documentSchemas, isClosed = false): object {
  for (const [id, schema] of Object.entries(NAMED)) z.globalRegistry.add(schema, { ...schema.meta(), id });
  return z.toJSONSchema(
    documentSchemas[name].meta({ title: TITLES[name] ?? `millrace ${COMMANDS[name] ?? name} --json` }),
    {
      target: 'draft-2020-12',
      io: 'output',
      unrepresentable: 'any',
      override: ({ jsonSchema }) => {
        delete jsonSchema['id'];
        if (!isClosed && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    },
  );
}
