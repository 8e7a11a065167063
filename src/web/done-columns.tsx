/** The columns of the table of what was done. */
import type { Json } from '../domain/json.ts';
import type { PageWorkstream } from '../domain/page-document.ts';
import { Icon } from './icons.tsx';
import { count, dollars, duration, figure, oneLine, plural, shown, UNKNOWN } from './model/format.ts';
import { markOf, type Run } from './model/run.ts';
import { AgentName, Bar, MarkView, Sentence, TONE_OF_MARK, Words } from './parts.tsx';
import { adjust, go, hrefOf, place } from './state.ts';
import { type PageColumn } from './table.tsx';

/** A row opens in place; in a box, where all rows have one height, on a page of its own. */
export function toggle(id: string, rows: number): void {
  const { open } = place.value;
  if (rows > 200) go({ view: { kind: 'workstream', id } });
  else adjust({ open: open.includes(id) ? open.filter((each) => each !== id) : [...open, id] });
}

type WorkstreamColumn = PageColumn<PageWorkstream>;

const stateColumn: WorkstreamColumn = {
  key: 'state',
  title: 'State',
  canSort: true,
  class: 'col-state',
  cell: (each) => <MarkView mark={markOf(each)} />,
  csv: ({ status }) => status,
};

const titleColumn = (title: string): WorkstreamColumn => ({
  key: 'title',
  title,
  canSort: true,
  class: 'col-title full',
  cell: ({ id, title: name }) => (
    <span class="one">
      <a
        class={name === id ? 'id title' : 'title'}
        href={hrefOf({ kind: 'workstream', id })}
        title={shown(name)}
      >
        <Words text={name} length={200} />
      </a>
      {name !== id && (
        <span class="id">
          <Words text={id} length={80} />
        </span>
      )}
    </span>
  ),
  csv: ({ title: name }) => name,
});

const idCsv: WorkstreamColumn = {
  key: 'id',
  title: 'Id',
  class: 'off',
  cell: () => null,
  csv: ({ id }) => id,
};

const attemptsColumn: WorkstreamColumn = {
  key: 'attempts',
  title: 'Attempts',
  isNumber: true,
  canSort: true,
  from: 'medium',
  cell: (each) => <AttemptsCell workstream={each} />,
  csv: ({ attemptCount }) => attemptCount,
};

function AttemptsCell({ workstream: { id, attemptCount } }: { workstream: PageWorkstream }) {
  if (attemptCount < 2) return <>{attemptCount === 0 ? UNKNOWN : attemptCount}</>;
  const isOpen = place.value.open.includes(id);
  return (
    <button
      type="button"
      class="fold"
      aria-expanded={isOpen}
      aria-label={`${attemptCount} attempts`}
      onClick={() => toggle(id, 0)}
    >
      {attemptCount}
      <Icon glyph="down" />
    </button>
  );
}

const tookColumn = (longest: number): WorkstreamColumn => ({
  key: 'took',
  title: 'Took',
  isNumber: true,
  canSort: true,
  class: 'm-end col-took',
  cell: (each) => (
    <span class="dbar">
      <Bar share={longest === 0 ? 0 : (each.seconds ?? 0) / longest} tone={TONE_OF_MARK[markOf(each)]} />
      <span>{duration(each.seconds)}</span>
    </span>
  ),
  csv: ({ seconds }) => seconds,
});

const longestOf = (run: Run): number =>
  run.workstreams.reduce((most, { seconds }) => Math.max(most, seconds ?? 0), 0);

/** Of a run of any kind. */
export function plainColumns(run: Run): WorkstreamColumn[] {
  return [
    stateColumn,
    titleColumn('Workstream'),
    idCsv,
    {
      key: 'agent',
      title: 'Agent',
      canSort: true,
      from: 'medium',
      class: 'col-agent',
      cell: ({ agentId, tool }) =>
        tool === null ? <AgentName agentId={agentId} /> : <Words text={tool} length={60} />,
      csv: ({ agentId }) => agentId,
    },
    attemptsColumn,
    tookColumn(longestOf(run)),
    {
      key: 'reason',
      title: 'What came of it',
      canSort: true,
      class: 'out full',
      cell: (each) => <CameOfIt run={run} workstream={each} />,
      csv: ({ reason, explanation }) => (reason === null ? null : `${reason}: ${explanation ?? ''}`),
    },
  ];
}

/** Why it did not complete, or what it returned, on a line. */
function CameOfIt({ run, workstream }: { run: Run; workstream: PageWorkstream }) {
  const { status, explanation, reason, output, metrics, warnings, fromRun } = workstream;
  if (status === 'failed') {
    const telling = tellingOf(run, workstream);
    return (
      <span class={TONE_OF_MARK[markOf(workstream)]} title={shown(explanation ?? '')}>
        <Sentence text={telling ?? explanation ?? reason ?? ''} length={200} />
      </span>
    );
  }
  if (status === 'skipped')
    return (
      <span class="q2">
        <Sentence text={explanation ?? reason ?? ''} length={200} />
      </span>
    );
  const text = [
    ...(fromRun === null ? [] : [`taken over from ${fromRun}`]),
    ...metricTexts(metrics),
    ...(output === null ? [] : [outputText(output)]),
    ...warnings.slice(0, 1),
  ].join(' · ');
  return (
    <span class="q2">
      <Words text={text} length={200} />
    </span>
  );
}

/** The line that tells of its error: its own where the pattern is in what it printed or says, or else the template. */
function tellingOf(run: Run, { patternId, tail, explanation }: PageWorkstream): string | null {
  const pattern = patternId === null ? undefined : run.patterns.get(patternId);
  if (pattern === undefined || pattern.telling === '') return null;
  if (pattern.count === 1) return pattern.telling;
  const [literal = ''] = pattern.pattern.split('<*>').toSorted((a, b) => b.length - a.length);
  const isIn = (line: string): boolean => line.includes(literal);
  if (literal.trim().length < 4) return null;
  const own = tail?.split('\n').findLast(isIn) ?? explanation?.split('\n').find(isIn);
  return own ?? pattern.pattern.replaceAll('<*>', '…');
}

const metricTexts = (metrics: Record<string, number>): string[] =>
  Object.entries(metrics)
    .slice(0, 4)
    .map(([name, value]) => `${name} ${figure(value)}`);

/** An output in a few words: a scalar as it is, names and scalars of an object, the size of anything else. */
export function outputText(output: Json): string {
  if (typeof output === 'number') return figure(output);
  if (typeof output !== 'object' || output === null) return oneLine(String(output), 160);
  if (Array.isArray(output)) return plural(output.length, 'value');
  return Object.entries(output)
    .slice(0, 6)
    .map(([name, value]) => {
      if (typeof value === 'number') return `${name} ${figure(value)}`;
      if (typeof value === 'object' && value !== null) return `${name} …`;
      return `${name} ${oneLine(String(value), 60)}`;
    })
    .join(' · ');
}

/** Of a run whose workstreams are tasks for coding agents. */
export function taskColumns(run: Run): WorkstreamColumn[] {
  return [
    stateColumn,
    titleColumn('Task'),
    idCsv,
    {
      key: 'tool',
      title: 'Tool',
      canSort: true,
      class: 'full',
      cell: ({ tool, model, agentId }) => (
        <>
          {tool === null ? <AgentName agentId={agentId} /> : <Words text={tool} length={40} />}
          {model !== null && (
            <span class="sub2">
              <Words text={model} length={40} />
            </span>
          )}
        </>
      ),
      csv: ({ tool, model }) => (model === null ? tool : `${tool} (${model})`),
    },
    {
      key: 'reason',
      title: 'What was found, and what it says',
      class: 'full',
      cell: (each) => <Found run={run} workstream={each} />,
      csv: ({ reason }) => reason,
    },
    { key: 'tests', title: 'Tests', isNumber: true, canSort: true, cell: testsText, csv: testsText },
    attemptsColumn,
    {
      key: 'cost',
      title: 'Cost',
      isNumber: true,
      canSort: true,
      cell: ({ cost }) => (cost === null ? <span class="q">not said</span> : dollars(cost)),
      csv: ({ cost }) => cost,
    },
    tookColumn(longestOf(run)),
    {
      key: 'lines',
      title: 'Lines',
      isNumber: true,
      canSort: true,
      cell: ({ changes }) =>
        changes === null || changes.linesAdded === null ? (
          UNKNOWN
        ) : (
          <>
            <span class="plus">+{count(changes.linesAdded)}</span>{' '}
            <span class="minus">−{count(changes.linesRemoved ?? 0)}</span>
          </>
        ),
      csv: ({ changes }) =>
        changes === null ? null : (changes.linesAdded ?? 0) + (changes.linesRemoved ?? 0),
    },
    {
      key: 'branch',
      title: 'Branch',
      from: 'wide',
      class: 'branch',
      cell: ({ branch }) => (branch === null ? UNKNOWN : <Words text={branch} length={60} />),
      csv: ({ branch }) => branch,
    },
  ];
}

function testsText({ tests }: PageWorkstream): string {
  const sum = (status: 'passed' | 'failed'): number =>
    tests.reduce((total, test) => total + (test.counts?.[status] ?? (test.status === status ? 1 : 0)), 0);
  const [passed, failed] = [sum('passed'), sum('failed')];
  return passed + failed === 0
    ? 'none run'
    : failed === 0
      ? `${count(passed)} passed`
      : `${count(failed)} of ${count(passed + failed)} failed`;
}

/** What git and the tests show; under it, quoted, what the tool says of its own work. */
function Found({ run, workstream }: { run: Run; workstream: PageWorkstream }) {
  const { claim, status } = workstream;
  const mark = markOf(workstream);
  const contradicts = status === 'failed' || mark === 'conflict';
  return (
    <div class="claim">
      <span class={contradicts ? TONE_OF_MARK[mark] : ''}>
        <Sentence text={verdictOn(run, workstream)} length={160} />
      </span>
      {claim !== null && claim !== '' && (
        <q class={contradicts ? 'lie' : ''} title={shown(claim)}>
          <Words text={claim} length={220} />
        </q>
      )}
    </div>
  );
}

function verdictOn(run: Run, workstream: PageWorkstream): string {
  const { status, reason, explanation, changes, merge, filesTotal } = workstream;
  if (status !== 'completed') return tellingOf(run, workstream) ?? explanation ?? reason ?? '';
  const files = changes?.files ?? filesTotal;
  const merged = merge === null ? '' : merge === 'merged' ? 'merged' : merge.replaceAll('-', ' ');
  return [files === 0 ? 'no file changed' : `${plural(files, 'file')} changed`, merged]
    .filter((part) => part !== '')
    .join(', ');
}
