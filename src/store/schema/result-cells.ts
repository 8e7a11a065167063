/** The JSON cells of `agent_results`, written and read. What an older system wrote is read as far as it fits. */
import { z } from 'zod';
import {
  type ResultError,
  type ResultMetadata,
  stepSummarySchema,
  type TestSummary,
} from '../../domain/agent-result.ts';
import { attemptSchema, candidateSchema } from '../../domain/attempt.ts';
import { changesSchema, mergeSchema } from '../../domain/changes.ts';
import { type Failure, storedFailureSchema } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import { type TestResult, testCountsSchema, testResultSchema } from '../../domain/outcome.ts';
import { toolReportSchema } from '../../domain/tool-report.ts';
import { anyJson, jsonCell, listOf, textCell } from './cells.ts';

const text = z.string();
const count = z.number().catch(0);

/** A cell of JSON of this shape; the schema catches what is missing, malformed or of another shape. */
const cellOf = <T>(schema: z.ZodType<T>) => textCell.transform((cell) => jsonCell(schema, cell));

/** Most lists are empty, and those need no parsing. */
const listCell = <T>(element: z.ZodType<T>) => {
  const list = listOf(element);
  return textCell.transform((cell): T[] => (cell === NO_LIST ? [] : jsonCell(list, cell)));
};

/** The cell of an empty list. */
export const NO_LIST = '[]';

export const writeList = (values: readonly unknown[]): string =>
  values.length === 0 ? NO_LIST : JSON.stringify(values);

export const textsCell = listCell(text);

const error: z.ZodType<ResultError> = z.union([
  z.object({ type: text.catch('unknown'), message: text }),
  // Systems before this one wrote bare texts, or objects of their own.
  z.unknown().transform((value) => ({
    type: 'unknown',
    message: typeof value === 'string' ? value : JSON.stringify(value),
  })),
]);
export const errorsCell = listCell(error);

export const writeFailure = (failure: Failure | null): string | null =>
  failure === null ? null : JSON.stringify(failure);

/** Null for none, and for what is no failure of this version. */
export const failureCell = textCell.transform((cell) =>
  cell === null ? null : jsonCell(storedFailureSchema, cell),
);

/** Rows of earlier versions know less of a test; the cases of a test are not in this cell. */
const acceptanceTest = testResultSchema
  .omit({ cases: true })
  .extend({
    blocking: z.boolean().catch(true),
    logFile: text.nullable().catch(null),
    format: text.nullable().catch(null),
    counts: testCountsSchema.nullable().catch(null),
  })
  .transform((test): TestResult => ({ ...test, cases: [] }));

const EMPTY: TestSummary = { total: 0, passed: 0, failed: 0, manual: 0, cases: null, tests: [] };

export const testsCell = cellOf(
  z
    .object({
      total: count,
      passed: count,
      failed: count,
      manual: count,
      cases: testCountsSchema.nullable().catch(null),
      tests: listOf(acceptanceTest),
    })
    .catch(EMPTY),
);

/** The cell of a workstream without tests. */
export const NO_TESTS = JSON.stringify(EMPTY);

/** Everything but the cases, which have rows of their own. */
export function writeTests(summary: TestSummary): string {
  if (summary.total === 0 && summary.tests.length === 0) return NO_TESTS;
  return JSON.stringify({ ...summary, tests: summary.tests.map((test) => ({ ...test, cases: undefined })) });
}

const metrics = z
  .record(text, z.unknown())
  .catch({})
  .transform((values) => {
    const numbers: Record<string, number> = {};
    for (const [name, value] of Object.entries(values)) if (typeof value === 'number') numbers[name] = value;
    return numbers;
  });

/** As it was written: z.record would leave `__proto__` out. */
const object: z.ZodType<JsonObject> = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
  .catch({});

/** The title is null in rows of an older system. */
type StoredMetadata = Omit<ResultMetadata, 'title'> & { title: string | null };

const metadata = z.object({
  title: text.nullable().catch(null),
  kind: text.nullable().catch(null),
  file: text.catch(''),
  position: count,
  priority: count,
  output: anyJson,
  metrics,
  steps: listOf(stepSummarySchema),
  tail: text.nullable().catch(null),
  tools: listOf(toolReportSchema),
  changes: changesSchema.nullable().catch(null),
  merge: mergeSchema.nullable().catch(null),
  earlierAttempts: listOf(attemptSchema),
  candidates: listOf(candidateSchema),
  gaveUp: text.nullable().catch(null),
  compensation: listOf(stepSummarySchema),
  definition: object,
} satisfies Record<keyof ResultMetadata, z.ZodType>);

export const metadataCell = cellOf<StoredMetadata>(metadata.catch(() => metadata.parse({})));

/** What a workstream has none of is left out, such as tools. */
export function writeMetadata(given: ResultMetadata): string {
  const { title, file, position, priority } = given;
  return JSON.stringify({
    title,
    kind: given.kind ?? undefined,
    file,
    position,
    priority,
    output: given.output ?? undefined,
    metrics: fieldsOf(given.metrics),
    steps: entriesOf(given.steps),
    tools: entriesOf(given.tools),
    changes: given.changes ?? undefined,
    merge: given.merge ?? undefined,
    earlierAttempts: entriesOf(given.earlierAttempts),
    candidates: entriesOf(given.candidates),
    gaveUp: given.gaveUp ?? undefined,
    compensation: entriesOf(given.compensation),
    tail: given.tail ?? undefined,
    definition: fieldsOf(given.definition),
  } satisfies Record<keyof ResultMetadata, unknown>);
}

const entriesOf = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

const fieldsOf = <T extends object>(fields: T): T | undefined =>
  Object.keys(fields).length === 0 ? undefined : fields;
