/** Workstreams over all runs: the list of them, and one of them. */
import type {
  ListedWorkstream,
  WorkstreamAnswer,
  WorkstreamInRun,
  WorkstreamsAnswer,
} from '../../domain/dashboard/answers.ts';
import { Icon } from '../icons.tsx';
import { runCommand } from '../model/commands.ts';
import { count, dollars, duration, oneLine, plural, shown, UNKNOWN } from '../model/format.ts';
import { type SortKey } from '../model/rows.ts';
import { AgentName, Block, FactList, Lines, MarkView, RunAgain, Sentence, Time, Words } from '../parts.tsx';
import { go, hrefInRun, hrefOf, place } from '../state.ts';
import { type PageColumn, Table } from '../table.tsx';
import {
  ChartOrTable,
  type ChartPoint,
  type HistoryMark,
  HistoryMarks,
  RunChart,
  StateBadge,
} from './charts.tsx';
import { useAnswer } from './client.ts';
import { FilterChip, FilterField, failureColumns, lastRuns, sorted } from './lists.tsx';
import { NothingYet, Waiting } from './runs.tsx';

/** Rows that are asked for at first, and where the reader wants all. */
const FIRST = 200;
/** As many as are answered. */
const ALL = 500;

export function WorkstreamsPage({ asOf }: { asOf: number }) {
  const { query, sort, states, all } = place.value;
  const path = `/api/workstreams?limit=${all ? ALL : FIRST}${query === '' ? '' : `&search=${encodeURIComponent(query)}`}`;
  const { answer, isLate, problem } = useAnswer<WorkstreamsAnswer>(path, asOf);
  if (answer === null) return <Waiting problem={problem} what="the workstreams" />;
  const { workstreams, runs, total, totals } = answer;
  if (runs === 0)
    return <NothingYet what="Here will be each workstream, with how it went in the last runs." />;
  const isOfAll = query === '' && !isLate;
  const found = sorted(
    workstreams.filter((each) => states.every((state) => IS[state]?.(each) ?? true)),
    sort,
    WORKSTREAM_KEYS,
  );
  return (
    <>
      <div class="hello">
        <h1>{workstreamsVerdict(total, totals, isOfAll)}</h1>
        <p class="q2">
          {plural(total, 'workstream')} in {lastRuns(runs)}
        </p>
      </div>
      <div class="card" hidden={total === 0 && isOfAll}>
        <div class="filters" role="search" aria-label="Filter the workstreams">
          <FilterField label="Filter by id or title" />
          {Object.keys(IS).map((state) => (
            <FilterChip
              key={state}
              state={state}
              there={workstreams.filter((each) => IS[state]?.(each) ?? true).length}
            />
          ))}
        </div>
        {problem !== null && <p class="pad fail">{problem}</p>}
        {found.length === 0 ? (
          <p class="pad q2">Nothing matches.</p>
        ) : (
          <Table
            label="Table of workstreams over runs"
            columns={WORKSTREAM_COLUMNS}
            rows={found}
            keyOf={({ workstreamId }) => workstreamId}
            sort={sort}
            onSort={(next) => go({ sort: next })}
            commandOf={({ workstreamId }) => runCommand([workstreamId])}
          />
        )}
        {total > workstreams.length && (
          <p class="more-row">
            {count(total - workstreams.length)} more
            {workstreams.length < ALL ? (
              <button type="button" class="b" onClick={() => go({ all: true })}>
                Show {total > ALL ? `the first ${count(ALL)}` : `all ${count(total)}`}
              </button>
            ) : (
              <span>, which the filter finds by their ids</span>
            )}
          </p>
        )}
      </div>
    </>
  );
}

/** Of all that match, of which the list may have a part. */
function workstreamsVerdict(
  total: number,
  { failing, flaky }: WorkstreamsAnswer['totals'],
  isOfAll: boolean,
): string {
  if (total === 0) return isOfAll ? 'No workstream has a result.' : 'No workstream matches.';
  const parts = [
    ...(failing > 0 ? [`${count(failing)} failed in their last run`] : []),
    ...(flaky > 0 ? [`${count(flaky)} ${flaky === 1 ? 'is' : 'are'} flaky`] : []),
  ];
  return parts.length === 0 ? 'Every workstream passed in its last run.' : `${parts.join('; ')}.`;
}

/** What the list can be filtered by. */
const IS: Record<string, (workstream: ListedWorkstream) => boolean> = {
  failing: ({ lastStatus }) => lastStatus === 'failed',
  flaky: ({ isFlaky }) => isFlaky,
  slower: ({ trend }) => trend === 'slower',
  faster: ({ trend }) => trend === 'faster',
};

const WORKSTREAM_KEYS: Record<string, (row: ListedWorkstream) => SortKey> = {
  title: ({ title }) => title,
  failed: ({ failed, runs }) => (runs === 0 ? null : failed / runs),
  took: ({ medianSeconds }) => medianSeconds,
  last: ({ lastAt }) => lastAt,
};

const WORKSTREAM_COLUMNS: readonly PageColumn<ListedWorkstream>[] = [
  {
    key: 'state',
    title: 'Last',
    class: 'col-state',
    cell: ({ lastStatus }) => <MarkView mark={lastStatus} />,
  },
  {
    key: 'title',
    title: 'Workstream',
    canSort: true,
    class: 'full col-title',
    cell: ({ workstreamId: id, title }) => (
      <span class="one">
        <a
          class={title === id ? 'id title' : 'title'}
          href={hrefOf({ kind: 'history', of: 'workstreams', id })}
          title={shown(title)}
        >
          <Words text={title} length={200} />
        </a>
        {title !== id && (
          <span class="id">
            <Words text={id} length={80} />
          </span>
        )}
      </span>
    ),
  },
  {
    key: 'marks',
    title: 'Last runs',
    from: 'medium',
    cell: ({ history }) => <HistoryMarks marks={history.map(({ what }) => what)} />,
  },
  {
    key: 'failed',
    title: 'Failed',
    isNumber: true,
    canSort: true,
    cell: ({ failed, runs }) => (
      <span class={failed === 0 ? 'q' : ''}>
        {count(failed)} of {count(runs)}
      </span>
    ),
  },
  {
    key: 'what',
    title: 'What',
    cell: ({ isFlaky, trend, lastReason }) => (
      <>
        {isFlaky && <StateBadge state="flaky" />}
        {(trend === 'slower' || trend === 'faster') && <span class="q2"> {trend}</span>}
        {!isFlaky && lastReason !== null && (
          <span class="q2">
            <Words text={lastReason} length={40} />
          </span>
        )}
      </>
    ),
  },
  {
    key: 'took',
    title: 'Takes',
    isNumber: true,
    canSort: true,
    class: 'm-end',
    cell: ({ medianSeconds }) => duration(medianSeconds),
  },
  {
    key: 'last',
    title: 'Last run',
    canSort: true,
    from: 'wide',
    cell: ({ lastRunId, lastAt }) => (
      <a href={hrefInRun(lastRunId)}>
        <Time iso={lastAt} />
      </a>
    ),
  },
];

// ── One workstream ──

export function WorkstreamHistory({ id, asOf }: { id: string; asOf: number }) {
  const { answer, problem } = useAnswer<WorkstreamAnswer>(`/api/workstreams/${encodeURIComponent(id)}`, asOf);
  if (answer === null) return <Waiting problem={problem} what={oneLine(id, 80)} />;
  const { runs, failures, why } = answer;
  const [last] = runs;
  return (
    <>
      <HistoryVerdict answer={answer} />
      <Durations answer={answer} />
      {failures.length > 0 && (
        <Block title="Its errors">
          <div class="card">
            <Table
              label="Table of its errors"
              columns={failureColumns('pattern')}
              rows={failures}
              keyOf={({ patternId }) => patternId}
            />
          </div>
        </Block>
      )}
      {why !== null && last !== undefined && (
        <Block
          title="Last run"
          note={why.run.runId}
          actions={
            <a class="b" href={hrefInRun(why.run.runId, { kind: 'workstream', id })}>
              All of it
            </a>
          }
        >
          <p class="say gap-below">
            <Sentence text={why.verdict} length={300} />
          </p>
          <div class="card">
            <Lines
              lines={shown(why.workstream.tail ?? why.workstream.explanation ?? 'It printed nothing.')
                .trimEnd()
                .split('\n')
                .map((text) => ({ text, hit: false }))}
            />
          </div>
          {why.workstream.earlierAttempts.length > 0 && (
            <ul class="card pad advice gap">
              {why.workstream.earlierAttempts.map(({ attempt, reason, explanation, durationSeconds }) => (
                <li key={attempt}>
                  Attempt {attempt}, {duration(durationSeconds)}:{' '}
                  <Sentence text={explanation ?? reason ?? 'completed, and was not chosen'} length={300} />
                </li>
              ))}
            </ul>
          )}
        </Block>
      )}
      <Block title="In each run" note={`the last ${count(runs.length)}, the newest first`}>
        <div class="card">
          <Table
            label="Table of its runs"
            columns={inRunColumns(id)}
            rows={runs}
            keyOf={({ runId }) => runId}
          />
        </div>
      </Block>
    </>
  );
}

function HistoryVerdict({ answer }: { answer: WorkstreamAnswer }) {
  const { workstreamId: id, title, runs, isFlaky, trend } = answer;
  const [last] = runs;
  const failed = runs.filter(({ status }) => status === 'failed').length;
  const tone = isFlaky ? 'warn' : last === undefined ? 'skipped' : last.status;
  const passed = runs.find(({ status }) => status === 'completed');
  const command = runCommand([id]);
  const marks = runs
    .slice(0, 30)
    .map(({ status }): HistoryMark => MARKS[status])
    .toReversed();
  return (
    <section class="first" id="verdict" aria-labelledby="verdict-title">
      <div class={`card verdict is-${tone}`}>
        <div class="line">
          <span class={TONES[tone]}>
            <Icon glyph={HISTORY_GLYPHS[tone]} />
          </span>
          <h1 id="verdict-title">
            <bdi>{oneLine(title, 300)}</bdi>{' '}
            {isFlaky
              ? 'is flaky.'
              : last === undefined
                ? 'has not run.'
                : `${last.status === 'skipped' ? 'was ' : ''}${last.status} in its last run.`}
          </h1>
        </div>
        <p class="more">
          It failed in {count(failed)} of {lastRuns(runs.length)}.{' '}
          {trend?.state === 'slower' && 'It has become slower.'}
          {trend?.state === 'faster' && 'It has become faster.'}
          {trend?.state === 'too-few-runs' && 'There are too few runs to say whether it became slower.'}
        </p>
        <HistoryMarks marks={marks} />
        <FactList
          facts={[
            ['Id', <code>{oneLine(id, 200)}</code>],
            trend === null
              ? null
              : [
                  'Typical',
                  <>
                    {duration(trend.medianSeconds)} <span class="q">({rangeText(answer)})</span>
                  </>,
                ],
            passed === undefined ? null : ['Last passed', <Time iso={passed.at} />],
          ]}
        />
      </div>
      <aside class="card now" aria-labelledby="now-title">
        <h2 id="now-title">What to do now</h2>
        <ol>
          {isFlaky && (
            <li>
              <p>
                <b>Look at its errors below</b>, and what they go with.
              </p>
            </li>
          )}
          <RunAgain command={command} />
        </ol>
      </aside>
    </section>
  );
}

const MARKS = { completed: 'passed', failed: 'failed', skipped: 'not-run' } as const;
const HISTORY_GLYPHS = { warn: 'wave', completed: 'tick', failed: 'cross', skipped: 'dash' } as const;
const TONES = { warn: 'warn', completed: 'done', failed: 'fail', skipped: 'skip' } as const;

/** The middle nine tenths of what it took where it completed; all of it for few runs. */
function rangeOf({ trend }: WorkstreamAnswer): readonly [number, number] | null {
  const seconds = (trend?.points ?? []).map((point) => point.seconds).toSorted((a, b) => a - b);
  const at = (share: number): number | undefined => seconds[Math.round(share * (seconds.length - 1))];
  const [low, high] = [at(0.05), at(0.95)];
  return low === undefined || high === undefined ? null : [low, high];
}

function rangeText(answer: WorkstreamAnswer): string {
  const range = rangeOf(answer);
  return range === null ? '' : `${duration(range[0])} to ${duration(range[1])}`;
}

function Durations({ answer }: { answer: WorkstreamAnswer }) {
  const runs = answer.runs.filter(({ seconds }) => seconds !== null).toReversed();
  if (runs.length < 2) return null;
  const points = runs.map(
    ({ runId, seconds, status, attempts }): ChartPoint => ({
      key: runId,
      value: seconds,
      tone: status === 'failed' ? 'fail' : attempts > 1 ? 'warn' : 'done',
      href: hrefInRun(runId, { kind: 'workstream', id: answer.workstreamId }),
      title: `${runId}: ${status}${attempts > 1 ? ` after ${attempts} attempts` : ''}, ${duration(seconds)}`,
    }),
  );
  return (
    <ChartOrTable
      title={`Over ${plural(runs.length, 'run')}`}
      note="how long it took, the oldest first; the band has nine tenths of what passed"
      chart={
        <div class="card pad">
          <RunChart
            label="How long it took"
            kind="line"
            points={points}
            format={duration}
            band={rangeOf(answer)}
          />
        </div>
      }
      table={
        <Table
          label="Table of durations"
          columns={inRunColumns(answer.workstreamId)}
          rows={runs}
          keyOf={({ runId }) => runId}
        />
      }
    />
  );
}

function inRunColumns(id: string): PageColumn<WorkstreamInRun>[] {
  return [
    { key: 'state', title: 'State', class: 'col-state', cell: ({ status }) => <MarkView mark={status} /> },
    {
      key: 'run',
      title: 'Run',
      class: 'full col-title',
      cell: ({ runId }) => (
        <a class="id title nw" href={hrefInRun(runId, { kind: 'workstream', id })}>
          {runId}
        </a>
      ),
    },
    { key: 'at', title: 'Began', from: 'medium', class: 'nw', cell: ({ at }) => <Time iso={at} /> },
    { key: 'attempts', title: 'Attempts', isNumber: true, cell: ({ attempts }) => count(attempts) },
    {
      key: 'took',
      title: 'Took',
      isNumber: true,
      class: 'm-end',
      cell: ({ seconds }) => duration(seconds),
    },
    {
      key: 'by',
      title: 'By',
      from: 'medium',
      class: 'nw',
      cell: ({ tool, model, agentId }) =>
        tool === null ? (
          <AgentName agentId={agentId} />
        ) : (
          <Words text={model === null ? tool : `${tool}, ${model}`} length={60} />
        ),
    },
    {
      key: 'cost',
      title: 'Cost',
      isNumber: true,
      from: 'wide',
      cell: ({ costUsd }) => (costUsd === null ? UNKNOWN : dollars(costUsd)),
    },
    {
      key: 'reason',
      title: 'Why',
      class: 'out full',
      cell: ({ reason, explanation, runId, hasLog }) => (
        <>
          <Sentence text={explanation ?? reason ?? ''} length={200} />
          {hasLog && (
            <>
              {' '}
              <a href={hrefInRun(runId, { kind: 'log', id })}>log</a>
            </>
          )}
        </>
      ),
    },
  ];
}
