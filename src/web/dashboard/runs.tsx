/** All runs: those under way, and those before, with how they went over time. */

import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { ListEvents, ListedRun, RunsAnswer } from '../../domain/dashboard/answers.ts';
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
import { ask, messageOfError } from './client.ts';
import { type LostSince, Stream } from './streams.ts';

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

/** Runs that are asked for at once. */
const PAGE = 200;

/** Runs begin, change and end while their list is read: which are listed, and where, stays as it was when the reader looked. */
interface RunsOnPage {
  /** As they were when the reader looked, the newest first. */
  listed: readonly ListedRun[];
  /** By id, as they are now; also those that began since then. */
  now: ReadonlyMap<string, ListedRun>;
  total: number;
  database: string;
}

/** The runs, kept as they are now. */
function useRuns(onLost: (since: LostSince) => void) {
  const list = useSignal<RunsOnPage | null>(null);
  const problem = useSignal<string | null>(null);
  const { heard, askMeanwhile } = useHeard();
  const take = ({ runs, gone, total }: ListEvents['runs']): void => {
    const before = list.peek();
    if (before === null) return;
    const { listed } = before;
    const now = new Map(before.now);
    const oldest = listed.at(-1)?.createdAt ?? '';
    for (const run of runs) if (now.has(run.runId) || run.createdAt >= oldest) now.set(run.runId, run);
    for (const id of gone) now.delete(id);
    // Of an empty list, and where the database is another one, nothing stays.
    const isSame = listed.some(({ runId }) => now.has(runId));
    list.value = { ...before, listed: isSame ? listed : newestFirst(now), now, total };
  };
  const takeAll = (events: readonly string[]): void => {
    for (const data of events) take(JSON.parse(data));
  };
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isClosed = false;
    let catchUps = 0;
    /** What changed while nobody listened is not sent again. */
    const catchUp = async (): Promise<void> => {
      const number = ++catchUps;
      try {
        const { answer, meanwhile } = await askMeanwhile(`/api/runs?limit=${PAGE}`);
        if (isClosed || number !== catchUps) return;
        const { runs, total } = answer;
        const before = list.peek();
        const gone = before === null ? [] : goneOf([...before.now.values()], runs);
        take({ runs, gone, total });
        takeAll(meanwhile);
        problem.value = null;
      } catch (error) {
        if (isClosed) return;
        problem.value = messageOfError(error);
      }
    };
    const stream = new Stream('/api/events', {
      names: ['runs', 'reload'],
      parameter: 'after',
      onEvent: (name, data) => {
        if (name === 'reload') void catchUp();
        else {
          heard(data);
          take(JSON.parse(data));
        }
      },
      onLost: (since) => {
        if (since === null) void catchUp();
        onLost(since);
      },
    });
    const load = async (): Promise<void> => {
      try {
        const { answer, meanwhile } = await askMeanwhile(`/api/runs?limit=${PAGE}`);
        if (isClosed) return;
        const { runs, total, database } = answer;
        list.value = { listed: runs, now: byId(runs), total, database };
        problem.value = null;
        takeAll(meanwhile);
        stream.from(null);
      } catch (error) {
        if (isClosed) return;
        problem.value = messageOfError(error);
        timer = setTimeout(() => void load(), 2000);
      }
    };
    void load();
    return () => {
      isClosed = true;
      clearTimeout(timer);
      stream.close();
      onLost(null);
    };
  }, []);
  const older = async (): Promise<void> => {
    const last = list.peek()?.listed.findLast(({ runId }) => list.peek()?.now.has(runId));
    if (last === undefined) return;
    try {
      const { answer, meanwhile } = await askMeanwhile(
        `/api/runs?limit=${PAGE}&before=${encodeURIComponent(last.runId)}`,
      );
      const before = list.peek();
      if (before === null) return;
      const { runs } = answer;
      const known = new Set(before.listed.map(({ runId }) => runId));
      const more = runs.filter(({ runId }) => !known.has(runId));
      list.value = {
        ...before,
        listed: [...before.listed, ...more],
        now: new Map([...before.now, ...byId(runs)]),
      };
      takeAll(meanwhile);
    } catch (error) {
      problem.value = messageOfError(error);
    }
  };
  const look = (): void => {
    const before = list.peek();
    if (before !== null) list.value = { ...before, listed: newestFirst(before.now) };
  };
  return { list: list.value, problem: problem.value, older, look };
}

/** Ids of the runs that are missing among the newest ones. Of those that are older than all of these nothing is known. */
function goneOf(known: readonly ListedRun[], newest: readonly ListedRun[]): string[] {
  const ids = new Set(newest.map(({ runId }) => runId));
  const oldest = newest.length < PAGE ? '' : (newest.at(-1)?.createdAt ?? '');
  return known
    .filter(({ runId, createdAt }) => createdAt >= oldest && !ids.has(runId))
    .map(({ runId }) => runId);
}

const byId = (runs: readonly ListedRun[]): Map<string, ListedRun> =>
  new Map(runs.map((run) => [run.runId, run]));

const newestFirst = (runs: ReadonlyMap<string, ListedRun>): ListedRun[] =>
  [...runs.values()].toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));

/** What is heard of runs while they are asked for: the answer may be from before that. */
function useHeard() {
  const asking = useRef(new Set<string[]>());
  const heard = (data: string): void => {
    for (const meanwhile of asking.current) meanwhile.push(data);
  };
  const askMeanwhile = async (path: string): Promise<{ answer: RunsAnswer; meanwhile: string[] }> => {
    const meanwhile: string[] = [];
    asking.current.add(meanwhile);
    try {
      return { answer: await ask<RunsAnswer>(path), meanwhile };
    } finally {
      asking.current.delete(meanwhile);
    }
  };
  return { heard, askMeanwhile };
}

export function RunsPage({ onLost }: { onLost: (since: LostSince) => void }) {
  const { list, problem, older, look } = useRuns(onLost);
  if (list === null) return <Waiting problem={problem} what="the runs" />;
  const { listed, now, total, database } = list;
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
            <button type="button" class="pill" onClick={look}>
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
              <button type="button" class="b" onClick={() => void older()}>
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
