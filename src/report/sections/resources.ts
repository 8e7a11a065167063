import type { ResourceUse, RunDocumentHead } from '../../domain/run-record.ts';
import { megabytes, processors } from '../../text/amounts.ts';
import { seconds } from '../../text/format.ts';
import { cappedTable, ratio } from '../cells.ts';
import { type Block, type Cell, type Column, code, heading, paragraph } from '../nodes.ts';
import { select } from '../query.ts';

/** Most workstreams in the table. */
const LIMIT = 50;

const COLUMNS: Column[] = [
  'Workstream',
  { right: 'Reserved cpus' },
  { right: 'Used' },
  { right: 'Reserved memory' },
  { right: 'Used' },
  { right: 'Took' },
  'Advice',
];

/** What workstreams reserved and what they used of it; nothing where none reserved anything. */
export function resources({ resources: all, run, database }: RunDocumentHead): Block[] {
  if (all.total === 0) return [];
  const capacity = run.executionSummary?.resources ?? null;
  const room =
    capacity === null
      ? []
      : [
          paragraph(
            `All together could reserve ${processors(capacity.cpus)} and ${megabytes(capacity.memoryMb)}.`,
          ),
        ];
  return [
    heading(2, 'Processors and memory'),
    ...room,
    ...cappedTable(all, {
      columns: COLUMNS,
      row,
      limit: LIMIT,
      noun: 'workstream',
      rest: select(database, run.runId, 'workstream_id, usage', 'agent_results', ' AND usage IS NOT NULL'),
    }),
  ];
}

function row({ workstreamId, asked, used, seconds: took, advice }: ResourceUse): Cell[] {
  return [
    [code(workstreamId)],
    asked.cpus,
    used.cpus === null ? null : ratio(used.cpus),
    asked.memoryMb === null ? null : megabytes(asked.memoryMb),
    used.memoryMb === null ? null : megabytes(used.memoryMb),
    seconds(took),
    advice === null ? [] : advice,
  ];
}
