import type { Json, JsonObject } from '../../domain/json.ts';
import type { RunDocumentHead, WorkstreamOutput } from '../../domain/run-record.ts';
import { plural } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
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

/** Most rows of tables of outputs, most columns of one, and outputs that are shown whole. */
const ROWS = 60;
const COLUMNS = 7;
const WHOLE = 30;

/** Outputs that are shown whole are closed from this many lines on, and together they take this many at most. */
const OPEN_LINES = 40;
const MOST_LINES = 50;

/**
 * The outputs of workstreams: those of a sweep, flat and with the same fields, as a table; the others one by one, with how
 * the workstream ended unless a completed module returned it.
 */
export function outputs({ outputs: all, run, database }: RunDocumentHead, place: ReportPlace): Block[] {
  if (all.shown.length === 0) return [];
  const { sweeps, single } = sorted(all.shown);
  const shown: Block[] = [];
  let count = 0;
  for (const each of single.slice(0, WHOLE)) {
    const blocks = one(each, place);
    if (linesOf([...shown, ...blocks]) > MOST_LINES) break;
    shown.push(...blocks);
    count += 1;
  }
  const rows = sweeps.map((members) => members.slice(0, ROWS));
  const left = all.total - count - rows.reduce((sum, members) => sum + members.length, 0);
  const rest = select(database, run.runId, "workstream_id, metadata ->> 'output'", 'agent_results');
  return [
    heading(3, 'Outputs'),
    ...rows.map((members) => sweepTable(members, place)),
    ...(linesOf(shown) > OPEN_LINES ? details(plural(count, 'output'), shown) : shown),
    ...(left > 0
      ? [paragraph(`The outputs of ${plural(left, 'more workstream')}: `, code(rest, 600), '.')]
      : []),
  ];
}

/** Outputs that make a table together, and those that do not. */
function sorted(all: readonly WorkstreamOutput[]): {
  sweeps: WorkstreamOutput[][];
  single: WorkstreamOutput[];
} {
  const groups = new Map<string, WorkstreamOutput[]>();
  for (const each of all) {
    const fields = flatFields(each);
    const key = fields === null ? '' : JSON.stringify(Object.keys(fields));
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  const sweeps = [...groups].filter(([key, members]) => key !== '' && members.length > 1);
  const inTables = new Set(sweeps.flatMap(([, members]) => members));
  return { sweeps: sweeps.map(([, members]) => members), single: all.filter((each) => !inTables.has(each)) };
}

/** The fields of an output that fits in a row, with the metrics; null for any other. */
function flatFields({ status, tool, output, metrics }: WorkstreamOutput): JsonObject | null {
  if (status !== 'completed' || tool !== null) return null;
  if (output !== null && !isFields(output)) return null;
  const fields = { ...output, ...metrics };
  const values = Object.values(fields);
  return values.length > 0 && values.length <= COLUMNS && values.every(isLine) ? fields : null;
}

const isFields = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const byNumber = new Intl.Collator('en', { numeric: true });

/** In the order of their ids: results arrive in any. */
function sweepTable(members: readonly WorkstreamOutput[], place: ReportPlace): Block {
  const rows = members
    .map((each) => ({ id: each.workstreamId, fields: flatFields(each) ?? {} }))
    .toSorted((a, b) => byNumber.compare(a.id, b.id));
  const names = Object.keys(rows[0]?.fields ?? {});
  const isNumber = (name: string): boolean => rows.every(({ fields }) => typeof fields[name] === 'number');
  return table(
    [
      'Workstream',
      ...names.map((name) => (isNumber(name) ? { right: oneLine(name, 60) } : oneLine(name, 60))),
    ],
    rows.map(({ id, fields }): Cell[] => [
      [code(id)],
      ...names.map((name) => lineOf(fields[name] ?? null, place)),
    ]),
  );
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
