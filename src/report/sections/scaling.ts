import type { RunDocumentHead } from '../../domain/run-record.ts';
import type { AgentsChange, ScalingReason } from '../../domain/scaling.ts';
import { plural } from '../../text/format.ts';
import { cappedTable, timeOfDay } from '../cells.ts';
import { type Block, type Cell, heading, paragraph } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in the table. */
const LIMIT = 100;

const REASONS: Record<ScalingReason, string> = {
  start: 'start',
  waiting: 'they waited',
  'cpu-bound': 'they computed',
  crowded: 'too many wanted a processor',
  memory: 'memory was short',
};

/** How many agents there were and why, where their number followed the load. */
export function scaling({ scaling: counts, run, database }: RunDocumentHead): Block[] {
  const [first] = counts.shown;
  if (first === undefined) return [];
  const summary = run.executionSummary?.scaling ?? null;
  const blocks: Block[] = [heading(2, 'Number of agents')];
  if (summary !== null) {
    const { start, final, least, most, changes } = summary;
    const between = changes === 0 ? '' : `, between ${least} and ${most} in ${plural(changes, 'change')}`;
    blocks.push(
      paragraph(`The number followed the load: ${start} at the start, ${final} at the end${between}.`),
    );
  }
  return [
    ...blocks,
    ...cappedTable(counts, {
      columns: ['Time (UTC)', { right: 'From' }, { right: 'To' }, 'Because', 'What was measured'],
      row: (change) => row(change, run.createdAt),
      limit: LIMIT,
      noun: 'change',
      rest: select(database, run.runId, '*', 'agent_counts'),
    }),
  ];
}

function row({ at, from, to, reason, explanation }: AgentsChange, since: string): Cell[] {
  return [timeOfDay(at, since), from, to, REASONS[reason], explanation];
}
