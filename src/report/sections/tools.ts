import type { RunDocumentHead } from '../../domain/run-record.ts';
import { type ToolPerformance, totalCost } from '../../domain/tool-record.ts';
import { costSentence, dollars, percent, seconds } from '../../text/format.ts';
import { type Block, type Cell, type Column, heading, paragraph, table } from '../nodes.ts';

/** Most tools in the table. */
const LIMIT = 50;

const COLUMNS: Column[] = [
  'Tool',
  'Model',
  { right: 'Workstreams' },
  { right: 'Attempts' },
  { right: 'Completed' },
  { right: 'Accepted' },
  { right: 'Not accepted' },
  { right: 'False successes' },
  { right: 'Cost' },
  { right: 'Tokens in' },
  { right: 'Tokens out' },
  { right: 'Time' },
];

/** What each tool did, and what all of them cost. */
export function tools({ tools: all }: RunDocumentHead): Block[] {
  if (all.length === 0) return [];
  const { knownUsd, unknown } = totalCost(all);
  const blocks: Block[] = [
    heading(2, 'Coding agents'),
    paragraph(costSentence(knownUsd, unknown)),
    table(COLUMNS, all.slice(0, LIMIT).map(row)),
  ];
  if (all.some(({ falseSuccesses }) => falseSuccesses > 0)) {
    blocks.push(
      paragraph(
        'A false success is an attempt whose program ended as if it had done its work and had not; each is among what failed, with its reason.',
      ),
    );
  }
  return blocks;
}

function row(tool: ToolPerformance): Cell[] {
  return [
    tool.tool,
    tool.model,
    tool.workstreams,
    tool.attempts,
    tool.attempts === 0 ? null : `${tool.completed} (${percent(tool.completed / tool.attempts)})`,
    tool.accepted,
    tool.notAccepted,
    tool.falseSuccesses,
    tool.costUsd === null ? null : dollars(tool.costUsd),
    tool.inputTokens,
    tool.outputTokens,
    seconds(tool.seconds),
  ];
}
