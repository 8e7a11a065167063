import type { FinalStatus } from '../../domain/agent-result.ts';
import type { RunDocumentHead, ShortResult } from '../../domain/run-record.ts';
import { reservationText } from '../../text/amounts.ts';
import { byNumber } from '../../text/by-number.ts';
import { plural, seconds } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import { parse, secondsBetween, timeOfDay } from '../cells.ts';
import { type Block, type Cell, code, details, fence, heading, paragraph, strong, table } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows of the table. */
const ROWS = 500;

/** Most workstreams in the chart, and in a table that the reader need not open. */
const CHART = 60;
const OPEN = 60;

/** When each workstream ran and where: a chart for small runs, and a table. */
export function timeline({ timeline: all, run, database, resources }: RunDocumentHead): Block[] {
  const shown = all.shown.slice(0, ROWS);
  if (shown.length === 0) return [];
  const chart = all.total <= CHART ? gantt(run.runId, shown) : null;
  const rows = [rowsTable(shown, run.createdAt, resources)];
  return [
    heading(2, 'Timeline'),
    ...(chart === null ? [] : [fence('mermaid', chart)]),
    ...(all.total > shown.length ? leftOut(shown.length, all.total, database, run.runId) : []),
    ...(shown.length > OPEN ? details(plural(shown.length, 'workstream'), rows) : rows),
  ];
}

function leftOut(shown: number, total: number, database: string, runId: string): Block[] {
  const columns = 'workstream_id, agent_id, status, start_time, duration_seconds';
  return [
    paragraph(
      `${shown} of ${total} workstreams: those that failed and those that took longest. ${plural(total - shown, 'workstream')} left out; all of them, in order of start:`,
    ),
    fence('sh', select(database, runId, columns, 'agent_results', ' ORDER BY start_time')),
  ];
}

const COLUMNS = [
  'Start (UTC)',
  { right: 'After' },
  { right: 'Took' },
  'Agent',
  'Workstream',
  'Status',
  'Reason',
];

/** What workstreams reserved is a column of runs in which one did. */
function rowsTable(
  shown: readonly ShortResult[],
  createdAt: string,
  resources: RunDocumentHead['resources'],
): Block {
  const reserved = new Map(resources.shown.map(({ workstreamId, asked }) => [workstreamId, asked]));
  const cells = (item: ShortResult): Cell[] =>
    reserved.size === 0
      ? row(item, createdAt)
      : [...row(item, createdAt), reservationText(reserved.get(item.workstreamId) ?? NOTHING)];
  return table(reserved.size === 0 ? COLUMNS : [...COLUMNS, 'Reserved'], shown.map(cells));
}

const NOTHING = { cpus: null, memoryMb: null };

function row(item: ShortResult, since: string): Cell[] {
  return [
    timeOfDay(item.startTime, since),
    seconds(secondsBetween(since, item.startTime)),
    seconds(item.durationSeconds),
    item.agentId,
    [code(item.workstreamId)],
    item.status === 'failed' ? [strong('failed')] : item.status,
    item.status === 'completed' ? [] : item.reason,
  ];
}

const MARKS: Record<FinalStatus, { sign: string; tag: string }> = {
  completed: { sign: '✓', tag: 'done' },
  failed: { sign: '✗', tag: 'crit' },
  skipped: { sign: '○', tag: 'active' },
};

/**
 * A Mermaid Gantt chart with a section an agent; null when nothing has a start and a duration. Times are in UTC.
 * The sign before each name keeps a name from being read as one of Mermaid's own words.
 */
export function gantt(title: string, items: ShortResult[]): string | null {
  const sections = new Map<string, string[]>();
  for (const item of items) {
    const bar = barOf(item);
    if (bar === null) continue;
    const bars = sections.get(item.agentId);
    if (bars === undefined) sections.set(item.agentId, [bar]);
    else bars.push(bar);
  }
  if (sections.size === 0) return null;
  const lines = [
    'gantt',
    `    title ${label(title)}`,
    '    dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    '    axisFormat %H:%M:%S',
  ];
  const names = [...sections.keys()].toSorted(byNumber);
  for (const name of names) lines.push(`    section ${label(name)}`, ...(sections.get(name) ?? []));
  return lines.join('\n');
}

function barOf(item: ShortResult): string | null {
  const start = parse(item.startTime);
  if (start === null || item.durationSeconds === null) return null;
  const { sign, tag } = MARKS[item.status];
  const from = new Date(start).toISOString().slice(0, 23).replace('T', ' ');
  const length = Math.max(1, Math.round(item.durationSeconds * 1000));
  return `    ${sign} ${label(item.workstreamId)} :${tag}, ${from}, ${length}ms`;
}

/** A name without the characters that end a statement or begin a comment in Mermaid. */
function label(name: string): string {
  return oneLine(name, 60).replaceAll(/[^\p{L}\p{N} _./-]+/gu, '-') || '-';
}
