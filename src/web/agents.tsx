/** What agents and tools did, and what workstreams reserved and used. */
import { useMemo } from 'preact/hooks';
import type { ResourceUsage } from '../domain/agent-result.ts';
import type { PageWorkstream } from '../domain/page-document.ts';
import type { AgentPerformance, HostPerformance } from '../domain/run-record.ts';
import type { ToolPerformance } from '../domain/tool-record.ts';
import { count, dollars, duration, figure, megabytes, percent, plural, UNKNOWN } from './model/format.ts';
import type { Run } from './model/run.ts';
import { AgentName, Bar, CopyButton, SectionView, Words, WorkstreamLink } from './parts.tsx';
import { csvOf, type PageColumn, Table } from './table.tsx';

const agentColumns = (wall: number): PageColumn<AgentPerformance>[] => [
  {
    key: 'agent',
    title: 'Agent',
    class: 'full',
    cell: ({ agentId }) => <AgentName agentId={agentId} />,
    csv: ({ agentId }) => agentId,
  },
  {
    key: 'busy',
    title: 'Busy',
    isNumber: true,
    class: 'col-took',
    cell: ({ utilisation, busySeconds }) => (
      <span class="dbar">
        <Bar share={utilisation ?? (wall > 0 ? busySeconds / wall : 0)} />
        <span>{percent(utilisation)}</span>
      </span>
    ),
    csv: ({ utilisation }) => utilisation,
  },
  {
    key: 'workstreams',
    title: 'Workstreams',
    isNumber: true,
    cell: ({ workstreams }) => count(workstreams),
    csv: ({ workstreams }) => workstreams,
  },
  {
    key: 'failed',
    title: 'Failed',
    isNumber: true,
    cell: ({ failed }) => (failed > 0 ? <span class="fail">{count(failed)}</span> : '0'),
    csv: ({ failed }) => failed,
  },
  {
    key: 'worked',
    title: 'Worked',
    isNumber: true,
    cell: ({ busySeconds }) => duration(busySeconds),
    csv: ({ busySeconds }) => busySeconds,
  },
  {
    key: 'idle',
    title: 'Idle',
    isNumber: true,
    from: 'medium',
    cell: ({ idleSeconds }) => duration(idleSeconds),
    csv: ({ idleSeconds }) => idleSeconds,
  },
  {
    key: 'median',
    title: 'Median',
    isNumber: true,
    cell: ({ medianSeconds }) => duration(medianSeconds),
    csv: ({ medianSeconds }) => medianSeconds,
  },
  {
    key: 'p95',
    title: '95th percentile',
    isNumber: true,
    from: 'medium',
    cell: ({ p95Seconds }) => duration(p95Seconds),
    csv: ({ p95Seconds }) => p95Seconds,
  },
];

const hostColumns: PageColumn<HostPerformance>[] = [
  { key: 'host', title: 'Host', class: 'full', cell: ({ host }) => <Words text={host} length={60} /> },
  { key: 'agents', title: 'Agents', isNumber: true, cell: ({ agents }) => count(agents) },
  { key: 'workstreams', title: 'Workstreams', isNumber: true, cell: ({ workstreams }) => count(workstreams) },
  {
    key: 'failed',
    title: 'Failed',
    isNumber: true,
    cell: ({ failed }) => (failed > 0 ? <span class="fail">{count(failed)}</span> : '0'),
  },
  { key: 'worked', title: 'Worked', isNumber: true, cell: ({ busySeconds }) => duration(busySeconds) },
  {
    key: 'lost',
    title: 'Host lost',
    isNumber: true,
    cell: ({ lost }) => (lost > 0 ? <span class="fail">{count(lost)}</span> : '0'),
  },
];

const toolColumns: PageColumn<ToolPerformance>[] = [
  {
    key: 'tool',
    title: 'Tool',
    class: 'full',
    cell: ({ tool, model }) => (
      <span class="two">
        <b>
          <Words text={tool} length={60} />
        </b>
        {model !== null && (
          <span class="sub2">
            <Words text={model} length={60} />
          </span>
        )}
      </span>
    ),
    csv: ({ tool }) => tool,
  },
  {
    key: 'attempts',
    title: 'Attempts',
    isNumber: true,
    cell: ({ attempts }) => count(attempts),
    csv: ({ attempts }) => attempts,
  },
  {
    key: 'accepted',
    title: 'Accepted',
    isNumber: true,
    cell: ({ accepted }) => count(accepted),
    csv: ({ accepted }) => accepted,
  },
  {
    key: 'notAccepted',
    title: 'Not accepted',
    isNumber: true,
    cell: ({ notAccepted }) => count(notAccepted),
    csv: ({ notAccepted }) => notAccepted,
  },
  {
    key: 'false',
    title: 'False successes',
    isNumber: true,
    cell: ({ falseSuccesses }) =>
      falseSuccesses > 0 ? <span class="odd">{count(falseSuccesses)}</span> : '0',
    csv: ({ falseSuccesses }) => falseSuccesses,
  },
  {
    key: 'cost',
    title: 'Cost',
    isNumber: true,
    cell: ({ costUsd, unknownCosts }) =>
      costUsd === null ? (
        <span class="q">not said</span>
      ) : (
        `${dollars(costUsd)}${unknownCosts > 0 ? ` + ${unknownCosts} not said` : ''}`
      ),
    csv: ({ costUsd }) => costUsd,
  },
  {
    key: 'tokens',
    title: 'Tokens in, out',
    isNumber: true,
    from: 'medium',
    cell: ({ inputTokens, outputTokens }) =>
      `${inputTokens === null ? UNKNOWN : count(inputTokens)}, ${outputTokens === null ? UNKNOWN : count(outputTokens)}`,
  },
  {
    key: 'took',
    title: 'Worked',
    isNumber: true,
    cell: ({ seconds }) => duration(seconds),
    csv: ({ seconds }) => seconds,
  },
];

export function Agents({ run }: { run: Run }) {
  const { agents, hosts = [], tools, scaling } = run.head;
  if (agents.length + tools.length === 0) return null;
  const wall = run.head.run.executionSummary?.speed.wallSeconds ?? run.seconds;
  const columns = agentColumns(wall);
  return (
    <SectionView
      id="agents"
      title={tools.length > 0 ? 'Tools and agents' : 'Agents'}
      note={speedText(run)}
      actions={
        <CopyButton glyph="copy" text={() => csvOf(columns, agents)}>
          Copy CSV
        </CopyButton>
      }
    >
      <div class="stacked">
        {tools.length > 0 && (
          <div class="card">
            <Table
              label="Tools"
              columns={toolColumns}
              rows={tools}
              keyOf={({ tool, model }) => `${tool} ${model}`}
            />
          </div>
        )}
        {hosts.length > 0 && (
          <div class="card">
            <Table label="Hosts" columns={hostColumns} rows={hosts} keyOf={({ host }) => host} />
          </div>
        )}
        {agents.length > 0 && (
          <div class="card">
            <Table label="Each agent" columns={columns} rows={agents} keyOf={({ agentId }) => agentId} />
          </div>
        )}
        <Reservations run={run} />
        {scaling.shown.length > 1 && (
          <div class="card">
            <Table
              label="How the number of agents changed"
              columns={[
                { key: 'at', title: 'At', isNumber: true, cell: ({ at }) => duration(run.secondsAt(at)) },
                { key: 'to', title: 'Agents', isNumber: true, cell: ({ to }) => count(to) },
                {
                  key: 'why',
                  title: 'Why',
                  class: 'full',
                  cell: ({ explanation }) => <Words text={explanation} length={300} />,
                },
              ]}
              rows={scaling.shown}
              keyOf={({ at, to }) => `${at} ${to}`}
            />
          </div>
        )}
      </div>
    </SectionView>
  );
}

/** Workstreams of which the most is known to be reserved and unused come first. */
function Reservations({ run }: { run: Run }) {
  const rows = useMemo(() => run.workstreams.flatMap((each) => reservationOf(each) ?? []), [run]);
  const { resources } = run.head.run.executionSummary ?? { resources: null };
  if (rows.length === 0) return null;
  return (
    <div class="card">
      {resources !== null && (
        <p class="caption">
          Together they could reserve {plural(resources.cpus, 'processor')} and{' '}
          {megabytes(resources.memoryMb)}.
        </p>
      )}
      <Table
        label="What was reserved, and what was used"
        columns={reservationColumns}
        rows={rows.toSorted((a, b) => (a.share ?? 2) - (b.share ?? 2)).slice(0, 200)}
        keyOf={({ id }) => id}
      />
    </div>
  );
}

interface ReservedAndUsed {
  id: string;
  usage: ResourceUsage;
  /** Processors that it used on average; null where that is not known. */
  used: number | null;
  /** The largest share of a reservation that was used; null where none is known. */
  share: number | null;
}

function reservationOf({ id, usage, seconds }: PageWorkstream): ReservedAndUsed | null {
  if (usage === null || (usage.cpus === null && usage.memoryMb === null)) return null;
  const { cpus, memoryMb, cpuSeconds, peakMemoryMb } = usage;
  const used = cpuSeconds === null || seconds === null || seconds <= 0 ? null : cpuSeconds / seconds;
  const shares = [
    ...(used === null || cpus === null ? [] : [used / cpus]),
    ...(peakMemoryMb === null || memoryMb === null ? [] : [peakMemoryMb / memoryMb]),
  ];
  return { id, usage, used, share: shares.length === 0 ? null : Math.max(...shares) };
}

const shareBar = (used: number | null, reserved: number | null, text: string) => (
  <span class="dbar">
    {used !== null && reserved !== null && reserved > 0 ? (
      <Bar share={used / reserved} tone={used > reserved ? 'warn' : 'done'} />
    ) : (
      <span />
    )}
    <span>{text}</span>
  </span>
);

const reservationColumns: PageColumn<ReservedAndUsed>[] = [
  { key: 'id', title: 'Workstream', class: 'full', cell: ({ id }) => <WorkstreamLink id={id} /> },
  {
    key: 'cpus',
    title: 'Processors',
    isNumber: true,
    cell: ({ usage }) => (usage.cpus === null ? UNKNOWN : figure(usage.cpus)),
  },
  {
    key: 'used',
    title: 'Used',
    isNumber: true,
    class: 'col-took',
    cell: ({ usage, used }) => shareBar(used, usage.cpus, used === null ? UNKNOWN : figure(used)),
  },
  {
    key: 'memory',
    title: 'Memory',
    isNumber: true,
    cell: ({ usage }) => (usage.memoryMb === null ? UNKNOWN : megabytes(usage.memoryMb)),
  },
  {
    key: 'peak',
    title: 'At most',
    isNumber: true,
    class: 'col-took',
    cell: ({ usage }) =>
      shareBar(
        usage.peakMemoryMb,
        usage.memoryMb,
        usage.peakMemoryMb === null ? UNKNOWN : megabytes(usage.peakMemoryMb),
      ),
  },
];

function speedText(run: Run): string {
  const speed = run.head.run.executionSummary?.speed;
  if (speed === undefined || speed.speedup === null) return '';
  const limit =
    speed.efficiency === null
      ? ''
      : `, ${percent(speed.efficiency)} of what cores and the critical path allow`;
  return `${speed.speedup.toFixed(1)} × as fast as one agent${limit}`;
}
