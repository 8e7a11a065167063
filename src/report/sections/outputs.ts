import type { ConsolidatedResult, WorkstreamOutput } from '../../domain/run-record.ts';
import { plural } from '../../support/plural.ts';
import { type Block, code, glue, heading, paragraph, text } from '../nodes.ts';
import { metricsView, outputView, type ReportPlace } from '../output-view.ts';
import { select } from '../query.ts';

/** Most outputs in a report. */
const LIMIT = 30;

/** What the workstreams gave. */
export function outputs({ outputs: all, run, database }: ConsolidatedResult, place: ReportPlace): Block[] {
  const shown = all.shown.slice(0, LIMIT);
  if (shown.length === 0) return [];
  const left = all.total - shown.length;
  const blocks: Block[] = [heading(2, 'Outputs'), ...shown.flatMap((each) => one(each, place))];
  if (left > 0) {
    const rest = select(database, run.runId, "workstream_id, metadata ->> 'output'", 'agent_results');
    blocks.push(paragraph(`The outputs of ${plural(left, 'more workstream')}: `, code(rest, 600), '.'));
  }
  return blocks;
}

function one({ workstreamId, title, output, metrics }: WorkstreamOutput, place: ReportPlace): Block[] {
  const named = title === '' || title === workstreamId ? [] : [glue(': '), text(title, 120)];
  const numbers = metricsView(metrics);
  return [
    heading(3, code(workstreamId), ...named),
    ...outputView(output, place),
    ...(numbers.length === 0 ? [] : [paragraph('Metrics:'), ...numbers]),
  ];
}
