/** What is known over all runs: of each workstream and each error in a list, and of one of them. */
import type {
  ListedWorkstream,
  PatternsAnswer,
  WorkstreamAnswer,
  WorkstreamInRun,
  WorkstreamsAnswer,
} from '../../domain/dashboard/answers.ts';
import type { FailureHistory, PatternSummary } from '../../domain/history/failure-documents.ts';
import type { PatternHistory } from '../../domain/history/history.ts';
import { Icon } from '../icons.tsx';
import { commandOf, runCommand } from '../model/commands.ts';
import {
  count,
  dollars,
  duration,
  localTime,
  oneLine,
  percent,
  plural,
  shown,
  UNKNOWN,
} from '../model/format.ts';
import { associationSentence } from '../model/needs.ts';
import { compareKeys, queryWords, type SortKey } from '../model/rows.ts';
import { Title } from '../needs-list.tsx';
import { Bar, Block, Command, Lines, MarkView, Time, Words } from '../parts.tsx';
import { adjust, go, hrefInRun, hrefOf, place } from '../state.ts';
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
import { Waiting } from './runs.tsx';

/** Rows that are asked for at first, and where the reader wants all. */
const FIRST = 200;
const ALL = 10_000;

// ── Workstreams ──

export function WorkstreamsPage({ asOf }: { asOf: number }) {
  const { query, sort, states, all } = place.value;
  const path = `/api/workstreams?limit=${all ? ALL : FIRST}${query === '' ? '' : `&search=${encodeURIComponent(query)}`}`;
  const { answer, problem } = useAnswer<WorkstreamsAnswer>(path, asOf);
  if (answer === null) return <Waiting problem={problem} what="the workstreams" />;
  const { workstreams, runs, total } = answer;
  const found = sorted(
    workstreams.filter((each) => states.every((state) => IS[state]?.(each) ?? true)),
    sort,
    WORKSTREAM_KEYS,
  );
  return (
    <>
      <div class="hello">
        <h1>{workstreamsVerdict(workstreams, runs)}</h1>
        <p class="q2">
          {plural(total, 'workstream')} in the last {plural(runs, 'run')}
        </p>
      </div>
      <div class="card">
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
            <button type="button" class="b" onClick={() => go({ all: true })}>
              Show {total > ALL ? `the first ${count(ALL)}` : `all ${count(total)}`}
            </button>
          </p>
        )}
      </div>
    </>
  );
}

function workstreamsVerdict(workstreams: readonly ListedWorkstream[], runs: number): string {
  if (workstreams.length === 0) return runs === 0 ? 'No runs yet.' : 'No workstream has a result.';
  const failing = workstreams.filter(({ lastStatus }) => lastStatus === 'failed').length;
  const flaky = workstreams.filter(({ isFlaky }) => isFlaky).length;
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

function FilterField({ label }: { label: string }) {
  return (
    <input
      class="in"
      type="search"
      aria-label={label}
      placeholder={label}
      value={place.value.query}
      onInput={({ currentTarget }) => adjust({ query: currentTarget.value })}
    />
  );
}

function FilterChip({ state, there }: { state: string; there: number }) {
  const { states } = place.value;
  const isOn = states.includes(state);
  if (there === 0 && !isOn) return null;
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={isOn}
      onClick={() => go({ states: isOn ? states.filter((each) => each !== state) : [...states, state] })}
    >
      {state.slice(0, 1).toUpperCase() + state.slice(1)} {count(there)}
    </button>
  );
}

function sorted<Row>(
  rows: readonly Row[],
  sort: { column: string; descending: boolean } | null,
  keys: Record<string, (row: Row) => SortKey>,
): readonly Row[] {
  const key = sort === null ? undefined : keys[sort.column];
  if (sort === null || key === undefined) return rows;
  return rows.toSorted((a, b) => compareKeys(key(a), key(b), sort.descending ? -1 : 1));
}

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
          note={oneLine(why.verdict, 200)}
          actions={
            <a class="b" href={hrefInRun(why.run.runId, { kind: 'workstream', id })}>
              All of it
            </a>
          }
        >
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
                  <Words text={explanation ?? reason ?? 'completed, and was not chosen'} length={300} />
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
            <Icon glyph={isFlaky ? 'wave' : last?.status === 'failed' ? 'cross' : 'tick'} />
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
          It failed in {count(failed)} of its last {plural(runs.length, 'run')}.{' '}
          {trend?.state === 'slower' && 'It has become slower.'}
          {trend?.state === 'faster' && 'It has become faster.'}
          {trend?.state === 'too-few-runs' && 'There are too few runs to say whether it became slower.'}
        </p>
        <HistoryMarks marks={marks} />
        <dl class="facts">
          <div>
            <dt>Id </dt>
            <dd>
              <code>{oneLine(id, 200)}</code>
            </dd>
          </div>
          {trend !== null && (
            <div>
              <dt>Typical </dt>
              <dd>
                {duration(trend.medianSeconds)} <span class="q">({rangeText(answer)})</span>
              </dd>
            </div>
          )}
          {passed !== undefined && (
            <div>
              <dt>Last passed </dt>
              <dd>
                <Time iso={passed.at} />
              </dd>
            </div>
          )}
        </dl>
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
          <li>
            <p>
              <b>Run it again.</b>
            </p>
            {command !== null && <Command command={command} />}
          </li>
        </ol>
      </aside>
    </section>
  );
}

const MARKS = { completed: 'passed', failed: 'failed', skipped: 'not-run' } as const;
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
        <a class="id title" href={hrefInRun(runId, { kind: 'workstream', id })}>
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
      cell: ({ tool, model, agentId }) => (
        <Words text={tool === null ? agentId : model === null ? tool : `${tool}, ${model}`} length={60} />
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
          <Words text={explanation ?? reason ?? ''} length={200} />
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

// ── Errors ──

/** A template with its holes as nulls. */
const partsOf = (pattern: string): (string | null)[] =>
  oneLine(pattern, 300)
    .split('<*>')
    .flatMap((part, index) => (index === 0 ? [part] : [null, part]));

export function PatternsPage({ asOf }: { asOf: number }) {
  const { query, states, sort } = place.value;
  const { answer, problem } = useAnswer<PatternsAnswer>('/api/patterns', asOf);
  if (answer === null) return <Waiting problem={problem} what="the errors" />;
  const patterns = answer.history?.patterns ?? [];
  const words = queryWords(query);
  const found = sorted(
    patterns.filter(
      ({ id, type, pattern, history }) =>
        (states.length === 0 || states.includes(history.state)) &&
        words.every((word) => `${id} ${type} ${pattern}`.toLowerCase().includes(word)),
    ),
    sort,
    PATTERN_KEYS,
  );
  const there = [...new Set(patterns.map(({ history }) => history.state))];
  return (
    <>
      <div class="hello">
        <h1>{oneLine(answer.history?.verdict ?? 'No runs yet.', 300)}</h1>
        {answer.history !== null && (
          <p class="q2">Errors of the last {plural(answer.history.runs.count, 'run')}</p>
        )}
      </div>
      {patterns.length > 0 && (
        <div class="card">
          <div class="filters" role="search" aria-label="Filter the errors">
            <FilterField label="Filter by text or reason" />
            {there.map((state) => (
              <FilterChip
                key={state}
                state={state}
                there={patterns.filter(({ history }) => history.state === state).length}
              />
            ))}
          </div>
          {found.length === 0 ? (
            <p class="pad q2">Nothing matches.</p>
          ) : (
            <Table
              label="Table of errors"
              columns={PATTERN_COLUMNS}
              rows={found}
              keyOf={({ id }) => id}
              sort={sort}
              onSort={(next) => go({ sort: next })}
              commandOf={({ id }) => commandOf('millrace errors --history', id)}
            />
          )}
        </div>
      )}
    </>
  );
}

const PATTERN_KEYS: Record<string, (row: PatternSummary) => SortKey> = {
  workstreams: ({ workstreams }) => workstreams,
  runs: ({ runs }) => runs,
  last: ({ history }) => history.lastSeen?.at ?? null,
};

const PATTERN_COLUMNS: readonly PageColumn<PatternSummary>[] = [
  {
    key: 'state',
    title: 'State',
    class: 'col-verdict',
    cell: ({ history }) => <StateBadge state={history.state} />,
  },
  {
    key: 'pattern',
    title: 'Error',
    class: 'full col-title',
    cell: ({ id, pattern, type }) => (
      <span class="one">
        <a class="title" href={hrefOf({ kind: 'history', of: 'patterns', id })}>
          <Title parts={partsOf(pattern)} />
        </a>
        <span class="id">{oneLine(type, 40)}</span>
      </span>
    ),
  },
  {
    key: 'workstreams',
    title: 'Workstreams',
    isNumber: true,
    canSort: true,
    cell: ({ workstreams }) => count(workstreams),
  },
  {
    key: 'runs',
    title: 'Runs',
    isNumber: true,
    canSort: true,
    class: 'm-end',
    cell: ({ runs }) => count(runs),
  },
  {
    key: 'rate',
    title: 'Fails so',
    isNumber: true,
    from: 'medium',
    cell: ({ history }) => rateText(history),
  },
  {
    key: 'first',
    title: 'First seen',
    from: 'wide',
    cell: ({ history }) => <SeenIn run={history.firstSeen} />,
  },
  {
    key: 'last',
    title: 'Last seen',
    canSort: true,
    from: 'medium',
    cell: ({ history }) => <SeenIn run={history.lastSeen} />,
  },
];

/** "15 % (8 to 26)", with its 95 % interval. */
const rateText = ({ rate }: PatternHistory): string =>
  rate === null ? UNKNOWN : `${percent(rate.value)} (${percent(rate.low)} to ${percent(rate.high)})`;

function SeenIn({ run }: { run: { runId: string; at: string } | null }) {
  return run === null ? (
    <>{UNKNOWN}</>
  ) : (
    <a href={hrefInRun(run.runId)} title={run.runId}>
      {localTime(run.at).slice(0, 16)}
    </a>
  );
}

/** What is known of one error in one workstream; the one that the page is of is left out. */
const failureColumns = (of: 'pattern' | 'workstream'): PageColumn<FailureHistory>[] => [
  {
    key: 'state',
    title: 'State',
    class: 'col-verdict',
    cell: ({ history }) => <StateBadge state={history.state} />,
  },
  {
    key: 'of',
    title: of === 'pattern' ? 'Error' : 'Workstream',
    class: 'full col-title',
    cell: ({ patternId, workstreamId }) => (
      <a
        class="id title"
        href={hrefOf(
          of === 'pattern'
            ? { kind: 'history', of: 'patterns', id: patternId }
            : { kind: 'history', of: 'workstreams', id: workstreamId },
        )}
      >
        <Words text={of === 'pattern' ? patternId : workstreamId} length={120} />
      </a>
    ),
  },
  {
    key: 'runs',
    title: 'In runs',
    isNumber: true,
    class: 'm-end',
    cell: ({ failedRuns }) => count(failedRuns),
  },
  { key: 'healed', title: 'Passed on a retry', isNumber: true, cell: ({ healedRuns }) => count(healedRuns) },
  { key: 'rate', title: 'Fails so', isNumber: true, cell: ({ history }) => rateText(history) },
  {
    key: 'first',
    title: 'First seen',
    from: 'medium',
    cell: ({ history }) => <SeenIn run={history.firstSeen} />,
  },
  {
    key: 'last',
    title: 'Last seen',
    from: 'medium',
    cell: ({ history }) => <SeenIn run={history.lastSeen} />,
  },
];

// ── One error ──

export function PatternHistoryPage({ id, asOf }: { id: string; asOf: number }) {
  const { answer, problem } = useAnswer<PatternsAnswer>(`/api/patterns/${encodeURIComponent(id)}`, asOf);
  if (answer === null) return <Waiting problem={problem} what={oneLine(id, 40)} />;
  const detail = answer.history?.pattern ?? null;
  const summary = answer.history?.patterns.find((each) => each.id === id);
  if (answer.history === null || detail === null || summary === undefined)
    return <Waiting problem={`No error ${oneLine(id, 40)} is known.`} what="" />;
  const { history, type, pattern, workstreams } = summary;
  const most = Math.max(...detail.values.flatMap((value) => value.shown.map((each) => each.count)), 1);
  const points = detail.seenIn.toReversed().map(
    ({ run, workstreams: failed }): ChartPoint => ({
      key: run.runId,
      value: failed,
      tone: 'fail',
      href: hrefInRun(run.runId, { kind: 'pattern', id }),
      title: `${run.runId}: ${plural(failed, 'workstream')}`,
    }),
  );
  return (
    <>
      <section class="first alone" id="verdict" aria-labelledby="verdict-title">
        <div
          class={`card verdict is-${history.state === 'flaky' ? 'warn' : history.state === 'fixed' ? 'completed' : 'failed'}`}
        >
          <div class="line">
            <h1 id="verdict-title">
              <Title parts={partsOf(pattern)} />
            </h1>
          </div>
          <p class="more">
            <StateBadge state={history.state} /> {oneLine(answer.history.verdict, 300)}
          </p>
          <dl class="facts">
            <div>
              <dt>Reason </dt>
              <dd>
                <code>{oneLine(type, 60)}</code>
              </dd>
            </div>
            <div>
              <dt>In </dt>
              <dd>{plural(workstreams, 'workstream')}</dd>
            </div>
            <div>
              <dt>First seen </dt>
              <dd>
                <SeenIn run={history.firstSeen} />
              </dd>
            </div>
            <div>
              <dt>Last seen </dt>
              <dd>
                <SeenIn run={history.lastSeen} />
              </dd>
            </div>
            {history.lastPassed !== null && (
              <div>
                <dt>Last passed </dt>
                <dd>
                  <SeenIn run={history.lastPassed} />
                </dd>
              </div>
            )}
          </dl>
        </div>
      </section>
      <ChartOrTable
        title="Seen in"
        note={plural(detail.seenIn.length, 'run')}
        chart={
          <div class="card pad">
            <RunChart
              label="Workstreams with this error, by run"
              kind="bars"
              points={points}
              format={count}
            />
          </div>
        }
        table={
          <Table
            label="Table of runs with this error"
            columns={[
              {
                key: 'run',
                title: 'Run',
                class: 'full',
                cell: ({ run }) => (
                  <a class="id" href={hrefInRun(run.runId, { kind: 'pattern', id })}>
                    {run.runId}
                  </a>
                ),
              },
              { key: 'at', title: 'Began', cell: ({ run }) => <Time iso={run.at} /> },
              {
                key: 'workstreams',
                title: 'Workstreams',
                isNumber: true,
                class: 'm-end',
                cell: ({ workstreams: failed }) => count(failed),
              },
            ]}
            rows={detail.seenIn}
            keyOf={({ run }) => run.runId}
          />
        }
      />
      <Block title="Where" note={plural(detail.failures.length, 'workstream')}>
        <div class="card">
          <Table
            label="Table of workstreams with this error"
            columns={failureColumns('workstream')}
            rows={detail.failures}
            keyOf={({ workstreamId }) => workstreamId}
          />
        </div>
      </Block>
      {detail.values.length > 0 && (
        <Block title="Values" note="what stood in the holes in the last run that had it">
          <div class="card">
            <Table
              label="Table of values"
              columns={[
                {
                  key: 'value',
                  title: 'Value',
                  class: 'full',
                  cell: ({ text }) => (
                    <code>
                      <Words text={text} length={200} />
                    </code>
                  ),
                },
                { key: 'hole', title: 'Hole', isNumber: true, cell: ({ hole }) => count(hole + 1) },
                {
                  key: 'count',
                  title: 'Times',
                  isNumber: true,
                  class: 'm-end col-took',
                  cell: ({ count: times }) => (
                    <span class="dbar">
                      <Bar share={times / most} tone="fail" />
                      <span>{count(times)}</span>
                    </span>
                  ),
                },
              ]}
              rows={detail.values.flatMap(({ hole, shown: values }) =>
                values.map((value) => ({ hole, ...value })),
              )}
              keyOf={({ hole, text }) => `${hole} ${text}`}
            />
          </div>
        </Block>
      )}
      {detail.goesWith.length > 0 && (
        <Block title="Goes with" note="by Fisher’s test, corrected for what was looked at">
          <ul class="card pad advice">
            {detail.goesWith.map((each) => (
              <li key={`${each.factor} ${each.value}`}>{associationSentence(each)}</li>
            ))}
          </ul>
        </Block>
      )}
    </>
  );
}
