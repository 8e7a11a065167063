import type { ConsolidatedResult } from '../../domain/run-record.ts';
import { cappedTable } from '../capped.ts';
import { type Block, code, heading, prose } from '../nodes.ts';
import { select } from '../query.ts';

/** What was odd and not fatal. */
export function warnings({ warnings: all, run, database }: ConsolidatedResult): Block[] {
  if (all.shown.length === 0) return [];
  return [
    heading(2, 'Warnings'),
    ...cappedTable(all, {
      columns: ['Workstream', 'Warning'],
      row: ({ workstreamId, text }) => [[code(workstreamId)], prose(text, 300)],
      limit: 100,
      noun: 'warning',
      rest: select(database, run.runId, 'workstream_id, warnings', 'agent_results', " AND warnings <> '[]'"),
    }),
  ];
}
