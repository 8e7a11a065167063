import type { RunDocumentHead, WorkstreamOutput } from '../../domain/run-record.ts';
import { plural } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import { type Block, code, glue, heading, paragraph, prose, strong, text } from '../nodes.ts';
import { metricsView, outputView, type ReportPlace } from '../output-view.ts';
import { select } from '../query.ts';

/** Most outputs in a report. */
const LIMIT = 30;

/** The outputs of workstreams; with how the workstream ended, unless a completed module returned it. */
export function outputs({ outputs: all, run, database }: RunDocumentHead, place: ReportPlace): Block[] {
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

function one(found: WorkstreamOutput, place: ReportPlace): Block[] {
  const { workstreamId, title, output, metrics } = found;
  const named = title === '' || title === workstreamId ? [] : [glue(': '), text(title, 120)];
  const numbers = metricsView(metrics);
  return [
    heading(3, code(workstreamId), ...named),
    ...verdictOf(found),
    ...outputView(output, place),
    ...(numbers.length === 0 ? [] : [paragraph('Metrics:'), ...numbers]),
  ];
}

/** A tool's own words, or the output of a workstream that did not complete, are never shown without how it ended. */
function verdictOf({ status, reason, explanation, tool, tests }: WorkstreamOutput): Block[] {
  const whose = tool === null ? 'Its output before that' : `What ${oneLine(tool, 60)} said of it`;
  if (status !== 'completed') {
    const why = reason === null ? [] : [glue(' ('), text(reason, 60), glue(')')];
    const what = explanation === null ? [] : [glue(': '), ...prose(explanation, 300)];
    return [paragraph(strong(status), ...why, ...what), paragraph(`${whose}, which is not a result:`)];
  }
  if (tool === null) return [];
  const ran = tests.passed + tests.failed;
  const tested =
    ran === 0
      ? 'no acceptance test checked it'
      : `${tests.passed} of ${plural(ran, 'acceptance test')} passed`;
  return [paragraph(strong('completed'), glue(`, ${tested}. ${whose}:`))];
}
