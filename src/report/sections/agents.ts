/** The agents and how their number changed, and the coding agents. */
import type { AgentPerformance, HostPerformance, RunDocumentHead } from '../../domain/run-record.ts';
import type { AgentsChange, ScalingReason } from '../../domain/scaling.ts';
import type { ToolPerformance } from '../../domain/tool-record.ts';
import { percent, plural, seconds } from '../../text/format.ts';
import { cappedTable, ratio, timeOfDay } from '../cells.ts';
import { type Block, type Cell, type Column, code, details, heading, paragraph, table } from '../nodes.ts';
import { select } from '../query.ts';
import { TOOL_COLUMNS, toolRow } from '../tool-columns.ts';

/** Most agents, changes of their number and tools in a table. */
const LIMIT = 100;
/** A longer table is closed until the reader opens it. */
const OPEN = 16;

const AGENT_COLUMNS: Column[] = [
  'Agent',
  { right: 'Workstreams' },
  { right: 'Completed' },
  { right: 'Failed' },
  { right: 'Busy' },
  { right: 'Idle' },
  'Busy ▓ idle ░',
  { right: 'CPU' },
  { right: 'Average' },
  { right: 'Median' },
  { right: '95 % within' },
  { right: 'An hour' },
];

export function agents(head: RunDocumentHead): Block[] {
  const blocks = [
    ...hostTable(head.hosts ?? []),
    ...agentTable(head.agents),
    ...scaling(head),
    ...tools(head.tools),
  ];
  return blocks.length === 0
    ? []
    : [heading(2, head.tools.length === 0 ? 'Agents' : 'Agents and tools'), ...blocks];
}

const HOST_COLUMNS: Column[] = [
  'Host',
  { right: 'Agents' },
  { right: 'Workstreams' },
  { right: 'Completed' },
  { right: 'Failed' },
  { right: 'Worked' },
  { right: 'Host lost' },
];

/** What each machine of a queue did; nothing for a run on this one. */
function hostTable(all: readonly HostPerformance[]): Block[] {
  if (all.length === 0) return [];
  const left = all.length - LIMIT;
  return [
    table(HOST_COLUMNS, all.slice(0, LIMIT).map(hostRow)),
    ...(left > 0 ? [paragraph(`and ${plural(left, 'more host')}.`)] : []),
  ];
}

const hostRow = ({
  host,
  agents: lent,
  workstreams,
  completed,
  failed,
  busySeconds,
  lost,
}: HostPerformance): Cell[] => [host, lent, workstreams, completed, failed, seconds(busySeconds), lost];

function agentTable(all: AgentPerformance[]): Block[] {
  const shown = all.slice(0, LIMIT);
  if (shown.length === 0) return [];
  const rows: Block[] = [table(AGENT_COLUMNS, shown.map(agentRow))];
  if (all.length > shown.length)
    rows.push(paragraph(`and ${plural(all.length - shown.length, 'more agent')}.`));
  const sentence = spread(all);
  return [
    ...(all.length > OPEN ? details(plural(all.length, 'agent'), rows) : rows),
    ...(sentence === null ? [] : [sentence]),
  ];
}

function agentRow(agent: AgentPerformance): Cell[] {
  return [
    agent.agentId,
    agent.workstreams,
    agent.completed,
    agent.failed,
    seconds(agent.busySeconds),
    seconds(agent.idleSeconds),
    agent.utilisation === null ? null : `${bar(agent.utilisation)} ${percent(agent.utilisation)}`,
    seconds(agent.cpuSeconds),
    seconds(agent.averageSeconds),
    seconds(agent.medianSeconds),
    seconds(agent.p95Seconds),
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

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * 10);
  return '▓'.repeat(full) + '░'.repeat(10 - full);
}

function sum(all: AgentPerformance[], of: (agent: AgentPerformance) => number): number {
  return all.reduce((total, agent) => total + of(agent), 0);
}

const REASONS: Record<ScalingReason, string> = {
  start: 'start',
  waiting: 'they waited',
  'cpu-bound': 'they computed',
  crowded: 'too many wanted a processor',
  memory: 'memory was short',
};

/** How many agents there were and why, where their number followed the load. */
function scaling({ scaling: counts, run, database }: RunDocumentHead): Block[] {
  const [first] = counts.shown;
  if (first === undefined) return [];
  const summary = run.executionSummary?.scaling ?? null;
  const blocks: Block[] = [heading(3, 'Number of agents')];
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
      row: (change) => changeRow(change, run.createdAt),
      limit: LIMIT,
      noun: 'change',
      rest: select(database, run.runId, '*', 'agent_counts'),
    }),
  ];
}

function changeRow({ at, from, to, reason, explanation }: AgentsChange, since: string): Cell[] {
  return [timeOfDay(at, since), from, to, REASONS[reason], explanation];
}

/** What each tool did, with each model. */
function tools(all: readonly ToolPerformance[]): Block[] {
  if (all.length === 0) return [];
  const blocks: Block[] = [
    heading(3, 'Coding agents'),
    table(TOOL_COLUMNS.map(titleOf), all.slice(0, LIMIT).map(toolRow)),
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

/** Names of tools and models on the left, figures on the right. */
function titleOf({ name }: { name: string }, index: number): Column {
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  return index < NAMES ? title : { right: title };
}

const NAMES = 2;
