import type { RunDocumentHead, ShortResult } from '../../domain/run-record.ts';
import { seconds } from '../../text/format.ts';
import { cappedTable, timeOfDay } from '../cells.ts';
import { type Block, type Cell, code, heading, prose } from '../nodes.ts';
import { select } from '../query.ts';

/** Most workstreams in one table here. */
const LIMIT = 100;

/** What failed and what was skipped, each with its reason; nothing when everything completed. */
export function failures(result: RunDocumentHead): Block[] {
  const { run, database } = result;
  const rest = (status: string): string =>
    select(database, run.runId, 'workstream_id, errors', 'agent_results', ` AND status = '${status}'`);
  const blocks: Block[] = [];
  if (result.failures.shown.length > 0) {
    blocks.push(
      heading(2, 'What failed'),
      ...cappedTable(result.failures, {
        columns: ['Workstream', 'Reason', 'What happened', 'Agent', 'At (UTC)', { right: 'Took' }, 'Log'],
        row: (item) => failureRow(item, run.createdAt),
        limit: LIMIT,
        noun: 'failure',
        rest: rest('failed'),
      }),
    );
  }
  if (result.skipped.shown.length > 0) {
    blocks.push(
      heading(blocks.length === 0 ? 2 : 3, 'What was skipped'),
      ...cappedTable(result.skipped, {
        columns: ['Workstream', 'Reason', 'Why'],
        row: (item) => [[code(item.workstreamId)], item.reason, explanation(item)],
        limit: LIMIT,
        noun: 'skipped workstream',
        rest: rest('skipped'),
      }),
    );
  }
  return blocks;
}

function failureRow(item: ShortResult, since: string): Cell[] {
  return [
    [code(item.workstreamId)],
    item.reason,
    explanation(item),
    item.agentId,
    timeOfDay(item.startTime, since),
    seconds(item.durationSeconds),
    item.logFile === null ? null : [code(item.logFile)],
  ];
}

function explanation(item: ShortResult): Cell {
  return item.explanation === null ? null : prose(item.explanation, 300);
}
