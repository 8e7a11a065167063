/** The page that a file holds: one run, whose document is in it. */
import { useEffect, useMemo } from 'preact/hooks';
import type { PageDocument } from '../domain/page-document.ts';
import { Frame } from './frame.tsx';
import { oneLine } from './model/format.ts';
import { needsOf } from './model/needs.ts';
import { Run } from './model/run.ts';
import { verdictOf } from './model/verdict.ts';
import { RunCrumbs, RunPages, titleOfView, useSections } from './run-page.tsx';
import { Search } from './search.tsx';
import { hrefOf, place } from './state.ts';

export function App({ document: source }: { document: PageDocument }) {
  const run = useMemo(() => new Run(source), [source]);
  const needs = useMemo(() => needsOf(run), [run]);
  const entries = useSections({ run, needs });
  const { view } = place.value;
  const title = view.kind === 'run' ? null : titleOfView(run.head, view, (id) => run.byId.get(id));
  useEffect(() => {
    document.title = `${oneLine(title ?? verdictOf(run, needs).sentence, 80)} · ${run.head.run.runId} · Millrace`;
  });
  return (
    <Frame
      home={{ href: hrefOf({ kind: 'run', section: 'verdict' }), name: 'the verdict' }}
      crumbs={<RunCrumbs head={run.head} title={title} />}
      tools={<Search run={run} needs={needs} />}
      rail={{ label: 'Sections', entries }}
    >
      <RunPages run={run} needs={needs} />
    </Frame>
  );
}
