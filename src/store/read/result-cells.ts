/** The shapes of the JSON cells of `agent_results`. What an older system wrote is read as far as it fits. */
import { z } from 'zod';
import { attemptSchema, candidateSchema } from '../../domain/attempt.ts';
import { changesSchema, mergeSchema } from '../../domain/changes.ts';
import { toolReportSchema } from '../../domain/tool-report.ts';
import type { ResultError, ResultMetadata, TestSummary } from '../../domain/agent-result.ts';
import { failureSchema, storedFailureSchema, type Failure, type Reason } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import { testResultSchema, testCountsSchema } from '../../domain/outcome.ts';
import { anyJson, jsonCell, listOf } from './rows.ts';

const text = z.string();
const count = z.number().catch(0);

const errorCell: z.ZodType<ResultError> = z.union([
  z.object({ type: text.catch('unknown'), message: text }),
  // Systems before this one wrote bare texts, or objects of their own.
  z.unknown().transform((value) => ({
    type: 'unknown',
    message: typeof value === 'string' ? value : JSON.stringify(value),
  })),
]);

/** Rows of earlier versions know less of a test; the cases of a test are not in this cell. */
const testCell = testResultSchema
  .omit({ cases: true })
  .extend({
    blocking: z.boolean().catch(true),
    logFile: text.nullable().catch(null),
    format: text.nullable().catch(null),
    counts: testCountsSchema.nullable().catch(null),
  })
  .transform((test) => ({ ...test, cases: [] }));

const testsCell = z
  .object({
    total: count,
    passed: count,
    failed: count,
    manual: count,
    cases: testCountsSchema.nullable().catch(null),
    tests: listOf(testCell),
  })
  .catch({ total: 0, passed: 0, failed: 0, manual: 0, cases: null, tests: [] });

/** A step as `metadata` keeps it. */
export const stepSchema = z.object({
  id: text,
  kind: text,
  status: z.enum(['completed', 'failed']),
  duration_seconds: z.number(),
  exit_code: z.number().nullable(),
});

const metricsCell = z
  .record(text, z.unknown())
  .catch({})
  .transform((values) => {
    const numbers: Record<string, number> = {};
    for (const [name, value] of Object.entries(values)) if (typeof value === 'number') numbers[name] = value;
    return numbers;
  });

/** As it stands there: z.record would leave `__proto__` out. */
const objectCell: z.ZodType<JsonObject> = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
  .catch({});

const metadataShape = z.object({
  title: text.nullable().catch(null),
  kind: text.nullable().catch(null),
  file: text.catch(''),
  position: count,
  priority: count,
  output: anyJson,
  metrics: metricsCell,
  steps: listOf(stepSchema),
  tail: text.nullable().catch(null),
  tools: listOf(toolReportSchema),
  changes: changesSchema.nullable().catch(null),
  merge: mergeSchema.nullable().catch(null),
  earlierAttempts: listOf(attemptSchema),
  candidates: listOf(candidateSchema),
  gaveUp: text.nullable().catch(null),
  compensation: listOf(stepSchema),
  definition: objectCell,
});
const metadataCell = metadataShape.catch(() => metadataShape.parse({}));

const reasons: ReadonlySet<string> = new Set(failureSchema.options.map(({ shape }) => shape.reason.value));
const isReason = (word: string): word is Reason => reasons.has(word);

/** A word that is a reason of this version. */
export const reasonSchema = z.custom<Reason>((word) => typeof word === 'string' && isReason(word));

const textsCell = listOf(text);
const errorsCell = listOf(errorCell);

// Most lists are empty, and those need no parsing.
export const readTexts = (cell: string | null): string[] => (cell === '[]' ? [] : jsonCell(textsCell, cell));
export const readErrors = (cell: string | null): ResultError[] =>
  cell === '[]' ? [] : jsonCell(errorsCell, cell);
export const readTests = (cell: string | null): TestSummary => jsonCell(testsCell, cell);

/** @param title what to call a workstream whose metadata has no title. */
export function readMetadata(cell: string | null, title: string): ResultMetadata {
  const metadata = jsonCell(metadataCell, cell);
  return { ...metadata, title: metadata.title ?? title };
}

/** Null for none, and for what is no failure of this version. */
export const readFailure = (cell: string | null): Failure | null =>
  cell === null ? null : jsonCell(storedFailureSchema, cell);

/** Null for a word that is no reason of this version. */
export function readReason(cell: string | null): Reason | null {
  return cell !== null && isReason(cell) ? cell : null;
}
