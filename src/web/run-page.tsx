/** The page of a run that has ended, in the order of a reader's questions, and those of its workstreams and errors. */
import { useMemo } from 'preact/hooks';
import type { PageWorkstream } from '../domain/page-document.ts';
import { Agents } from './agents.tsx';
import { Compared } from './compared.tsx';
import { Done } from './done.tsx';
import { Sections } from './drawing.tsx';
import { Environment } from './environment.tsx';
import type { RailEntry } from './frame.tsx';
import { Graph } from './graph.tsx';
import { commandOf } from './model/commands.ts';
import { oneLine } from './model/format.ts';
import type { Need } from './model/needs.ts';
import type { PageSection, PageView } from './model/place.ts';
import { resultsOf } from './model/results.ts';
import type { Run } from './model/run.ts';
import { NeedsList } from './needs-list.tsx';
import { CommandBlock, LogLink, WorkstreamLink } from './parts.tsx';
import { PatternPage } from './pattern-page.tsx';
import { ResultsView } from './results-view.tsx';
import { hrefOf, place } from './state.ts';
import { type PageColumn, Table } from './table.tsx';
import { Tests } from './tests.tsx';
import { RunTimeline } from './timeline/timeline.tsx';
import { VerdictCard } from './verdict-card.tsx';
import { WorkstreamPage } from './workstream-page.tsx';

interface RunProps {
  run: Run;
  needs: readonly Need[];
}

/** What the place names of a run. */
export function RunPages({ run, needs }: RunProps) {
  const { view } = place.value;
  if (view.kind === 'workstream') return <WorkstreamPage run={run} id={view.id} needs={needs} />;
  if (view.kind === 'pattern') return <PatternPage id={view.id} needs={needs} />;
  if (view.kind === 'log') return <LogFiles run={run} id={view.id} />;
  if (view.kind === 'logs') return <LogFiles run={run} id={null} />;
  return (
    <Sections workstreams={run.workstreams.length}>
      <VerdictCard run={run} needs={needs} />
      <NeedsList run={run} needs={needs} />
      <ResultsView run={run} />
      <Done run={run} />
      <Compared run={run} />
      <Tests run={run} />
      <RunTimeline run={run} />
      <Graph run={run} />
      <Agents run={run} />
      <Environment run={run} />
    </Sections>
  );
}

/** Where logs are: a file has none of them. @param id of a workstream; null for all of the run. */
function LogFiles({ run, id }: { run: Run; id: string | null }) {
  const { runId } = run.head.run;
  const rows = run.workstreams.filter((each) => each.logPath !== null && (id === null || each.id === id));
  const command =
    id === null
      ? commandOf('millrace logs --follow --run', runId)
      : commandOf('millrace logs --run', runId, id);
  return (
    <>
      <div class="hello">
        <h1>Whole logs are not in this file.</h1>
        <p class="q2">
          {rows.length === 0
            ? `It knows no log of ${id === null ? 'this run' : oneLine(id, 80)}.`
            : 'Each is a file of its own, where the run was executed, as long as it is not removed.'}
        </p>
      </div>
      {rows.length > 0 && (
        <div class="card">
          <Table label="Table of logs" columns={LOG_COLUMNS} rows={rows} keyOf={(each) => each.id} />
        </div>
      )}
      <CommandBlock title="In a terminal" command={command} />
    </>
  );
}

const LOG_COLUMNS: readonly PageColumn<PageWorkstream>[] = [
  {
    key: 'workstream',
    title: 'Workstream',
    class: 'full col-title',
    cell: ({ id, title }) => <WorkstreamLink id={id} title={title} class="title" />,
  },
  {
    key: 'log',
    title: 'Log',
    class: 'full',
    cell: ({ id, log, logPath }) =>
      log === null ? (
        <code>{logPath}</code>
      ) : (
        <LogLink id={id} log={log}>
          <code>{logPath}</code>
        </LogLink>
      ),
  },
];

/** The run's name, with the page of it that is shown. @param title of that page; null for the run's own. */
export function RunCrumbs({ head, title }: { head: Run['head']; title: string | null }) {
  const { runId, label } = head.run;
  if (title === null)
    return (
      <span class="here">
        <code>{runId}</code> {label !== null && <bdi class="q">{oneLine(label, 40)}</bdi>}
      </span>
    );
  return (
    <span class="here">
      <a href={hrefOf({ kind: 'run', section: 'verdict' })}>
        <code>{runId}</code>
      </a>{' '}
      <span class="q">/</span> <bdi>{oneLine(title, 60)}</bdi>
    </span>
  );
}

/** The sections that are on the page of an ended run. */
export function useSections({ run, needs }: RunProps): RailEntry[] {
  return useMemo(() => sectionsOf({ run, needs }), [run, needs]);
}

function sectionsOf({ run, needs }: RunProps): RailEntry[] {
  const { head, workstreams } = run;
  const isDrawn = workstreams.some(({ start }) => start !== null) && run.seconds > 0;
  const hasEdges = workstreams.some(({ dependsOn }) => dependsOn.length > 0);
  const results = resultsOf(run);
  const tests = head.testCases?.total ?? head.tests.total;
  const section = (id: PageSection, title: string, note = 0, isBad = false): RailEntry => ({
    view: { kind: 'run', section: id },
    title,
    note,
    isBad,
  });
  const entries: (RailEntry | false)[] = [
    section('verdict', 'Verdict'),
    needs.length > 0 && section('needs', 'Needs you', needs.length, true),
    results !== null && section('results', 'Results', results.rows.length),
    workstreams.length > 0 &&
      section('done', run.kind === 'tasks' ? 'Tasks' : 'What was done', head.run.totals.workstreams),
    head.comparison !== null && section('compared', 'Compared'),
    (tests > 0 || head.manualChecks.total > 0) && section('tests', 'Tests', tests),
    isDrawn && section('timeline', 'Timeline'),
    hasEdges && section('graph', 'Graph'),
    head.agents.length + head.tools.length > 0 &&
      section('agents', head.tools.length > 0 ? 'Tools and agents' : 'Agents', head.agents.length),
    section('environment', 'Environment'),
  ];
  return entries.filter((entry) => entry !== false);
}

/** What the page of a workstream or of an error is called. @param workstream by its id. */
export function titleOfView(
  head: Run['head'],
  view: PageView,
  workstream: (id: string) => { title: string } | undefined,
): string {
  if (view.kind === 'run' || view.kind === 'overview') return head.run.runId;
  if (view.kind === 'logs') return 'All logs';
  if (view.kind === 'pattern') return head.errors.find(({ id }) => id === view.id)?.telling ?? view.id;
  return workstream(view.id)?.title ?? view.id;
}
