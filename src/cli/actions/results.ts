import type { TableLimits } from '../../analysis/results-table.ts';
import { cellsOf, groupsOf, type ResultsGroup } from '../../analysis/results-table.ts';
import type { Json } from '../../domain/json.ts';
import type { ResultsTable } from '../../domain/run-record.ts';
import { figure } from '../../report/cells.ts';
import { csvOf } from '../../report/csv.ts';
import { resultsTable } from '../../store/read/results-table.ts';
import { plural, seconds } from '../../text/format.ts';
import { escapeControls, printable } from '../../text/printable.ts';
import type { ResultsArguments } from '../commands/results.ts';
import { withRun } from '../history.ts';
import { printPage } from '../page.ts';
import { printEach } from '../standard-output.ts';

/** Of a file: as much as a spreadsheet takes in a cell. */
const WHOLE: TableLimits = { columns: 2_000, cell: 32_000 };
/** Of text for people. */
const SHOWN: TableLimits = { columns: 200, cell: 60 };
/** Most rows of a table for people. */
const ROWS = 1_000;

/** Prints the values, outputs and metrics of a run, a row a workstream. */
export async function results(argv: ResultsArguments): Promise<number> {
  const format = argv.json ? 'json' : (argv.format ?? 'table');
  return withRun(argv.state, argv.run, async (connection, { runId }) => {
    const table = resultsTable(connection, runId, format === 'table' ? SHOWN : WHOLE) ?? NOTHING;
    if (format === 'csv') await printEach(forOutput(csvOf(table)));
    else if (format === 'json') await printEach(jsonOf(runId, table));
    else await printTable(runId, table);
    warnOfColumns(table);
    return 0;
  });
}

const NOTHING: ResultsTable = {
  parameters: [],
  outputs: [],
  metrics: [],
  rows: [],
  total: 0,
  columnsLeftOut: 0,
};

/** In a file text stays what it is; on a terminal nothing of it is for the terminal. */
function* forOutput(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield process.stdout.isTTY ? `${printable(line.trimEnd())}\n` : line;
}

function warnOfColumns({ columnsLeftOut: count }: ResultsTable): void {
  if (count === 0) return;
  const left = `${plural(count, 'column')} of rarer names ${count === 1 ? 'was' : 'were'} left out`;
  process.stderr.write(`millrace: ${left}; millrace show --json has every output whole.\n`);
}

/** One document, a row on each line, with names in place of columns. */
function* jsonOf(runId: string, table: ResultsTable): Generator<string> {
  const { parameters, outputs, metrics, rows, total } = table;
  const head = JSON.stringify({ version: 1, run_id: runId, parameters, outputs, metrics, total }, null, 2);
  yield `${escapeControls(head.slice(0, -2))},\n  "rows": [`;
  let separator = '';
  for (const row of rows) {
    const named = {
      ...row,
      parameters: byName(parameters, row.parameters),
      outputs: byName(outputs, row.outputs),
      metrics: byName(metrics, row.metrics),
    };
    yield `${separator}\n    ${escapeControls(JSON.stringify(named))}`;
    separator = ',';
  }
  yield separator === '' ? ']\n}\n' : '\n  ]\n}\n';
}

const byName = (names: readonly string[], cells: readonly Json[]): Record<string, Json> =>
  Object.fromEntries(names.map((name, index) => [name, cells[index] ?? null]));

async function printTable(runId: string, table: ResultsTable): Promise<void> {
  const rows = table.rows.slice(0, ROWS);
  const { parameters, outputs, metrics } = table;
  const counts = [
    plural(parameters.length, 'parameter'),
    plural(outputs.length, 'output'),
    plural(metrics.length, 'metric'),
  ];
  const answer =
    table.total === 0
      ? `${runId} has no results for a table: no workstream has a matrix, an output or metrics.`
      : `${runId}: ${plural(table.total, 'result')} with ${counts.join(', ')}.`;
  const groups = groupsOf({ ...table, rows });
  const left = table.total - rows.length;
  const sections = groups.map((group) => ({
    title: group.base,
    head: ['workstream', 'status', 'took', ...group.columns.map(({ name }) => name)],
    rows: group.rows.map((row) => rowOf(row, group)),
  }));
  const rest = `${plural(left, 'more row')}: millrace results ${runId} --format csv`;
  const end = left === 0 ? [] : [{ title: null, notes: [rest] }];
  await printPage({ json: false }, { answer, sections: [...sections, ...end] }, {});
}

function rowOf(row: ResultsGroup['rows'][number], { columns }: ResultsGroup): (string | number | null)[] {
  const cells = cellsOf(row);
  const { workstreamId, status, reason } = row;
  const how = reason === null ? status : `${status}: ${reason}`;
  return [
    workstreamId,
    how,
    seconds(row.seconds),
    ...columns.map(({ index }) => shown(cells[index] ?? null)),
  ];
}

function shown(cell: Json): string | number | null {
  if (cell === null || typeof cell === 'string') return cell;
  if (typeof cell === 'number') return figure(cell);
  return JSON.stringify(cell);
}
