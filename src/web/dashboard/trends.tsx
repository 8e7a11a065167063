/** How runs, tools and costs went over time. */
import type { RunPoint, ToolsAnswer, TrendsAnswer } from '../../domain/dashboard/answers.ts';
import type { FailureHistory } from '../../domain/history/failure-documents.ts';
import type { Trend } from '../../domain/history/trends-document.ts';
import { count, dollars, duration, figure, oneLine, percent, plural, UNKNOWN } from '../model/format.ts';
import { queryWords } from '../model/rows.ts';
import { Block, Sparkline, Time, Words } from '../parts.tsx';
import { adjust, hrefInRun, hrefOf, place } from '../state.ts';
import { type PageColumn, Table } from '../table.tsx';
import { ChartOrTable, type ChartPoint, RunChart, StateBadge } from './charts.tsx';
import { useAnswer } from './client.ts';
import { lastRuns } from './lists.tsx';
import { NothingYet, Waiting } from './runs.tsx';

export function TrendsPage({ asOf }: { asOf: number }) {
  const { query } = place.value;
  const { answer, problem } = useAnswer<TrendsAnswer>('/api/trends', asOf);
  if (answer === null) return <Waiting problem={problem} what="the trends" />;
  const { trends, flaky, totals } = answer;
  if (trends === null || flaky === null)
    return (
      <NothingYet what="Here will be how long runs take and what they cost, what became slower or faster, and what is flaky." />
    );
  const words = queryWords(query);
  const runs = answer.runs.filter(({ runId, label }) =>
    words.every((word) => `${runId} ${label ?? ''}`.toLowerCase().includes(word)),
  );
  return (
    <>
      <div class="hello">
        <h1>{oneLine(trends.verdict, 300)}</h1>
        <p class="q2">{oneLine(flaky.verdict, 300)}</p>
      </div>
      <div class="filters card" role="search" aria-label="Filter the runs">
        <input
          class="in"
          type="search"
          aria-label="Filter runs by id or label"
          placeholder="Filter runs by id or label"
          value={query}
          onInput={({ currentTarget }) => adjust({ query: currentTarget.value })}
        />
        <span class="q found" role="status">
          {query === '' ? '' : `${plural(runs.length, 'run')} found`}
        </span>
      </div>
      {runs.length > 0 && <RunCharts runs={runs} />}
      {trends.workstreams.length > 0 && (
        <Block
          title="Slower and faster"
          note={firstOf(trends.workstreams, totals.changed, 'by tests over many runs, not by one run')}
        >
          <div class="card">
            <Table
              label="Table of slower and faster workstreams"
              columns={TREND_COLUMNS}
              rows={trends.workstreams}
              keyOf={({ workstreamId }) => workstreamId}
            />
          </div>
        </Block>
      )}
      {flaky.failures.length > 0 && (
        <Block
          title="Flaky"
          note={firstOf(flaky.failures, totals.flaky, 'they fail and pass without a change')}
        >
          <div class="card">
            <Table
              label="Table of flaky workstreams"
              columns={FLAKY_COLUMNS}
              rows={flaky.failures}
              keyOf={({ workstreamId, patternId }) => `${workstreamId} ${patternId}`}
            />
          </div>
        </Block>
      )}
    </>
  );
}

/** What a list is of, and how much of it there is where that is not all. */
const firstOf = (rows: readonly unknown[], total: number, note: string): string =>
  rows.length < total ? `the first ${count(rows.length)} of ${count(total)}, ${note}` : note;

/** Points of a chart: more could not be told apart. */
const DRAWN = 120;

function RunCharts({ runs }: { runs: readonly RunPoint[] }) {
  const drawn = runs.slice(-DRAWN);
  const points = (value: (run: RunPoint) => number | null, text: (value: number) => string): ChartPoint[] =>
    drawn.map((run) => {
      const found = value(run);
      return {
        key: run.runId,
        value: found,
        tone: run.failed > 0 ? 'fail' : run.skipped > 0 ? 'skip' : 'done',
        href: hrefInRun(run.runId),
        title: `${run.runId}: ${found === null ? 'not known' : text(found)}`,
      };
    });
  const costs = drawn.some(({ costUsd }) => costUsd !== null);
  const note =
    drawn.length < runs.length
      ? `the last ${drawn.length} of ${count(runs.length)} runs`
      : plural(runs.length, 'run');
  return (
    <ChartOrTable
      title="Runs"
      note={`${note}, the oldest first`}
      chart={
        <div class="cols">
          <div class="card pad">
            <h3>How long they took</h3>
            <RunChart
              label="How long runs took"
              kind="line"
              format={duration}
              points={points(({ seconds }) => seconds, duration)}
            />
          </div>
          <div class="card pad">
            <h3>How many workstreams failed</h3>
            <RunChart
              label="How many workstreams failed"
              kind="bars"
              isCount
              format={count}
              points={points(
                ({ failed }) => failed,
                (value) => `${count(value)} failed`,
              )}
            />
          </div>
          {costs && (
            <div class="card pad">
              <h3>What they cost</h3>
              <RunChart
                label="What runs cost"
                kind="bars"
                format={dollars}
                points={points(({ costUsd }) => costUsd, dollars)}
              />
            </div>
          )}
        </div>
      }
      table={
        <Table
          label="Table of runs over time"
          columns={RUN_COLUMNS}
          rows={runs.toReversed()}
          keyOf={({ runId }) => runId}
        />
      }
    />
  );
}

const runColumn: PageColumn<{ runId: string }> = {
  key: 'run',
  title: 'Run',
  class: 'full col-title',
  cell: ({ runId }) => (
    <a class="id title" href={hrefInRun(runId)}>
      {runId}
    </a>
  ),
};

const RUN_COLUMNS: readonly PageColumn<RunPoint>[] = [
  runColumn,
  { key: 'label', title: 'Label', cell: ({ label }) => <Words text={label ?? ''} length={60} /> },
  { key: 'at', title: 'Began', from: 'medium', cell: ({ at }) => <Time iso={at} /> },
  { key: 'completed', title: 'Completed', isNumber: true, cell: ({ completed }) => count(completed) },
  { key: 'failed', title: 'Failed', isNumber: true, cell: ({ failed }) => count(failed) },
  { key: 'skipped', title: 'Skipped', isNumber: true, cell: ({ skipped }) => count(skipped) },
  {
    key: 'cost',
    title: 'Cost',
    isNumber: true,
    cell: ({ costUsd }) => (costUsd === null ? UNKNOWN : dollars(costUsd)),
  },
  { key: 'took', title: 'Took', isNumber: true, class: 'm-end', cell: ({ seconds }) => duration(seconds) },
];

const WORKSTREAM_COLUMN: PageColumn<{ workstreamId: string }> = {
  key: 'id',
  title: 'Workstream',
  class: 'full col-title',
  cell: ({ workstreamId: id }) => (
    <a class="id title" href={hrefOf({ kind: 'history', of: 'workstreams', id })}>
      <Words text={id} length={120} />
    </a>
  ),
};

const TREND_COLUMNS: readonly PageColumn<Trend>[] = [
  {
    key: 'state',
    title: 'What',
    cell: ({ state }) => <b class={state === 'slower' ? 'warn' : 'done'}>{state}</b>,
  },
  WORKSTREAM_COLUMN,
  {
    key: 'course',
    title: 'Course',
    from: 'medium',
    cell: ({ points }) => <Sparkline points={points.map(({ seconds }, index) => [index, seconds])} />,
  },
  {
    key: 'before',
    title: 'Before',
    isNumber: true,
    cell: ({ shift }) => duration(shift?.beforeSeconds ?? null),
  },
  { key: 'after', title: 'Now', isNumber: true, cell: ({ shift }) => duration(shift?.afterSeconds ?? null) },
  {
    key: 'ratio',
    title: 'Ratio',
    isNumber: true,
    class: 'm-end',
    cell: ({ shift }) => (shift === null ? UNKNOWN : `${figure(shift.ratio)} ×`),
  },
  {
    key: 'since',
    title: 'Since',
    from: 'medium',
    cell: ({ shift }) =>
      shift === null ? (
        UNKNOWN
      ) : (
        <a href={hrefInRun(shift.since.runId)}>
          <Time iso={shift.since.at} />
        </a>
      ),
  },
];

const FLAKY_COLUMNS: readonly PageColumn<FailureHistory>[] = [
  { key: 'state', title: 'State', cell: ({ history }) => <StateBadge state={history.state} /> },
  WORKSTREAM_COLUMN,
  {
    key: 'error',
    title: 'Error',
    cell: ({ patternId: id }) => (
      <a class="id" href={hrefOf({ kind: 'history', of: 'patterns', id })}>
        {id}
      </a>
    ),
  },
  {
    key: 'rate',
    title: 'Fails in',
    isNumber: true,
    class: 'm-end',
    cell: ({ history: { rate } }) => percent(rate?.value ?? null),
  },
  {
    key: 'interval',
    title: '95 % interval',
    isNumber: true,
    cell: ({ history: { rate } }) =>
      rate === null ? UNKNOWN : `${percent(rate.low)} to ${percent(rate.high)}`,
  },
  { key: 'healed', title: 'Passed on a retry', isNumber: true, cell: ({ healedRuns }) => count(healedRuns) },
];

type ToolRow = ToolsAnswer['tools'][number];
type ToolInRun = ToolsAnswer['inRuns'][number];

export function ToolsPage({ asOf }: { asOf: number }) {
  const { answer, problem } = useAnswer<ToolsAnswer>('/api/tools', asOf);
  if (answer === null) return <Waiting problem={problem} what="the tools" />;
  const { tools, runs, inRuns } = answer;
  if (runs === 0)
    return <NothingYet what="Here will be coding agents, with what they did and what they cost." />;
  const known = tools.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
  const unknown = tools.reduce((sum, { unknownCosts }) => sum + unknownCosts, 0);
  return (
    <>
      <div class="hello">
        <h1>
          {tools.length === 0
            ? 'No coding agent was used.'
            : `${plural(new Set(tools.map(({ tool }) => tool)).size, 'tool')} cost ${dollars(known)}${unknown > 0 ? `, not counting ${plural(unknown, 'attempt')} whose cost was not said` : ''}.`}
        </h1>
        <p class="q2">In {lastRuns(runs)}</p>
      </div>
      {tools.length > 0 && (
        <Block title="Tools and models">
          <div class="card">
            <Table label="Table of tools" columns={TOOL_COLUMNS} rows={tools} keyOf={nameOf} />
          </div>
        </Block>
      )}
      {inRuns.length > 0 && <CostOfRuns inRuns={inRuns} />}
    </>
  );
}

const nameOf = ({ tool, model }: ToolRow): string => (model === null ? tool : `${tool}, ${model}`);

function CostOfRuns({ inRuns }: { inRuns: readonly ToolInRun[] }) {
  const byRun = Map.groupBy(inRuns, ({ runId }) => runId);
  const points = [...byRun].slice(-DRAWN).map(([runId, used]): ChartPoint => {
    const known = used.flatMap(({ costUsd }) => costUsd ?? []);
    const cost = known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0);
    return {
      key: runId,
      value: cost,
      tone: used.some(({ attempts, completed }) => completed < attempts) ? 'fail' : 'done',
      href: hrefInRun(runId),
      title: `${runId}: ${cost === null ? 'not said' : dollars(cost)} with ${used.map(nameOf).join(' and ')}`,
    };
  });
  return (
    <ChartOrTable
      title="Cost of runs"
      note="US dollars, the oldest first"
      chart={
        <div class="card pad">
          <RunChart label="What tools cost in each run" kind="bars" points={points} format={dollars} />
        </div>
      }
      table={
        <Table
          label="Table of tools in runs"
          columns={[runColumn, ...TOOL_COLUMNS]}
          rows={inRuns.toReversed()}
          keyOf={(row) => `${row.runId} ${nameOf(row)}`}
        />
      }
    />
  );
}

const TOOL_COLUMNS: readonly PageColumn<ToolRow>[] = [
  { key: 'tool', title: 'Tool', class: 'full', cell: (row) => <Words text={nameOf(row)} length={80} /> },
  { key: 'workstreams', title: 'Workstreams', isNumber: true, cell: ({ workstreams }) => count(workstreams) },
  { key: 'attempts', title: 'Attempts', isNumber: true, cell: ({ attempts }) => count(attempts) },
  { key: 'completed', title: 'Completed', isNumber: true, cell: ({ completed }) => count(completed) },
  { key: 'accepted', title: 'Accepted', isNumber: true, cell: ({ accepted }) => count(accepted) },
  {
    key: 'false',
    title: 'False successes',
    isNumber: true,
    cell: ({ falseSuccesses }) =>
      falseSuccesses === 0 ? <span class="q">0</span> : <b class="odd">{count(falseSuccesses)}</b>,
  },
  {
    key: 'tokens',
    title: 'Tokens in, out',
    isNumber: true,
    from: 'medium',
    cell: ({ inputTokens, outputTokens }) =>
      inputTokens === null && outputTokens === null
        ? 'not said'
        : `${inputTokens === null ? UNKNOWN : count(inputTokens)}, ${outputTokens === null ? UNKNOWN : count(outputTokens)}`,
  },
  { key: 'took', title: 'Time', isNumber: true, cell: ({ seconds }) => duration(seconds) },
  {
    key: 'cost',
    title: 'Cost',
    isNumber: true,
    class: 'm-end',
    cell: ({ costUsd, unknownCosts }) =>
      costUsd === null ? 'not said' : `${dollars(costUsd)}${unknownCosts > 0 ? ' +' : ''}`,
  },
];
