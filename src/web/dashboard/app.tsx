/** The dashboard: all runs, one run while it is under way and afterwards, and what is known over all of them. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import { Frame, type RailEntry } from '../frame.tsx';
import { oneLine } from '../model/format.ts';
import type { ListedNeeds } from '../model/listed-needs.ts';
import { liveTitle } from '../model/live.ts';
import { needsOf } from '../model/needs.ts';
import { OVERVIEWS, type OverviewName, type PageView } from '../model/place.ts';
import { verdictOf } from '../model/verdict.ts';
import { Time } from '../parts.tsx';
import { RunCrumbs, RunPages, titleOfView, useSections } from '../run-page.tsx';
import { Search } from '../search.tsx';
import { hrefOf, place } from '../state.ts';
import { Said } from './actions.tsx';
import { isSignedOut } from './client.ts';
import { secondsSince } from './clock.ts';
import { FollowedRun, type RunSeen } from './followed-run.ts';
import { useListedNeeds } from './live-needs.tsx';
import { LivePage, liveSections } from './live-page.tsx';
import { AllLogsPage, LogPage } from './log.tsx';
import { PatternHistoryPage, PatternsPage } from './patterns.tsx';
import { RunsPage, Waiting } from './runs.tsx';
import { SignInAgain } from './sign-in.tsx';
import type { LostSince } from './streams.ts';
import { ToolsPage, TrendsPage } from './trends.tsx';
import { UnendedPage } from './unended-page.tsx';
import { WorkstreamHistory, WorkstreamsPage } from './workstreams.tsx';

const TITLES: Record<OverviewName, string> = {
  runs: 'Runs',
  workstreams: 'Workstreams',
  patterns: 'Errors',
  trends: 'Trends',
  tools: 'Tools and costs',
};

const HOME = { href: hrefOf({ kind: 'overview', name: 'runs' }), name: 'all runs' };

export function Dashboard() {
  const { run } = place.value;
  return (
    <>
      {run === null ? <Overall /> : <OneRun key={run} name={run} />}
      <Said />
      <SignInAgain />
    </>
  );
}

// ── Over all runs ──

/** How often what is known over all runs is asked for again, in milliseconds. */
const REFRESH_MS = 30_000;

/** Counts up whenever it is time to ask again; not where nobody sees the page. */
function useRefresh(): number {
  const asOf = useSignal(0);
  useEffect(() => {
    const refresh = (): void => void (document.hidden ? undefined : asOf.value++);
    const timer = setInterval(refresh, REFRESH_MS);
    document.addEventListener('visibilitychange', refresh);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refresh);
    };
  }, []);
  return asOf.value;
}

const ENTRIES: readonly RailEntry[] = OVERVIEWS.map((name) => ({
  view: { kind: 'overview', name },
  title: TITLES[name],
}));

function Overall() {
  const lost = useSignal<LostSince>(null);
  const asOf = useRefresh();
  const { view } = place.value;
  const title = overallTitle(view);
  useEffect(() => {
    document.title = `${title} · Millrace`;
  }, [title]);
  return (
    <Frame
      home={HOME}
      crumbs={
        <span class="here">
          {view.kind === 'history' && (
            <>
              <a href={hrefOf({ kind: 'overview', name: view.of })}>{TITLES[view.of]}</a>{' '}
              <span class="q">/</span>{' '}
            </>
          )}
          <bdi>{title}</bdi>
        </span>
      }
      tools={<Connection lost={lost.value} isLive={false} />}
      rail={{ label: 'Over all runs', entries: ENTRIES }}
    >
      <OverallView view={view} asOf={asOf} onLost={(since) => (lost.value = since)} />
    </Frame>
  );
}

const overallTitle = (view: PageView): string =>
  view.kind === 'overview' ? TITLES[view.name] : view.kind === 'history' ? oneLine(view.id, 80) : '';

interface OverallProps {
  view: PageView;
  asOf: number;
  onLost: (since: LostSince) => void;
}

function OverallView({ view, asOf, onLost }: OverallProps) {
  if (view.kind === 'history')
    return view.of === 'workstreams' ? (
      <WorkstreamHistory key={view.id} id={view.id} asOf={asOf} />
    ) : (
      <PatternHistoryPage key={view.id} id={view.id} asOf={asOf} />
    );
  if (view.kind !== 'overview' || view.name === 'runs') return <RunsPage onLost={onLost} />;
  if (view.name === 'workstreams') return <WorkstreamsPage asOf={asOf} />;
  if (view.name === 'patterns') return <PatternsPage asOf={asOf} />;
  return view.name === 'trends' ? <TrendsPage asOf={asOf} /> : <ToolsPage asOf={asOf} />;
}

// ── One run ──

function OneRun({ name }: { name: string }) {
  const followed = useMemo(() => new FollowedRun(name), [name]);
  // Not `useEffect`, which comes later: a run that is left before that would be followed for ever.
  useLayoutEffect(() => () => followed.close(), [followed]);
  const run = followed.run.value;
  if (run === null)
    return (
      <Frame
        home={HOME}
        crumbs={<RunsCrumb />}
        tools={null}
        rail={{ label: 'Over all runs', entries: ENTRIES }}
      >
        <Waiting problem={followed.problem.value?.text ?? null} what={oneLine(name, 60)} />
      </Frame>
    );
  return <RunFrame followed={followed} run={run} />;
}

const RunsCrumb = () => (
  <>
    <a class="to-runs" href={HOME.href}>
      Runs
    </a>{' '}
    <span class="q to-runs">/</span>{' '}
  </>
);

const ALL_LOGS: RailEntry = { view: { kind: 'logs' }, title: 'All logs' };

function RunFrame({ followed, run }: { followed: FollowedRun; run: RunSeen }) {
  const { current, listed, live } = run;
  const { head } = current.document;
  const logLost = useSignal<LostSince>(null);
  const listedNeeds = useListedNeeds(listed);
  const { needs } = listedNeeds;
  const sections = useSections({ run: listed, needs });
  const entries = [...(live === null ? sections : liveSections(current, live)), ALL_LOGS];
  const { view } = place.value;
  const title =
    view.kind !== 'run'
      ? titleOfView(head, view, (id) => current.get(id))
      : live === null
        ? verdictOf(listed, needs).sentence
        : liveTitle(live);
  useEffect(() => {
    document.title = `${oneLine(title, 80)} · ${head.run.runId} · Millrace`;
  });
  return (
    <Frame
      home={HOME}
      crumbs={
        <>
          <RunsCrumb />
          <RunCrumbs head={head} title={view.kind === 'run' ? null : title} />
        </>
      }
      tools={
        <>
          <Connection
            lost={followed.lost.value ?? logLost.value ?? followed.problem.value?.since ?? null}
            why={followed.problem.value?.text}
            isLive={live !== null}
          />
          <Search run={listed} needs={needs} />
        </>
      }
      rail={{ label: 'Sections', entries }}
    >
      <RunView
        followed={followed}
        run={run}
        listedNeeds={listedNeeds}
        onLost={(since) => (logLost.value = since)}
      />
    </Frame>
  );
}

function RunView({
  followed,
  run,
  listedNeeds,
  onLost,
}: {
  followed: FollowedRun;
  run: RunSeen;
  listedNeeds: ListedNeeds;
  /** Told of the connection by which logs come. */
  onLost: (since: LostSince) => void;
}) {
  const { current, listed, live } = run;
  const { needs } = listedNeeds;
  const { head } = current.document;
  const { runId } = head.run;
  const { view } = place.value;
  const isRunning = (id: string): boolean =>
    live?.running.some(({ workstreamId }) => workstreamId === id) ?? false;
  if (view.kind === 'log')
    return (
      <LogPage
        key={view.id}
        runId={runId}
        id={view.id}
        title={titleOfView(
          head,
          view,
          (id) => live?.running.find(({ workstreamId }) => workstreamId === id) ?? current.get(id),
        )}
        host={live?.running.find(({ workstreamId }) => workstreamId === view.id)?.host ?? null}
        known={{ isWritten: isRunning(view.id), loads: run.loads }}
        onLost={onLost}
      />
    );
  if (view.kind === 'logs')
    return (
      <AllLogsPage
        runId={runId}
        known={{ isWritten: live !== null, loads: run.loads }}
        hasHosts={(head.hosts ?? []).length > 0}
        onLost={onLost}
      />
    );
  if (live === null) return <RunPages run={listed} needs={needs} />;
  if (view.kind === 'run')
    return <LivePage seen={run} needs={listedNeeds} live={live} onLook={() => followed.look()} />;
  if (view.kind === 'workstream' && current.get(view.id) === undefined)
    return <UnendedPage seen={run} live={live} id={view.id} />;
  if (view.kind === 'pattern') return <RunPages run={listed} needs={needs} />;
  return <NowPages run={run} />;
}

/** A page of a run under way that shows it as it is now. */
function NowPages({ run: { now, current } }: { run: RunSeen }) {
  const { view } = place.value;
  const row = view.kind === 'workstream' ? current.get(view.id) : undefined;
  // They are worked out of all rows, which change all the time.
  const needs = useMemo(() => needsOf(now), [current.document, row]);
  return <RunPages run={now} needs={needs} />;
}

/** Shorter losses are not worth a word, in seconds. */
const NOTICED = 2;

const sentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`);

interface ConnectionProps {
  lost: LostSince;
  /** Why; without it there is no connection. */
  why?: string | undefined;
  isLive: boolean;
}

/** Whether what is seen is as it is now. */
function Connection({ lost, why = 'Not connected; trying again.', isLive }: ConnectionProps) {
  // What is to be done about it is said instead.
  if (isSignedOut.value) return null;
  const seconds = lost === null ? 0 : secondsSince(lost);
  if (lost !== null && seconds >= NOTICED)
    return (
      <div class="offline">
        <span role="alert">{sentence(why)}</span> For {seconds} s: what you see is from{' '}
        <Time iso={new Date(lost).toISOString()} />.
      </div>
    );
  return isLive ? (
    <span class="mode">
      <i aria-hidden="true" />
      live
    </span>
  ) : null;
}
