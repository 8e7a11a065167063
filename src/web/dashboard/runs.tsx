/** All runs: those under way, and those before, with how they went over time. */
import { useLayoutEffect, useMemo } from 'preact/hooks';
import type { ListedRun } from '../../domain/dashboard/answers.ts';
import { FilterRow } from '../filters.tsx';
import { type Glyph, Icon } from '../icons.tsx';
import { commandOf } from '../model/commands.ts';
import { count, dollars, duration, oneLine, plural, UNKNOWN } from '../model/format.ts';
import {
  type ListedState,
  listedState,
  RUN_STATES,
  runNote,
  runsOf,
  runsVerdict,
  runWords,
  unseenRuns,
} from '../model/runs.ts';
import { Block, Command, Time, Words } from '../parts.tsx';
import { drawingGoesOn, go, hrefInRun, place } from '../state.ts';
import { type PageColumn, Table } from '../table.tsx';
import { type ChartPoint, RunChart } from './charts.tsx';
import { FollowedRuns, newestFirst } from './followed-runs.ts';
import type { LostSince } from './streams.ts';

const GLYPHS: Record<ListedState, [Glyph, tone: string, word: string]> = {
  running: ['half', 'run', 'Under way'],
  failed: ['cross', 'fail', 'With failures'],
  waiting: ['pause', 'warn', 'Waiting for a limit'],
  interrupted: ['pause', 'warn', 'Interrupted'],
  skipped: ['dash', 'skip', 'With skips'],
  completed: ['tick', 'done', 'All completed'],
};

function RunMarkView({ run }: { run: ListedRun }) {
  const [glyph, tone] = GLYPHS[listedState(run)];
  return (
    <span class={`st ${tone}`}>
      <Icon glyph={glyph} />
      <span>{runWords(run)}</span>
    </span>
  );
}

function useFollowedRuns(onLost: (since: LostSince) => void): FollowedRuns {
  const list = useMemo(() => new FollowedRuns(onLost), []);
  useLayoutEffect(
    () => () => {
      list.close();
      onLost(null);
    },
    [],
  );
  return list;
}

export function RunsPage({ onLost }: { onLost: (since: LostSince) => void }) {
  const list = useFollowedRuns(onLost);
  const problem = list.problem.value;
  if (list.runs.value === null) return <Waiting problem={problem} what="the runs" />;
  const { listed, now, total, database } = list.runs.value;
  const underWay = listed.filter(({ state }) => state === 'running');
  const unseen = unseenRuns(listed, now);
  return (
    <>
      <div class="hello runs-hello">
        <h1>{runsVerdict(newestFirst(now))}</h1>
        <div class="unseen">
          <p class="q2">
            {plural(total, 'run')} in <code>{oneLine(database, 200)}</code>
          </p>
          {unseen !== '' && (
            <button type="button" class="pill" onClick={() => list.look()}>
              {unseen}: show
            </button>
          )}
        </div>
      </div>
      {total === 0 && <Begin />}
      {underWay.length > 0 && (
        <Block title="Under way">
          <div class="runcards">
            {underWay.map((run) => (
              <RunCard key={run.runId} run={now.get(run.runId) ?? run} />
            ))}
          </div>
        </Block>
      )}
      {listed.length > 2 && <Course runs={listed} />}
      {total > 0 && (
        <Block
          title="All runs"
          note={`${now.size < total ? `the last ${count(listed.length)} of ${count(total)}` : count(listed.length)}, the newest first`}
        >
          <RunTable runs={listed} now={now} />
          {now.size < total && (
            <p class="more-row card gap">
              {count(total - now.size)} older
              <button type="button" class="b" onClick={() => void list.older()}>
                Show older runs
              </button>
            </p>
          )}
          {problem !== null && <p class="fail">{problem}</p>}
        </Block>
      )}
    </>
  );
}

/** Instead of what is not there yet, or can't be had. Only with what is asked for, the page can be where the reader wants. */
export function Waiting({ problem, what }: { problem: string | null; what: string }) {
  const isAsked = problem === null;
  useLayoutEffect(() => (isAsked ? drawingGoesOn() : undefined), [isAsked]);
  return (
    <div class="card empty">
      <h1>{isAsked ? `Asking for ${what} …` : problem}</h1>
      {!isAsked && <p class="q2">This page tries again by itself.</p>}
    </div>
  );
}

/** Instead of an overview as long as no run has ended. @param what it will show, as a sentence. */
export function NothingYet({ what }: { what: string }) {
  return (
    <>
      <div class="hello">
        <h1>No run has ended yet.</h1>
        <p class="q2">{what}</p>
      </div>
      <Begin />
    </>
  );
}

const Begin = () => (
  <Block title="Begin">
    <div class="card pad">
      <Command command="millrace run" />
    </div>
  </Block>
);

function RunCard({ run }: { run: ListedRun }) {
  const { runId, label } = run;
  return (
    <a class="card runcard" href={hrefInRun(runId)} data-move="card">
      <RunMarkView run={run} />
      <span class="one-line">
        {label !== null && (
          <b>
            <Words text={label} length={60} />{' '}
          </b>
        )}
        <code>{runId}</code>
      </span>
      <span class="q2 one-line">{runNote(run)}</span>
      <Shares run={run} />
    </a>
  );
}

/** Which part of the workstreams failed, completed and was skipped. */
function Shares({ run }: { run: ListedRun }) {
  const { workstreams, completed, failed, skipped } = run.totals;
  const wide = (part: number): number => (part / Math.max(1, workstreams)) * 100;
  return (
    <svg class="shares" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width={100} height={10} />
      <rect class="f-fail" width={wide(failed)} height={10} />
      <rect class="f-done" x={wide(failed)} width={wide(completed)} height={10} />
      <rect class="f-skip" x={wide(failed + completed)} y={6} width={wide(skipped)} height={4} />
      <rect
        class="f-run"
        x={wide(failed + completed + skipped)}
        width={wide(Math.min(run.running, workstreams - failed - completed - skipped))}
        height={10}
      />
    </svg>
  );
}

/** Runs that the small charts have. */
const DRAWN = 40;

/** How the last runs went. Their numbers are in the table below. */
function Course({ runs }: { runs: readonly ListedRun[] }) {
  const ended = useMemo(
    () =>
      runs
        .filter(({ state }) => state === 'ended')
        .slice(0, DRAWN)
        .toReversed(),
    [runs],
  );
  const point = (run: ListedRun, value: number | null, text: string): ChartPoint => ({
    key: run.runId,
    value,
    tone: run.totals.failed > 0 ? 'fail' : run.totals.skipped > 0 ? 'skip' : 'done',
    href: hrefInRun(run.runId),
    title: `${run.runId}: ${text}`,
  });
  const last = ended.at(-1);
  if (last === undefined || ended.length < 3) return null;
  return (
    <Block
      title="How they went"
      note={`the last ${ended.length} that ended, the oldest first; numbers in the table below`}
    >
      <div class="cols">
        <div class="card pad">
          <h3>
            Took <b>{duration(last.wallSeconds)}</b>
          </h3>
          <RunChart
            label="How long runs took"
            kind="line"
            format={duration}
            points={ended.map((run) => point(run, run.wallSeconds, `took ${duration(run.wallSeconds)}`))}
          />
        </div>
        <div class="card pad">
          <h3>
            Failed <b>{count(last.totals.failed)}</b> of {count(last.totals.workstreams)}
          </h3>
          <RunChart
            label="How many workstreams failed"
            kind="bars"
            isCount
            format={count}
            points={ended.map((run) => point(run, run.totals.failed, `${count(run.totals.failed)} failed`))}
          />
        </div>
      </div>
    </Block>
  );
}

/** @param runs as they were when the reader looked, by which they are found and in order. */
function RunTable({ runs, now }: { runs: readonly ListedRun[]; now: ReadonlyMap<string, ListedRun> }) {
  const { query, states, sort } = place.value;
  const found = runsOf(runs, { query, states, sort });
  return (
    <div class="card">
      <FilterRow
        label="Filter the runs"
        field="Filter by id, label, commit, machine or tool"
        placeholder="Filter by id, label, commit, tool"
        all={runs.length}
        found={found.length}
        states={RUN_STATES.map((state) => {
          const [glyph, , word] = GLYPHS[state];
          return { state, glyph, word, there: runs.filter((run) => listedState(run) === state).length };
        })}
      />
      {found.length === 0 ? (
        <p class="pad q2">Nothing matches.</p>
      ) : (
        <Table
          label="Table of runs"
          columns={COLUMNS}
          rows={found.map((run) => now.get(run.runId) ?? run)}
          keyOf={({ runId }) => runId}
          sort={sort}
          onSort={(next) => go({ sort: next })}
          commandOf={({ runId }) => commandOf('millrace show', runId)}
        />
      )}
    </div>
  );
}

const COLUMNS: readonly PageColumn<ListedRun>[] = [
  { key: 'verdict', title: 'Verdict', class: 'col-verdict', cell: (run) => <RunMarkView run={run} /> },
  {
    key: 'run',
    title: 'Run',
    canSort: true,
    class: 'full col-title col-run',
    cell: ({ runId, label }) => (
      <span class="one">
        <a class="id title" href={hrefInRun(runId)}>
          {runId}
        </a>
        {label !== null && (
          <span class="q one-line" title={oneLine(label, 300)}>
            <Words text={label} length={60} />
          </span>
        )}
      </span>
    ),
  },
  {
    key: 'started',
    title: 'Started',
    canSort: true,
    from: 'medium',
    class: 'nw',
    cell: ({ createdAt }) => <Time iso={createdAt} />,
  },
  { key: 'shares', title: 'How it went', from: 'medium', cell: (run) => <Shares run={run} /> },
  {
    key: 'workstreams',
    title: 'Workstreams',
    isNumber: true,
    canSort: true,
    cell: ({ totals }) => count(totals.workstreams),
  },
  {
    key: 'failed',
    title: 'Failed',
    isNumber: true,
    canSort: true,
    cell: ({ totals }) =>
      totals.failed === 0 ? <span class="q">0</span> : <b class="fail">{count(totals.failed)}</b>,
  },
  {
    key: 'cost',
    title: 'Cost',
    isNumber: true,
    canSort: true,
    from: 'wide',
    cell: ({ costUsd }) => (costUsd === null ? UNKNOWN : dollars(costUsd)),
  },
  {
    key: 'took',
    title: 'Took',
    isNumber: true,
    canSort: true,
    class: 'm-end',
    cell: ({ wallSeconds }) => duration(wallSeconds),
  },
  {
    key: 'commit',
    title: 'Commit',
    from: 'wide',
    class: 'id',
    cell: ({ checkout }) =>
      checkout === null ? UNKNOWN : `${checkout.commit.slice(0, 10)}${checkout.isDirty === true ? '+' : ''}`,
  },
];
