import type { ConsolidatedResult, ShortResult } from '../../domain/run-record.ts';
import { seconds } from '../../support/seconds.ts';
import { plural } from '../../support/plural.ts';
import { secondsBetween, timeOfDay } from '../clock.ts';
import { gantt } from '../gantt.ts';
import { type Block, type Cell, code, fence, heading, paragraph, strong, table } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows of the table. */
const ROWS = 500;

/** Most workstreams in the chart. */
const CHART = 60;

/** When each workstream ran and where: a chart for small runs, and a table. */
export function timeline({ timeline: all, run, database }: ConsolidatedResult): Block[] {
  const shown = all.shown.slice(0, ROWS);
  if (shown.length === 0) return [];
  const blocks: Block[] = [heading(2, 'Timeline')];
  const chart = all.total <= CHART ? gantt(run.runId, shown) : null;
  if (chart !== null) blocks.push(fence('mermaid', chart));
  if (all.total > shown.length) {
    blocks.push(
      paragraph(
        `${shown.length} of ${all.total} workstreams: those that failed and those that took longest. ${plural(all.total - shown.length, 'workstream')} left out; all of them, in order of start:`,
      ),
      fence(
        'sh',
        select(
          database,
          run.runId,
          'workstream_id, agent_id, status, start_time, duration_seconds',
          'agent_results',
          ' ORDER BY start_time',
        ),
      ),
    );
  }
  blocks.push(
    table(
      ['Start (UTC)', { right: 'After' }, { right: 'Took' }, 'Agent', 'Workstream', 'Status', 'Reason'],
      shown.map((item) => row(item, run.createdAt)),
    ),
  );
  return blocks;
}

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
