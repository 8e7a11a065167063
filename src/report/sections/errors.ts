import type { PhrasingContent } from 'mdast';
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import type { RunDocumentHead } from '../../domain/run-record.ts';
import { plural } from '../../text/format.ts';
import { cappedTable, excerpt, firstFrame } from '../cells.ts';
import { type Block, code, fence, glue, heading, list, paragraph, strong, text } from '../nodes.ts';
import { select } from '../query.ts';

/** Groups that are shown whole; further ones are a table row each. */
const WHOLE = 20;
const ROWS = 100;

/** Most characters of a message, an output and a stack. */
const MESSAGE = 2000;
const CONTEXT = 3000;

/** The errors, grouped: how often, where, and one example with its context. */
export function errors({ errors: found, errorPatterns, run, database }: RunDocumentHead): Block[] {
  const patterns = { shown: found, total: errorPatterns };
  if (patterns.shown.length === 0) return [];
  const blocks: Block[] = [
    heading(2, 'Errors'),
    paragraph(`${plural(run.totals.errors, 'error')} in ${plural(patterns.total, 'group')}.`),
    ...patterns.shown.slice(0, WHOLE).flatMap((pattern, index) => group(pattern, index + 1)),
  ];
  const others = { shown: patterns.shown.slice(WHOLE), total: patterns.total - WHOLE };
  if (others.total <= 0) return blocks;
  const rest = select(
    database,
    run.runId,
    'error_type, count(*), min(error_message)',
    'consolidated_errors',
    ' GROUP BY error_type, error_message ORDER BY 2 DESC',
  );
  const rows = cappedTable(others, {
    columns: ['Type', { right: 'Count' }, 'Error', 'Example'],
    row: (pattern) => [pattern.type, pattern.count, pattern.pattern, [code(pattern.example.workstreamId)]],
    limit: ROWS,
    noun: 'group',
    rest,
  });
  const left = paragraph(`and ${plural(others.total, 'more group')}: `, code(rest, 600), '.');
  return [...blocks, heading(3, 'Other groups'), ...(rows.length === 0 ? [left] : rows)];
}

function group(pattern: ErrorPattern, position: number): Block[] {
  const { example } = pattern;
  return [
    heading(3, glue(`${position}. `), text(pattern.type, 60), `: ${times(pattern.count)}`),
    ...(pattern.count > 1 ? [paragraph(code(pattern.pattern, 300))] : []),
    list(false, [members(pattern), ...place(pattern)]),
    ...labelled('Message', example.message, MESSAGE, 'start'),
    ...labelled('Last output', example.tail, CONTEXT, 'end'),
    ...labelled('Stack', example.stack, CONTEXT, 'start'),
  ];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function members({ workstreams, count }: ErrorPattern): PhrasingContent[] {
  const nodes = workstreams.flatMap((id, index) => (index === 0 ? [code(id)] : [glue(', '), code(id)]));
  const left = count - workstreams.length;
  return [strong('In'), glue(': '), ...nodes, ...(left > 0 ? [glue(` and ${left} more`)] : [])];
}

/** Where the example happened, and where its whole output is. */
function place({ example }: ErrorPattern): PhrasingContent[][] {
  const frame = example.stack === null ? null : firstFrame(example.stack);
  const where = [
    strong('Example'),
    glue(': '),
    code(example.workstreamId),
    glue(' on '),
    code(example.agentId),
    ...(frame === null ? [] : [glue(' at '), code(frame)]),
  ];
  return example.logFile === null
    ? [where]
    : [where, [strong('Whole output'), glue(': '), code(example.logFile)]];
}

function labelled(label: string, content: string | null, limit: number, keep: 'start' | 'end'): Block[] {
  const shown = content === null ? '' : excerpt(content, limit, keep);
  return shown === '' ? [] : [paragraph(`${label}:`), fence('text', shown)];
}
