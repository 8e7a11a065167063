import type { ConsolidatedResult, ToolPerformance } from '../../domain/run-record.ts';
import { dollars } from '../../support/dollars.ts';
import { percent } from '../../support/percent.ts';
import { plural } from '../../support/plural.ts';
import { seconds } from '../../support/seconds.ts';
import { sumKnown } from '../../domain/spending.ts';
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
export function tools({ tools: all }: ConsolidatedResult): Block[] {
  if (all.length === 0) return [];
  const blocks: Block[] = [
    heading(2, 'Coding agents'),
    paragraph(cost(all)),
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

function cost(all: readonly ToolPerformance[]): string {
  const known = sumKnown(all.map(({ costUsd }) => costUsd));
  const unknown = all.reduce((sum, { unknownCosts }) => sum + unknownCosts, 0);
  const rest = unknown === 0 ? '' : ` What ${plural(unknown, 'attempt')} cost is not known.`;
  return known === null
    ? `What it cost is not known.`
    : `${dollars(known)} is known to have been spent.${rest}`;
}
