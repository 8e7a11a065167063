import type { AgentPerformance, RunDocumentHead } from '../../domain/run-record.ts';
import { percent, plural, seconds } from '../../text/format.ts';
import { ratio } from '../cells.ts';
import { type Block, type Cell, type Column, code, heading, paragraph, table } from '../nodes.ts';

/** Most agents in a table. */
const LIMIT = 100;

const BREAKDOWN: Column[] = [
  'Agent',
  { right: 'Workstreams' },
  { right: 'Completed' },
  { right: 'Failed' },
  { right: 'Success' },
  { right: 'Busy' },
  { right: 'Idle' },
  { right: 'CPU' },
  { right: 'Average' },
  { right: 'Median' },
  { right: '95 % within' },
];

const COMPARISON: Column[] = [
  'Agent',
  { right: 'Share of the work' },
  { right: 'Utilisation' },
  'Busy ▓ idle ░',
  { right: 'Average against all' },
  { right: 'Workstreams an hour' },
];

/** What each agent did, and how they compare. */
export function agents({ agents: all }: RunDocumentHead): Block[] {
  const shown = all.slice(0, LIMIT);
  if (shown.length === 0) return [];
  const blocks: Block[] = [heading(2, 'Agents'), table(BREAKDOWN, shown.map(breakdownRow))];
  if (all.length > shown.length)
    blocks.push(paragraph(`and ${plural(all.length - shown.length, 'more agent')}.`));
  if (all.length > 1) {
    blocks.push(heading(3, 'Comparison'), table(COMPARISON, shown.map(comparisonRow(all))));
    const sentence = spread(all);
    if (sentence !== null) blocks.push(sentence);
  }
  return blocks;
}

function breakdownRow(agent: AgentPerformance): Cell[] {
  return [
    agent.agentId,
    agent.workstreams,
    agent.completed,
    agent.failed,
    percent(agent.successRate),
    seconds(agent.busySeconds),
    seconds(agent.idleSeconds),
    seconds(agent.cpuSeconds),
    seconds(agent.averageSeconds),
    seconds(agent.medianSeconds),
    seconds(agent.p95Seconds),
  ];
}

function comparisonRow(all: AgentPerformance[]): (agent: AgentPerformance) => Cell[] {
  const busy = sum(all, (agent) => agent.busySeconds);
  const count = sum(all, (agent) => agent.workstreams);
  const average = count === 0 || busy === 0 ? null : busy / count;
  return (agent) => [
    agent.agentId,
    percent(busy === 0 ? null : agent.busySeconds / busy),
    percent(agent.utilisation),
    bar(agent.utilisation),
    agent.averageSeconds === null || average === null ? null : `${ratio(agent.averageSeconds / average)} ×`,
    ratio(agent.perHour),
  ];
}

/** Who had most to do and who least, and by how much. */
function spread(all: AgentPerformance[]): Block | null {
  const [first, ...others] = all;
  if (first === undefined) return null;
  const most = others.reduce((a, b) => (b.busySeconds > a.busySeconds ? b : a), first);
  const least = others.reduce((a, b) => (b.busySeconds < a.busySeconds ? b : a), first);
  if (most.busySeconds === least.busySeconds) return null;
  const mean = sum(all, (agent) => agent.busySeconds) / all.length;
  return paragraph(
    code(most.agentId),
    ` worked longest (${seconds(most.busySeconds)}, ${ratio(most.busySeconds / mean)} × the mean), `,
    code(least.agentId),
    ` shortest (${seconds(least.busySeconds)}).`,
  );
}

function bar(share: number | null): string | null {
  if (share === null) return null;
  const full = Math.round(Math.min(1, Math.max(0, share)) * 10);
  return '▓'.repeat(full) + '░'.repeat(10 - full);
}

function sum(all: AgentPerformance[], of: (agent: AgentPerformance) => number): number {
  return all.reduce((total, agent) => total + of(agent), 0);
}
