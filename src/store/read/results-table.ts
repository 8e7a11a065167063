/** Reads the table of a run's results, and what its modules reported of metrics over time. */
import { z } from 'zod';
import { ResultsTableBuilder, type TabledResult, type TableLimits } from '../../analysis/results-table.ts';
import type { Capped } from '../../domain/capped.ts';
import { isObject, type Json } from '../../domain/json.ts';
import { madeFileSchema, metricSeriesSchema } from '../../domain/outcome.ts';
import type { ResultsTable, ShownFile, ShownSeries } from '../../domain/run-record.ts';
import { byNumber } from '../../text/by-number.ts';
import { thinned } from '../../text/sparkline.ts';
import { jsonCell, parsed, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { countOf, eachCells, rows } from './rows.ts';
import { runStatus } from './run-status.ts';

/** What is in the table: workstreams with an output that is no tool's, with metrics, or with a matrix. */
const TABLED = `
SELECT id FROM agent_results WHERE run_id = ? AND has_output = 1
UNION SELECT id FROM agent_results WHERE run_id = ? AND has_matrix = 1`;

/** An output that takes more is left out, with all else that is not of a fixed size. */
const LONGEST_BYTES = 1_000_000;

const ROWS = `
SELECT r.workstream_id, r.status, r.reason, r.duration_seconds,
  CASE WHEN octet_length(r.metadata) <= ${LONGEST_BYTES} OR NOT json_valid(r.metadata) THEN r.metadata
    ELSE json_remove(r.metadata, '$.output', '$.tail') END
FROM (SELECT id FROM (${TABLED}) ORDER BY id LIMIT ?) i CROSS JOIN agent_results r ON r.id = i.id`;

/** The table of all results that have values, an output or metrics; null where none has. */
export function resultsTable(
  connection: Connection,
  runId: string,
  limits: TableLimits,
): ResultsTable | null {
  return tableOf(connection, runId, limits, Number.MAX_SAFE_INTEGER);
}

/** The table of a document is of at most so many results, the first that arrived, and shows fewer of them. */
const MOST_TABLED = 2_000;
const MOST_SHOWN = 500;

/** The same, bounded whatever the run was. */
export function shownResults(connection: Connection, runId: string): ResultsTable | null {
  const total = countOf(connection, `SELECT COUNT(*) AS n FROM (${TABLED})`, runId, runId);
  if (total === 0) return null;
  const table = tableOf(connection, runId, { columns: 40, cell: 200 }, MOST_TABLED);
  if (table === null) return null;
  return {
    ...table,
    rows: table.rows.slice(0, MOST_SHOWN),
    total: total > MOST_TABLED ? total : table.total,
  };
}

function tableOf(
  connection: Connection,
  runId: string,
  limits: TableLimits,
  most: number,
): ResultsTable | null {
  const builder = new ResultsTableBuilder(limits);
  for (const [id, status, reason, seconds, metadata] of eachCells(connection, ROWS, runId, runId, most)) {
    const found = tabledResult(metadata, {
      workstreamId: String(id),
      status: runStatus(String(status)),
      reason: typeof reason === 'string' ? reason : null,
      seconds: typeof seconds === 'number' ? seconds : null,
    });
    if (found !== null) builder.add(found);
  }
  const table = builder.table();
  return table.total === 0 ? null : table;
}

/** Null where a tool wrote the output: it is no result, but what the tool said of the work. */
function tabledResult(
  metadata: unknown,
  row: Pick<TabledResult, 'workstreamId' | 'status' | 'reason' | 'seconds'>,
): TabledResult | null {
  const fields = typeof metadata === 'string' ? parsed(metadata) : null;
  if (!isObject(fields)) return null;
  const { file, position, base, matrix, output, metrics } = fields;
  const isTools = isToolsOwn(output ?? null, fields['tools'] ?? null);
  const values = isObject(matrix) ? matrix : null;
  const numbers = numbersOf(metrics);
  if (isTools && values === null && Object.keys(numbers).length === 0) return null;
  return {
    ...row,
    base: typeof base === 'string' ? base : row.workstreamId,
    file: typeof file === 'string' ? file : '',
    position: typeof position === 'number' ? position : 0,
    matrix: values,
    output: isTools ? null : (output ?? null),
    metrics: numbers,
  };
}

/** Whether an output is what a tool said last. */
const isToolsOwn = (output: Json, tools: Json): boolean =>
  isObject(output) &&
  Array.isArray(tools) &&
  tools.some((tool) => isObject(tool) && tool['text'] === output['text']);

function numbersOf(metrics: Json | undefined): Record<string, number> {
  if (metrics === undefined || !isObject(metrics)) return {};
  const numbers = Object.entries(metrics).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return Object.fromEntries(numbers);
}

/** Most series of a document, and points of one. */
const MOST_SERIES = 50;
const MOST_POINTS = 120;

const seriesRow = z.object({ workstream_id: z.string(), series: textCell });
const allSeries = z.record(z.string(), metricSeriesSchema).catch({});

const WITH_SERIES = `
SELECT workstream_id, metadata -> '$.series' AS series FROM agent_results
WHERE run_id = ? AND series_count > 0 ORDER BY id LIMIT ${MOST_SERIES}`;

/**
 * What was reported of metrics over time, of the first workstreams that arrived, in the order of their ids, with fewer
 * points.
 */
export function shownSeries(connection: Connection, runId: string): Capped<ShownSeries> {
  const count = 'SELECT SUM(series_count) AS n FROM agent_results WHERE run_id = ? AND series_count > 0';
  const total = countOf(connection, count, runId);
  if (total === 0) return { shown: [], total };
  const shown = rows(connection, seriesRow, WITH_SERIES, runId).flatMap(
    ({ workstream_id: workstreamId, series }) =>
      Object.entries(jsonCell(allSeries, series)).map(
        ([name, { points, total: reported }]): ShownSeries => ({
          workstreamId,
          name,
          points: thinned(points, MOST_POINTS),
          total: reported,
        }),
      ),
  );
  const first = shown.slice(0, MOST_SERIES);
  return { shown: first.toSorted((a, b) => byNumber(a.workstreamId, b.workstreamId)), total };
}

const fileRow = madeFileSchema.extend({ workstream_id: z.string() });

const FILES = `
SELECT workstream_id, path, bytes, sha256, problem FROM run_output_files WHERE run_id = ? LIMIT ?`;

/** The files that workstreams of a run made, among those that they declare as their outputs. */
export function outputFiles(connection: Connection, runId: string, limit: number): Capped<ShownFile> {
  const count = 'SELECT SUM(output_files) AS n FROM agent_results WHERE run_id = ? AND output_files > 0';
  const total = countOf(connection, count, runId);
  if (total === 0) return { shown: [], total };
  const shown = rows(connection, fileRow, FILES, runId, limit);
  return {
    shown: shown.map(({ workstream_id: workstreamId, ...file }) => ({ workstreamId, ...file })),
    total,
  };
}
