/** The JSON cells of `agent_results`, written and read. What an older system wrote is read as far as it fits. */
import { z } from 'zod';
import {
  cacheUseSchema,
  constraintsSchema,
  limitWaitSchema,
  type ResourceUsage,
  type ResultError,
  type ResultMetadata,
  stepSummarySchema,
  type TestSummary,
  usageSchema,
} from '../../domain/agent-result.ts';
import { attemptSchema, candidateSchema } from '../../domain/attempt.ts';
import { changesSchema, mergeSchema } from '../../domain/changes.ts';
import { type Failure, storedFailureSchema } from '../../domain/failure.ts';
import { isFields, type JsonObject } from '../../domain/json.ts';
import {
  madeFileSchema,
  metricSeriesSchema,
  type TestResult,
  testCountsSchema,
  testResultSchema,
} from '../../domain/outcome.ts';
import { reviewRecordSchema } from '../../domain/policy/review.ts';
import { toolReportSchema } from '../../domain/tool-report.ts';
import { anyJson, jsonCell, listOf, parsed, textCell } from './cells.ts';

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

export const writeUsage = (usage: ResourceUsage | null): string | null =>
  usage === null ? null : JSON.stringify(usage);

const storedUsage = usageSchema.nullable().catch(null);

/** Null for none, and for what is no usage. */
export const usageCell = textCell.transform((cell) => (cell === null ? null : jsonCell(storedUsage, cell)));

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
const object: z.ZodType<JsonObject> = z.custom<JsonObject>((value) => isFields(value)).catch({});

/** The title is null in rows of an older system. */
type StoredMetadata = Omit<ResultMetadata, 'title'> & { title: string | null };

/** What is left out has a default: to find fault with it and catch that takes three times as long. */
const metadata = z.object({
  title: text.nullable().catch(null),
  kind: text.nullable().default(null).catch(null),
  file: text.catch(''),
  position: count,
  priority: count,
  constraints: constraintsSchema.nullable().default(null).catch(null),
  output: anyJson.default(null),
  metrics: metrics.default({}),
  base: text.nullable().default(null).catch(null),
  matrix: object.nullable().default(null),
  series: z.record(text, metricSeriesSchema).default({}).catch({}),
  outputs: listOf(madeFileSchema).default([]),
  steps: listOf(stepSummarySchema).default([]),
  tail: text.nullable().default(null).catch(null),
  tools: listOf(toolReportSchema).default([]),
  changes: changesSchema.nullable().default(null).catch(null),
  merge: mergeSchema.nullable().default(null).catch(null),
  earlierAttempts: listOf(attemptSchema).default([]),
  limitWaits: listOf(limitWaitSchema).default([]),
  candidates: listOf(candidateSchema).default([]),
  reviews: listOf(reviewRecordSchema).default([]),
  gaveUp: text.nullable().default(null).catch(null),
  compensation: listOf(stepSummarySchema).default([]),
  host: text.nullable().default(null).catch(null),
  cache: cacheUseSchema.nullable().default(null).catch(null),
  definition: object.default({}),
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
    constraints: given.constraints ?? undefined,
    output: given.output ?? undefined,
    metrics: fieldsOf(given.metrics),
    base: given.base ?? undefined,
    matrix: given.matrix ?? undefined,
    series: fieldsOf(given.series),
    outputs: entriesOf(given.outputs),
    steps: entriesOf(given.steps),
    tools: entriesOf(given.tools),
    changes: given.changes ?? undefined,
    merge: given.merge ?? undefined,
    earlierAttempts: entriesOf(given.earlierAttempts),
    limitWaits: entriesOf(given.limitWaits),
    candidates: entriesOf(given.candidates),
    reviews: entriesOf(given.reviews),
    gaveUp: given.gaveUp ?? undefined,
    compensation: entriesOf(given.compensation),
    host: given.host ?? undefined,
    cache: given.cache ?? undefined,
    tail: given.tail ?? undefined,
    definition: fieldsOf(given.definition),
  } satisfies Record<keyof ResultMetadata, unknown>);
}

const entriesOf = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

const fieldsOf = <T extends object>(fields: T): T | undefined =>
  Object.keys(fields).length === 0 ? undefined : fields;

// Cells in a JSON document. Most are there as they stand in the database: a document of 100,000 results takes a third of
// the time, and a large output is written as it is. That is done where reading and writing a cell would change nothing
// of it, which is checked; any other cell is read by its schema, and so are those of older systems.

const cellText =
  <T>(read: z.ZodType<T>, isAsWritten: (value: unknown) => boolean) =>
  (cell: unknown): string =>
    typeof cell === 'string' && isAsWritten(parsed(cell)) && !cell.includes('\n')
      ? cell
      : JSON.stringify(read.parse(cell));

const listText = <T>(read: z.ZodType<T[]>, isElement: (value: unknown) => boolean) => {
  const text = cellText(read, (value) => Array.isArray(value) && value.every(isElement));
  return (cell: unknown): string => (cell === NO_LIST ? NO_LIST : text(cell));
};

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';

/** The text of a list of texts in a document. */
export const textsText = listText(textsCell, isText);

/** The text of `errors` in a document. */
export const errorsText = listText(
  errorsCell,
  (value) =>
    isFields(value) && isText(value['type']) && isText(value['message']) && Object.keys(value).length === 2,
);

const isStep = (value: unknown): boolean =>
  isFields(value) &&
  isText(value['id']) &&
  isText(value['kind']) &&
  (value['status'] === 'completed' || value['status'] === 'failed') &&
  isNumber(value['duration_seconds']) &&
  (isNumber(value['exit_code']) || value['exit_code'] === null) &&
  Object.keys(value).length === 5;

/** What most workstreams have in `metadata`. What a tool leaves is read by the schema. */
const USUAL = new Map<string, (value: unknown) => boolean>(
  Object.entries({
    title: isText,
    kind: isText,
    file: isText,
    position: isNumber,
    priority: isNumber,
    constraints: (value) => constraintsSchema.safeParse(value).success,
    output: () => true,
    metrics: (value) => isFields(value) && Object.values(value).every(isNumber),
    base: isText,
    matrix: isFields,
    series: (value) => z.record(text, metricSeriesSchema).safeParse(value).success,
    outputs: (value) => z.array(madeFileSchema).safeParse(value).success,
    steps: (value) => Array.isArray(value) && value.every(isStep),
    tail: isText,
    definition: isFields,
  } satisfies Partial<Record<keyof ResultMetadata, (value: unknown) => boolean>>),
);
const NEEDED = ['title', 'file', 'position', 'priority'];

const isUsual = (fields: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(fields).every(([name, value]) => USUAL.get(name)?.(value) ?? false) &&
  NEEDED.every((name) => Object.hasOwn(fields, name));

/** What a document says of a field that is not in the cell. */
const ABSENT = Object.entries(metadata.parse({})).map(
  ([name, value]) => [name, `,${JSON.stringify(name)}:${JSON.stringify(value)}`] as const,
);

/**
 * The text of `metadata` in a document, where every field is named.
 * @param title of a row that has none.
 */
export function metadataText(cell: unknown, title: string): string {
  const fields = typeof cell === 'string' && cell.endsWith('}') ? parsed(cell) : null;
  if (typeof cell !== 'string' || !isFields(fields) || !isUsual(fields) || cell.includes('\n')) {
    const read = metadataCell.parse(cell);
    return JSON.stringify({ ...read, title: read.title ?? title });
  }
  let text = cell.slice(0, -1);
  for (const [name, absent] of ABSENT) if (!Object.hasOwn(fields, name)) text += absent;
  return `${text}}`;
}
