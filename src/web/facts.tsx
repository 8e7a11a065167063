/** Tests, agents and tools, and the environment: what stands at the end of the page. */

import { useMemo } from 'preact/hooks';
import type { ResourceUsage } from '../domain/agent-result.ts';
import type { Checkout } from '../domain/history/history.ts';
import type { PageWorkstream } from '../domain/page-document.ts';
import type { AgentPerformance } from '../domain/run-record.ts';
import type { ToolPerformance } from '../domain/tool-record.ts';
import { Icon } from './icons.tsx';
import {
  count,
  dollars,
  duration,
  figure,
  megabytes,
  oneLine,
  percent,
  plural,
  UNKNOWN,
} from './model/format.ts';
import type { Run } from './model/run.ts';
import { Bar, CopyButton, Pairs, Prose, SectionView, Time, Words, WorkstreamLink } from './parts.tsx';
import { csvOf, type PageColumn, Table } from './table.tsx';

export function Tests({ run }: { run: Run }) {
  const { tests, testCases, failedCases, failedTests, manualChecks } = run.head;
  if (tests.total + manualChecks.total === 0 && testCases === null) return null;
  return (
    <SectionView
      id="tests"
      title="Tests"
      note={`${count(tests.passed)} of ${plural(tests.passed + tests.failed, 'acceptance test')} passed${testCases === null ? '' : `, ${count(testCases.passed)} of ${plural(testCases.total, 'test')} in them`}`}
    >
      <div class="card">
        {failedCases.shown.length > 0 && (
          <Table
            label="Tests that failed"
            columns={[
              {
                key: 'name',
                title: 'Test that failed',
                class: 'full',
                cell: ({ suite, name }) => (
                  <span class="two">
                    <b>
                      <Words text={name} length={160} />
                    </b>
                    {suite !== '' && (
                      <span class="sub2">
                        <Words text={suite} length={120} />
                      </span>
                    )}
                  </span>
                ),
              },
              {
                key: 'message',
                title: 'Message',
                class: 'full',
                cell: ({ message }) => (
                  <span class="fail">
                    <Words text={message ?? ''} length={240} />
                  </span>
                ),
              },
              {
                key: 'id',
                title: 'Workstream',
                cell: ({ workstreamId }) => <WorkstreamLink id={workstreamId} />,
              },
            ]}
            rows={failedCases.shown.slice(0, 200)}
            keyOf={({ workstreamId, suite, name }) => `${workstreamId}\n${suite}\n${name}`}
          />
        )}
        {failedCases.shown.length === 0 && failedTests.shown.length > 0 && (
          <Table
            label="Acceptance tests that failed"
            columns={[
              {
                key: 'name',
                title: 'Acceptance test that failed',
                class: 'full',
                cell: ({ name }) => (
                  <b>
                    <Words text={name} length={160} />
                  </b>
                ),
              },
              {
                key: 'detail',
                title: 'What it says',
                class: 'full',
                cell: ({ detail }) => (
                  <span class="fail">
                    <Words text={detail} length={240} />
                  </span>
                ),
              },
              {
                key: 'id',
                title: 'Workstream',
                cell: ({ workstreamId }) => <WorkstreamLink id={workstreamId} />,
              },
            ]}
            rows={failedTests.shown.slice(0, 200)}
            keyOf={({ workstreamId, name }) => `${workstreamId}\n${name}`}
          />
        )}
        {manualChecks.shown.length > 0 && (
          <Table
            label="Checks for a person"
            columns={[
              {
                key: 'name',
                title: 'Left for a person',
                class: 'full',
                cell: ({ name, detail }) => (
                  <span class="two">
                    <Words text={name} length={200} />
                    {detail !== '' && (
                      <span class="sub2">
                        <Words text={detail} length={200} />
                      </span>
                    )}
                  </span>
                ),
              },
              {
                key: 'id',
                title: 'Workstream',
                cell: ({ workstreamId }) => <WorkstreamLink id={workstreamId} />,
              },
            ]}
            rows={manualChecks.shown.slice(0, 200)}
            keyOf={({ workstreamId, name }) => `${workstreamId}\n${name}`}
          />
        )}
        {failedCases.shown.length + failedTests.shown.length + manualChecks.shown.length === 0 && (
          <p class="pad st done">
            <Icon glyph="tick" /> Nothing failed.
          </p>
        )}
      </div>
    </SectionView>
  );
}

const agentColumns = (wall: number): PageColumn<AgentPerformance>[] => [
  {
    key: 'agent',
    title: 'Agent',
    class: 'full',
    cell: ({ agentId }) => <Words text={agentId} length={60} />,
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
  const { agents, tools, scaling } = run.head;
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

export function Environment({ run }: { run: Run }) {
  const { run: summary, recommendations, warnings } = run.head;
  const ended = summary.executionSummary;
  const pairs: [string, preact.ComponentChildren][] = [
    ['Run', <code>{summary.runId}</code>],
    ...(summary.label === null
      ? []
      : [['Label', <Words text={summary.label} length={100} />] as [string, preact.ComponentChildren]]),
    ['Started', <Time iso={summary.createdAt} />],
    ...(summary.endedAt === null
      ? []
      : [['Ended', <Time iso={summary.endedAt} />] as [string, preact.ComponentChildren]]),
    ...(summary.hostname === null
      ? []
      : [['Machine', <Words text={summary.hostname} length={100} />] as [string, preact.ComponentChildren]]),
    ...(summary.checkout === null
      ? []
      : [
          ['Checkout', <Words text={checkoutText(summary.checkout)} length={120} />] as [
            string,
            preact.ComponentChildren,
          ],
        ]),
    ['Database', <code>{oneLine(run.document.paths.database, 300)}</code>],
  ];
  return (
    <SectionView id="environment" title="Environment">
      <div class="stacked">
        {recommendations.length > 0 && (
          <div class="card pad">
            <h3>What the run recommends</h3>
            <ul class="advice">
              {recommendations.slice(0, 20).map((text) => (
                <li key={text}>
                  <Prose text={text} />
                </li>
              ))}
            </ul>
          </div>
        )}
        {warnings.total > 0 && (
          <details class="card pad">
            <summary>{plural(warnings.total, 'warning')}</summary>
            <ul class="advice">
              {warnings.shown.slice(0, 100).map(({ workstreamId, text }, index) => (
                <li key={index}>
                  <WorkstreamLink id={workstreamId} /> <Words text={text} length={400} />
                </li>
              ))}
            </ul>
          </details>
        )}
        <div class="card pad">
          <Pairs pairs={[...pairs, ...(ended === null ? [] : machinePairs(run))]} />
        </div>
      </div>
    </SectionView>
  );
}

function machinePairs(run: Run): [string, preact.ComponentChildren][] {
  const summary = run.head.run.executionSummary;
  if (summary === null) return [];
  const { millrace, node, platform, cores, distribution, sessions, overhead, speed, exitCode } = summary;
  const store = overhead.storeSeconds + overhead.consolidateSeconds;
  return [
    ['Exit code', String(exitCode)],
    ['Millrace', `${millrace}, Node ${node}, ${platform}, ${plural(cores, 'core')}`],
    ...(sessions > 1 ? [['Sessions', count(sessions)] as [string, string]] : []),
    ['Distribution', distribution],
    [
      'Critical path',
      speed.criticalPath.length === 0
        ? UNKNOWN
        : `${duration(speed.criticalPathSeconds)}: ${oneLine(speed.criticalPath.join(' → '), 300)}`,
    ],
    [
      'Coordinator',
      `${duration(overhead.storeSeconds)} storing, ${duration(overhead.consolidateSeconds)} consolidating${speed.wallSeconds > 0 ? `, ${percent(store / speed.wallSeconds)} of the run` : ''}`,
    ],
  ];
}

/** "1a2b3c4d5e on main, with changes" */
function checkoutText({ commit, branch, isDirty }: Checkout): string {
  const on = branch === null ? '' : ` on ${branch}`;
  return `${commit.slice(0, 10)}${on}${isDirty === true ? ', with changes' : ''}`;
}
