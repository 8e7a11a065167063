/** Reads whole results: as the JSON texts that a document is made of, and as records. */
import { z } from 'zod';
import { type AgentResult, COORDINATOR } from '../../domain/agent-result.ts';
import { reasonSchema } from '../../domain/failure.ts';
import { isoTime, textCell } from '../schema/cells.ts';
import { type Connection, statement } from '../schema/connection.ts';
import {
  errorsText,
  failureCell,
  metadataText,
  NO_TESTS,
  testsCell,
  textsText,
  usageCell,
} from '../schema/result-cells.ts';
import type { resultTable } from '../schema/result-tables.ts';
import { asStoreError } from '../schema/store-error.ts';
import { ERROR_PATTERN } from './patterns.ts';
import { firstRow, rows } from './rows.ts';
import { runStatus, unusualRunStatus } from './run-status.ts';
import { withCases } from './tests.ts';

const COLUMNS = [
  'run_id',
  'agent_id',
  'workstream_id',
  'status',
  'start_time',
  'end_time',
  'duration_seconds',
  'files_modified',
  'commits_created',
  'errors',
  'warnings',
  'test_results',
  'metadata',
  'reason',
  'explanation',
  'failure',
  'cpu_seconds',
  'cpu_wait_seconds',
  'usage',
  'attempts',
  'from_run',
  'saved_seconds',
  'definition_hash',
  'log_file',
] as const satisfies readonly (keyof typeof resultTable.row.shape)[];

type ResultColumn = (typeof COLUMNS)[number];

const IDS = 'SELECT id FROM agent_results WHERE run_id = ? ORDER BY id';
const idRow = z.object({ id: z.number() });

const ROWS = `
SELECT ${COLUMNS.map((name) => `r.${name}`).join(', ')}, r.id
FROM json_each(?) i CROSS JOIN agent_results r ON r.id = i.value`;

const FIRST_ERROR = `
SELECT e.stack_trace, ${ERROR_PATTERN} AS pattern
FROM consolidated_errors e WHERE e.run_id = ? AND e.workstream_id = ? ORDER BY e.id LIMIT 1`;
const firstError = z.object({ stack_trace: textCell, pattern: textCell });

/** Most rows that are read at a time, and the characters of `metadata` after which no more are. */
const PAGE_ROWS = 256;
const PAGE_LENGTH = 1_000_000;

/** The cells of a row in the order of `COLUMNS`, and its id. What is in each depends on who wrote it. */
type Cells = readonly unknown[];

/** The results of a run in the order in which they arrived, one by one, so that any number of them fits in memory. */
export function* readResults(connection: Connection, runId: string): Generator<AgentResult, void, undefined> {
  for (const text of resultTexts(connection, runId)) {
    const result: AgentResult = JSON.parse(text);
    yield result;
  }
}

/** The results in the rows of these ids, in their order. */
export function* resultsById(
  connection: Connection,
  ids: readonly number[],
): Generator<AgentResult, void, undefined> {
  for (const text of textsById(connection, ids)) {
    const result: AgentResult = JSON.parse(text);
    yield result;
  }
}

/**
 * The same results, each as a JSON object on one line. No transaction is open while the caller has one in hand: rows are
 * read some hundred at a time, and what was removed before its turn is left out.
 */
export function* resultTexts(connection: Connection, runId: string): Generator<string, void, undefined> {
  const ids = rows(connection, idRow, IDS, runId).map(({ id }) => id);
  yield* textsById(connection, ids);
}

function* textsById(connection: Connection, ids: readonly number[]): Generator<string, void, undefined> {
  for (let start = 0; start < ids.length; ) {
    const page = readPage(connection, ids.slice(start, start + PAGE_ROWS));
    for (const row of page.found) yield resultText(row, connection);
    start += page.length;
  }
}

/** The rows of the first of these ids, and how many ids that were. */
function readPage(connection: Connection, ids: readonly number[]): { found: Cells[]; length: number } {
  const found: Cells[] = [];
  let characters = 0;
  try {
    for (const row of rowsOf(connection, ids)) {
      found.push(row);
      characters += String(row[METADATA]).length;
      if (characters > PAGE_LENGTH) return { found, length: ids.indexOf(Number(row.at(-1))) + 1 };
    }
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
  return { found, length: ids.length };
}

function rowsOf(connection: Connection, ids: readonly number[]): Iterable<Cells>;
function rowsOf(connection: Connection, ids: readonly number[]): Iterable<unknown> {
  return statement(connection, ROWS).raw().iterate(JSON.stringify(ids));
}

/** How a field is written, of the cells of a row. */
type FieldText = (row: Cells, connection: Connection) => string;

const textOf = (cell: unknown): string => (typeof cell === 'string' ? JSON.stringify(cell) : 'null');
const numberOf = (cell: unknown): string => (typeof cell === 'number' ? JSON.stringify(cell) : 'null');
const timeOf = (cell: unknown): string => (typeof cell === 'string' ? textOf(isoTime(cell)) : 'null');

/** Null for a word that is no reason of this version. */
const reasonCell = reasonSchema.nullable().catch(null);

const indexOf = (column: ResultColumn): number => COLUMNS.indexOf(column);
const RUN = indexOf('run_id');
const WORKSTREAM = indexOf('workstream_id');
const STATUS = indexOf('status');
const EXPLANATION = indexOf('explanation');
const TESTS = indexOf('test_results');
const METADATA = indexOf('metadata');

const cell = (column: ResultColumn, write: (value: unknown) => string): FieldText => {
  const index = indexOf(column);
  return (row) => write(row[index]);
};

const FIELDS: Record<Exclude<keyof AgentResult, 'stack' | 'pattern'>, FieldText> = {
  runId: cell('run_id', textOf),
  agentId: cell('agent_id', (value) => textOf(typeof value === 'string' ? value : COORDINATOR)),
  workstreamId: cell('workstream_id', textOf),
  status: cell('status', (value) => textOf(runStatus(String(value)))),
  startTime: cell('start_time', timeOf),
  endTime: cell('end_time', timeOf),
  durationSeconds: cell('duration_seconds', numberOf),
  filesModified: cell('files_modified', textsText),
  commitsCreated: cell('commits_created', textsText),
  errors: cell('errors', errorsText),
  warnings: cell('warnings', textsText),
  testResults: testsText,
  metadata: (row) => metadataText(row[METADATA], String(row[WORKSTREAM])),
  reason: cell('reason', (value) => (value === null ? 'null' : textOf(reasonCell.parse(value)))),
  explanation: explanationText,
  failure: cell('failure', (value) => (value === null ? 'null' : JSON.stringify(failureCell.parse(value)))),
  cpuSeconds: cell('cpu_seconds', numberOf),
  cpuWaitSeconds: cell('cpu_wait_seconds', numberOf),
  usage: cell('usage', (value) => (value === null ? 'null' : JSON.stringify(usageCell.parse(value)))),
  attempts: cell('attempts', (value) => (typeof value === 'number' ? numberOf(value) : '0')),
  fromRun: cell('from_run', textOf),
  savedSeconds: cell('saved_seconds', numberOf),
  definitionHash: cell('definition_hash', textOf),
  logFile: cell('log_file', textOf),
};

/** Each field with what stands before it. */
const FIELD_TEXTS = Object.entries(FIELDS).map(
  ([name, write], index) => [`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`, write] as const,
);

function resultText(row: Cells, connection: Connection): string {
  let text = '';
  for (const [name, write] of FIELD_TEXTS) text += name + write(row, connection);
  return `${text}${row[STATUS] === 'failed' ? errorText(row, connection) : NO_ERROR}`;
}

/** The last fields, of the first error of a result that failed. */
function errorText(row: Cells, connection: Connection): string {
  const of = [String(row[RUN]), String(row[WORKSTREAM])];
  const { stack_trace: stack = null, pattern } = firstRow(connection, firstError, FIRST_ERROR, ...of) ?? {};
  return `,"stack":${textOf(stack)},"pattern":${textOf(pattern === '' ? null : pattern)}}`;
}
const NO_ERROR = ',"stack":null,"pattern":null}';

function explanationText(row: Cells): string {
  const explanation = row[EXPLANATION];
  return textOf(typeof explanation === 'string' ? explanation : unusualRunStatus(String(row[STATUS])));
}

/** The cases of tests are in a table of their own. */
function testsText(row: Cells, connection: Connection): string {
  if (row[TESTS] === NO_TESTS) return NO_TESTS;
  const summary = testsCell.parse(row[TESTS]);
  return JSON.stringify(withCases(connection, String(row[RUN]), String(row[WORKSTREAM]), summary));
}
