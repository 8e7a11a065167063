/** One line of a spill: a result that the database would not take, so complete that its rows can be made later. */
import { z } from 'zod';
import { attemptSchema, candidateSchema } from '../../domain/attempt.ts';
import type { AgentResult, ResultMetadata, TestSummary } from '../../domain/agent-result.ts';
import { storedFailureSchema } from '../../domain/failure.ts';
import { changesSchema, mergeSchema } from '../../domain/changes.ts';
import { testResultSchema, testCountsSchema } from '../../domain/outcome.ts';
import { toolReportSchema } from '../../domain/tool-report.ts';
import { anyJson } from '../read/rows.ts';
import { reasonSchema, stepSchema } from '../read/result-cells.ts';

const text = z.string();
const count = z.number().int().nonnegative();
const seconds = z.number();

const testsSchema: z.ZodType<TestSummary> = z.object({
  total: count,
  passed: count,
  failed: count,
  manual: count,
  cases: testCountsSchema.nullable(),
  tests: z.array(testResultSchema),
});

const metadataSchema: z.ZodType<ResultMetadata> = z.object({
  title: text,
  kind: text.nullable(),
  file: text,
  position: count,
  priority: z.number(),
  output: anyJson,
  metrics: z.record(text, z.number()),
  steps: z.array(stepSchema),
  tail: text.nullable(),
  tools: z.array(toolReportSchema),
  changes: changesSchema.nullable(),
  merge: mergeSchema.nullable(),
  earlierAttempts: z.array(attemptSchema),
  candidates: z.array(candidateSchema),
  gaveUp: text.nullable(),
  compensation: z.array(stepSchema),
  definition: z.record(text, anyJson),
});

const resultSchema: z.ZodType<AgentResult> = z.object({
  runId: text.min(1),
  agentId: text,
  workstreamId: text.min(1),
  status: z.enum(['completed', 'failed', 'skipped']),
  startTime: text.nullable(),
  endTime: text.nullable(),
  durationSeconds: seconds.nullable(),
  filesModified: z.array(text),
  commitsCreated: z.array(text),
  errors: z.array(z.object({ type: text, message: text })),
  warnings: z.array(text),
  testResults: testsSchema,
  metadata: metadataSchema,
  reason: reasonSchema.nullable(),
  explanation: text.nullable(),
  failure: storedFailureSchema,
  cpuSeconds: seconds.nullable(),
  cpuWaitSeconds: seconds.nullable(),
  attempts: count,
  logFile: text.nullable(),
  stack: text.nullable(),
  pattern: text.nullable(),
});

const lineSchema = z.object({
  /** The version of this format. */
  millrace_spill: z.literal(1),
  definition_hash: text.nullable(),
  result: resultSchema,
});

/** A result, and the hash of the definition that was run; null where it could not be. */
export interface SpilledResult {
  definitionHash: string | null;
  result: AgentResult;
}

/** The line with its line end. */
export function spillLine({ definitionHash, result }: SpilledResult): string {
  return `${JSON.stringify({ millrace_spill: 1, definition_hash: definitionHash, result })}\n`;
}

/** What a line holds; null for one that is no whole result. */
export function readSpillLine(line: string): SpilledResult | null {
  const found = lineSchema.safeParse(parsed(line));
  if (!found.success) return null;
  return { definitionHash: found.data.definition_hash, result: found.data.result };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
