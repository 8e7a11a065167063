import { cellsOf, groupsOf, type ResultsGroup } from '../../analysis/results-table.ts';
import type { Json } from '../../domain/json.ts';
import type { RunDocumentHead, WorkstreamOutput } from '../../domain/run-record.ts';
import { plural } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import { sparkline, thinned } from '../../text/sparkline.ts';
import { figure } from '../cells.ts';
import {
  type Block,
  type Cell,
  code,
  details,
  glue,
  heading,
  paragraph,
  prose,
  strong,
  table,
  text,
} from '../nodes.ts';
import { isLine, lineOf, metricsView, outputView, type ReportPlace } from '../output-view.ts';
import { select } from '../query.ts';

/** Most tables of results, rows of one, and columns. */
const TABLES = 5;
const ROWS = 60;
const COLUMNS = 12;
/** Most columns of a table of workstreams that are no members of a matrix; wider outputs are shown one by one. */
const FLAT_COLUMNS = 7;
/** Outputs that are shown whole. */
const WHOLE = 30;

/** Outputs that are shown whole are closed from this many lines on, and together they take this many at most. */
const OPEN_LINES = 40;
const MOST_LINES = 50;

/**
 * The outputs of workstreams: those of a sweep as a table with the values of its matrix, and so those that have the same
 * few fields; the others one by one, with how the workstream ended unless a completed module returned it.
 */
export function outputs(head: RunDocumentHead, place: ReportPlace): Block[] {
  const { outputs: all, results, series } = head;
  const tables = results === null ? [] : groupsOf(results).filter(isTable);
  const tabled = new Set(tables.flatMap(({ rows }) => rows.map(({ workstreamId }) => workstreamId)));
  const single = all.shown.filter(({ workstreamId, tool }) => tool !== null || !tabled.has(workstreamId));
  const { blocks, count } = whole(single, place);
  const isCut = results !== null && results.total > results.rows.length;
  const left = isCut && tables.length > 0 ? 0 : all.total - count - (all.shown.length - single.length);
  return [
    ...resultTables(head, tables, place),
    ...(blocks.length === 0 ? [] : [heading(3, 'Outputs')]),
    ...(linesOf(blocks) > OPEN_LINES ? details(plural(count, 'output'), blocks) : blocks),
    ...(left > 0 && tables.length === 0 ? [leftOut(head, left)] : []),
    ...seriesTable(series),
  ];
}

/** As many outputs, whole, as a reader may want to see at once. */
function whole(single: readonly WorkstreamOutput[], place: ReportPlace): { blocks: Block[]; count: number } {
  const blocks: Block[] = [];
  let count = 0;
  for (const each of single.slice(0, WHOLE)) {
    const own = one(each, place);
    if (linesOf([...blocks, ...own]) > MOST_LINES) break;
    blocks.push(...own);
    count += 1;
  }
  return { blocks, count };
}

function leftOut({ database, run }: RunDocumentHead, left: number): Block {
  const rest = select(database, run.runId, "workstream_id, metadata ->> 'output'", 'agent_results');
  return paragraph(`The outputs of ${plural(left, 'more workstream')}: `, code(rest, 600), '.');
}

/** Members of a matrix always, others where several have the same few fields, each short. */
function isTable({ base, rows, columns }: ResultsGroup): boolean {
  if (base !== null) return true;
  if (rows.length < 2 || columns.length === 0 || columns.length > FLAT_COLUMNS) return false;
  return rows.every((row) => {
    const cells = cellsOf(row);
    return row.status === 'completed' && columns.every(({ index }) => isLine(cells[index] ?? null));
  });
}

function resultTables(
  { results, run }: RunDocumentHead,
  tables: ResultsGroup[],
  place: ReportPlace,
): Block[] {
  if (results === null || tables.length === 0) return [];
  const shown = tables.slice(0, TABLES);
  const rows = shown.reduce((sum, group) => sum + Math.min(group.rows.length, ROWS), 0);
  const inTables = tables.reduce((sum, group) => sum + group.rows.length, 0);
  const left = results.total - results.rows.length + inTables - rows;
  const isCut = shown.some(({ columns }) => columns.length > COLUMNS) || results.columnsLeftOut > 0;
  const more = [...(left > 0 ? [plural(left, 'more row')] : []), ...(isCut ? ['all columns'] : [])];
  return [
    heading(3, 'Results'),
    ...shown.flatMap((group) => [
      ...(group.base === null || tables.length === 1 ? [] : [paragraph(code(group.base), ':')]),
      resultTable(group, place),
    ]),
    paragraph(
      `As a file, with ${more.length === 0 ? 'exact figures' : more.join(' and ')}: `,
      code(`millrace results ${run.runId} --format csv`),
      '.',
    ),
  ];
}

function resultTable({ rows, columns: all }: ResultsGroup, place: ReportPlace): Block {
  const shown = rows.slice(0, ROWS).map((row) => ({ row, cells: cellsOf(row) }));
  const columns = all.slice(0, COLUMNS);
  const isNumber = (index: number): boolean =>
    shown.every(({ cells }) => ['number', 'object'].includes(typeof (cells[index] ?? null)));
  const hasFailed = shown.some(({ row }) => row.status !== 'completed');
  return table(
    [
      'Workstream',
      ...(hasFailed ? ['Status'] : []),
      ...columns.map(({ name, index }) =>
        isNumber(index) ? { right: oneLine(name, 60) } : oneLine(name, 60),
      ),
    ],
    shown.map(({ row, cells }): Cell[] => [
      [code(row.workstreamId)],
      ...(hasFailed ? [row.reason === null ? row.status : `${row.status}: ${row.reason}`] : []),
      ...columns.map(({ index }) => cellOf(cells[index] ?? null, place)),
    ]),
  );
}

/** Longest array or object in a cell, as JSON. */
const LONGEST = 60;

function cellOf(cell: Json, place: ReportPlace): Cell {
  if (typeof cell === 'string' && !isLine(cell)) return [text(cell, LONGEST)];
  if (typeof cell !== 'object' || cell === null) return lineOf(cell, place);
  return [code(JSON.stringify(cell), LONGEST)];
}

/** Most series that are drawn, and bars of one. */
const SERIES = 30;
const BARS = 40;

/** What modules reported of metrics while they ran, drawn small. */
function seriesTable({ shown, total }: RunDocumentHead['series']): Block[] {
  if (shown.length === 0) return [];
  const drawn = shown.slice(0, SERIES);
  const left = total - drawn.length;
  return [
    heading(3, 'Metrics over time'),
    table(
      [
        'Workstream',
        'Metric',
        'Values',
        { right: 'First' },
        { right: 'Last' },
        { right: 'Least' },
        { right: 'Greatest' },
      ],
      drawn.map(({ workstreamId, name, points }): Cell[] => {
        const values = points.map(([, value]) => value);
        const ends = [values[0], values.at(-1), Math.min(...values), Math.max(...values)];
        const bars = sparkline(thinned(points, BARS - 3).map(([, value]) => value));
        return [[code(workstreamId)], text(name, 60).value, bars, ...ends.map((value) => figure(value ?? 0))];
      }),
    ),
    ...(left > 0 ? [paragraph(`and ${left} more series.`)] : []),
  ];
}

/** About how many lines blocks take. */
function linesOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => {
    if (block.type === 'code') return sum + block.value.split('\n').length + 3;
    return sum + (block.type === 'table' || block.type === 'list' ? block.children.length + 1 : 2);
  }, 0);
}

function one(found: WorkstreamOutput, place: ReportPlace): Block[] {
  const { workstreamId, title, output, metrics } = found;
  const named = title === '' || title === workstreamId ? [] : [glue(': '), text(title, 120)];
  const numbers = metricsView(metrics);
  return [
    paragraph({ type: 'strong', children: [code(workstreamId), ...named] }),
    ...verdictOf(found),
    ...outputView(output, place),
    ...(numbers.length === 0 ? [] : [paragraph('Metrics:'), ...numbers]),
  ];
}

/** A tool's own words, or the output of a workstream that did not complete, are never shown without how it ended. */
function verdictOf({ status, reason, explanation, tool, tests }: WorkstreamOutput): Block[] {
  const whose = tool === null ? 'Its output before that' : `What ${oneLine(tool, 60)} said of it`;
  if (status !== 'completed') {
    const why = reason === null ? [] : [glue(' ('), text(reason, 60), glue(')')];
    const what = explanation === null ? [] : [glue(': '), ...prose(explanation, 300)];
    return [paragraph(strong(status), ...why, ...what), paragraph(`${whose}, which is not a result:`)];
  }
  if (tool === null) return [];
  const ran = tests.passed + tests.failed;
  const tested =
    ran === 0
      ? 'no acceptance test checked it'
      : `${tests.passed} of ${plural(ran, 'acceptance test')} passed`;
  return [paragraph(strong('completed'), glue(`, ${tested}. ${whose}:`))];
}
