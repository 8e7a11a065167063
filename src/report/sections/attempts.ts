import type { ConsolidatedResult } from '../../domain/run-record.ts';
import type { Retried } from '../../domain/tool-record.ts';
import { cappedTable } from '../capped.ts';
import { type Block, type Cell, code, heading } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in the table. */
const LIMIT = 100;

/** What was tried more than once, and why it was given up where it was. */
export function attempts({ retried, run, database }: ConsolidatedResult): Block[] {
  if (retried.total === 0) return [];
  return [
    heading(2, 'Tried more than once'),
    ...cappedTable(retried, {
      columns: ['Workstream', { right: 'Attempts' }, 'Failed with', 'In the end', 'Given up because'],
      row: retriedRow,
      limit: LIMIT,
      noun: 'workstream',
      rest: select(database, run.runId, '*', 'workstream_attempts'),
    }),
  ];
}

function retriedRow({ workstreamId, attempts: count, reasons, status, gaveUp }: Retried): Cell[] {
  return [[code(workstreamId)], count, reasons.join(', '), status, gaveUp];
}
