/** The page: a bar on top, sections beside, and the run, one workstream or one error. */
import { useEffect, useMemo } from 'preact/hooks';
import type { PageDocument } from '../domain/page-document.ts';
import { Compared } from './compared.tsx';
import { PatternPage, titleOfView, WorkstreamPage } from './detail.tsx';
import { Done } from './done.tsx';
import { Agents, Environment, Tests } from './facts.tsx';
import { Graph } from './graph.tsx';
import { Brand, Icon } from './icons.tsx';
import { KeyHelp } from './keys.tsx';
import { count, oneLine } from './model/format.ts';
import { type Need, needsOf } from './model/needs.ts';
import type { PageSection } from './model/place.ts';
import { resultsOf } from './model/results.ts';
import { Run } from './model/run.ts';
import { verdictOf } from './model/verdict.ts';
import { NeedsList } from './needs-list.tsx';
import { ResultsView } from './results-view.tsx';
import { Search } from './search.tsx';
import { announcement, helpIsOpen, hrefOf, place, reading, switchTheme } from './state.ts';
import { Timeline } from './timeline.tsx';
import { VerdictCard } from './verdict-card.tsx';

export function App({ document: source }: { document: PageDocument }) {
  const run = useMemo(() => new Run(source), [source]);
  const needs = useMemo(() => needsOf(run), [run]);
  const { view } = place.value;
  useTitle(run, needs);
  return (
    <>
      <TopBar run={run} needs={needs} />
      <div class="frame">
        <Rail run={run} needs={needs} />
        <main id="main" tabIndex={-1}>
          {view.kind === 'run' && <RunPage run={run} needs={needs} />}
          {view.kind === 'workstream' && <WorkstreamPage run={run} id={view.id} needs={needs} />}
          {view.kind === 'pattern' && <PatternPage run={run} id={view.id} needs={needs} />}
        </main>
      </div>
      <KeyHelp />
      <div class="sr" role="status">
        {announcement.value}
      </div>
    </>
  );
}

/** The links of the page are places; this one is a place on it. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function useTitle(run: Run, needs: readonly Need[]): void {
  const { view } = place.value;
  useEffect(() => {
    const what = view.kind === 'run' ? verdictOf(run, needs).sentence : titleOfView(run, view);
    document.title = `${oneLine(what, 80)} · ${run.head.run.runId} · Millrace`;
  });
}

function TopBar({ run, needs }: { run: Run; needs: readonly Need[] }) {
  const { runId, label } = run.head.run;
  const { view } = place.value;
  return (
    <header class="top">
      <a class="skip-link" href="#/" onClick={skipToMain}>
        To the content
      </a>
      <a class="brand" href="#/" aria-label="Millrace, to the verdict">
        <Brand />
        <b>Millrace</b>
      </a>
      <nav class="crumbs" aria-label="Where you are">
        <span class="here">
          {view.kind === 'run' ? (
            <>
              <code>{runId}</code> {label !== null && <bdi class="q">{oneLine(label, 40)}</bdi>}
            </>
          ) : (
            <>
              <a href="#/">
                <code>{runId}</code>
              </a>{' '}
              <span class="q">/</span> <bdi>{oneLine(titleOfView(run, view), 60)}</bdi>
            </>
          )}
        </span>
      </nav>
      <span class="grow" />
      <Search run={run} needs={needs} />
      <button type="button" class="b icon quiet" aria-label="Dark or light" onClick={switchTheme}>
        <Icon glyph="theme" />
      </button>
      <button type="button" class="b icon quiet" aria-label="Keys" onClick={() => (helpIsOpen.value = true)}>
        ?
      </button>
    </header>
  );
}

interface RailEntry {
  id: PageSection;
  title: string;
  note?: number;
  isBad?: boolean;
}

/** The sections that are on the page. */
function entriesOf(run: Run, needs: readonly Need[]): RailEntry[] {
  const { head, workstreams } = run;
  const isDrawn = workstreams.some(({ start }) => start !== null) && run.seconds > 0;
  const hasEdges = workstreams.some(({ dependsOn }) => dependsOn.length > 0);
  const results = resultsOf(run);
  const tests = head.testCases?.total ?? head.tests.total;
  const entries: (RailEntry | false)[] = [
    { id: 'verdict', title: 'Verdict' },
    needs.length > 0 && { id: 'needs', title: 'Needs you', note: needs.length, isBad: true },
    results !== null && { id: 'results', title: 'Results', note: results.rows.length },
    workstreams.length > 0 && {
      id: 'done',
      title: run.kind === 'tasks' ? 'Tasks' : 'What was done',
      note: head.run.totals.workstreams,
    },
    head.comparison !== null && { id: 'compared', title: 'Compared' },
    (tests > 0 || head.manualChecks.total > 0) && { id: 'tests', title: 'Tests', note: tests },
    isDrawn && { id: 'timeline', title: 'Timeline' },
    hasEdges && { id: 'graph', title: 'Graph' },
    head.agents.length + head.tools.length > 0 && {
      id: 'agents',
      title: head.tools.length > 0 ? 'Tools and agents' : 'Agents',
      note: head.agents.length,
    },
    { id: 'environment', title: 'Environment' },
  ];
  return entries.filter((entry) => entry !== false);
}

function Rail({ run, needs }: { run: Run; needs: readonly Need[] }) {
  const { view } = place.value;
  const entries = useMemo(() => entriesOf(run, needs), [run]);
  useReading(entries);
  return (
    <nav class="rail" aria-label="Sections">
      <ol>
        {entries.map(({ id, title, note, isBad }) => (
          <li key={id}>
            <a
              href={hrefOf({ kind: 'run', section: id })}
              aria-current={view.kind === 'run' && reading.value === id ? 'true' : undefined}
            >
              {title}
              {note !== undefined && note > 0 && (
                <span class={isBad === true ? 'c bad' : 'c'}>{count(note)}</span>
              )}
            </a>
          </li>
        ))}
      </ol>
      <div class="keys" aria-hidden="true">
        <span>
          <kbd>/</kbd> search
        </span>
        <span>
          <kbd>j</kbd> <kbd>k</kbd> next, previous
        </span>
        <span>
          <kbd>c</kbd> copy command
        </span>
        <span>
          <kbd>?</kbd> all keys
        </span>
      </div>
    </nav>
  );
}

/** Notes which section is at the top of the window. */
function useReading(entries: readonly RailEntry[]): void {
  useEffect(() => {
    let isScheduled = false;
    const look = (): void => {
      isScheduled = false;
      const passed = entries.filter(
        ({ id }) => (document.getElementById(id)?.getBoundingClientRect().top ?? Infinity) < 160,
      );
      const atEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 4 && scrollY > 0;
      reading.value = (atEnd ? entries.at(-1) : passed.at(-1))?.id ?? 'verdict';
    };
    const onScroll = (): void => {
      if (isScheduled) return;
      isScheduled = true;
      requestAnimationFrame(look);
    };
    addEventListener('scroll', onScroll, { passive: true });
    return () => removeEventListener('scroll', onScroll);
  }, [entries]);
}

/** In the order of a reader's questions. */
function RunPage({ run, needs }: { run: Run; needs: readonly Need[] }) {
  return (
    <>
      <VerdictCard run={run} needs={needs} />
      <NeedsList run={run} needs={needs} />
      <ResultsView run={run} />
      <Done run={run} />
      <Compared run={run} />
      <Tests run={run} />
      <Timeline run={run} />
      <Graph run={run} />
      <Agents run={run} />
      <Environment run={run} />
    </>
  );
}
