/** Errors over all runs: the list of them, and one of them. */

import type { PatternsAnswer } from '../../domain/dashboard/answers.ts';
import type { PatternSummary } from '../../domain/history/failure-documents.ts';
import { commandOf } from '../model/commands.ts';
import { count, oneLine, plural } from '../model/format.ts';
import { associationSentence } from '../model/needs.ts';
import { queryWords, type SortKey } from '../model/rows.ts';
import { Title } from '../needs-list.tsx';
import { Block, FactList, Time } from '../parts.tsx';
import { PatternValues } from '../pattern-page.tsx';
import { go, hrefInRun, hrefOf, place } from '../state.ts';
import { type PageColumn, Table } from '../table.tsx';
import { ChartOrTable, type ChartPoint, RunChart, StateBadge } from './charts.tsx';
import { useAnswer } from './client.ts';
import { FilterChip, FilterField, failureColumns, lastRuns, rateText, SeenIn, sorted } from './lists.tsx';
import { NothingYet, Waiting } from './runs.tsx';

/** A template with its holes as nulls. */
const partsOf = (pattern: string): (string | null)[] =>
  oneLine(pattern, 300)
    .split('<*>')
    .flatMap((part, index) => (index === 0 ? [part] : [null, part]));

export function PatternsPage({ asOf }: { asOf: number }) {
  const { query, states, sort } = place.value;
  const { answer, problem } = useAnswer<PatternsAnswer>('/api/patterns', asOf);
  if (answer === null) return <Waiting problem={problem} what="the errors" />;
  const { history } = answer;
  if (history === null)
    return (
      <NothingYet what="Here will be the errors of the last runs, grouped by what they have in common." />
    );
  const { patterns } = history;
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
        <h1>{oneLine(history.verdict, 300)}</h1>
        <p class="q2">Errors of {lastRuns(history.runs.count)}</p>
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
    class: 'nw',
    cell: ({ history }) => <SeenIn run={history.firstSeen} />,
  },
  {
    key: 'last',
    title: 'Last seen',
    canSort: true,
    from: 'medium',
    class: 'nw',
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
          <FactList
            facts={[
              ['Reason', <code>{oneLine(type, 60)}</code>],
              ['In', plural(workstreams, 'workstream')],
              ['First seen', <SeenIn run={history.firstSeen} />],
              ['Last seen', <SeenIn run={history.lastSeen} />],
              history.lastPassed === null ? null : ['Last passed', <SeenIn run={history.lastPassed} />],
            ]}
          />
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
      <PatternValues
        values={detail.values}
        note="what stood in the holes in the last run that had it"
        most={Math.max(...detail.values.flatMap(({ shown }) => shown.map((each) => each.count)))}
      />
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
