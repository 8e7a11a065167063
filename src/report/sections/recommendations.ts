import type { RunDocumentHead } from '../../domain/run-record.ts';
import { cappedTable } from '../cells.ts';
import { type Block, code, heading, list, paragraph, prose } from '../nodes.ts';
import { select } from '../query.ts';

/** What to do next, most important first. */
export function recommendations({ run }: RunDocumentHead): Block[] {
  if (run.recommendations.length > 0) {
    return [
      heading(2, 'Recommendations'),
      list(
        true,
        run.recommendations.slice(0, 20).map((each) => prose(each)),
      ),
    ];
  }
  if (run.state !== 'running') return [];
  return [heading(2, 'Recommendations'), paragraph('They are made when the run has ended.')];
}

/** What was odd and not fatal. */
export function warnings({ warnings: all, run, database }: RunDocumentHead): Block[] {
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
