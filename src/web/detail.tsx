/** The page of one workstream, and of one error. */

import type { ComponentChildren } from 'preact';
import type { Json } from '../domain/json.ts';
import type { PageTest, PageWorkstream } from '../domain/page-document.ts';
import { Attempts, outputText } from './done.tsx';
import { Icon, MARK_GLYPHS } from './icons.tsx';
import { runCommand } from './model/commands.ts';
import {
  bytes,
  count,
  dollars,
  duration,
  figure,
  listed,
  megabytes,
  oneLine,
  percent,
  plural,
  shown,
  UNKNOWN,
} from './model/format.ts';
import { associationSentence, type Need } from './model/needs.ts';
import type { PageView } from './model/place.ts';
import { computedShare, type EndMark, markOf, type Run } from './model/run.ts';
import { Title } from './needs-list.tsx';
import {
  BadgeView,
  Bar,
  Block,
  Command,
  CopyButton,
  Lines,
  LogLink,
  MarkView,
  Pairs,
  Prose,
  Sparkline,
  Time,
  TONE_OF_MARK,
  Words,
  WorkstreamLink,
} from './parts.tsx';
import { hrefOf, place } from './state.ts';
import { Table } from './table.tsx';

const TONE: Record<EndMark, string> = {
  completed: 'completed',
  retried: 'completed',
  failed: 'failed',
  odd: 'odd',
  conflict: 'odd',
  wait: 'warn',
  skipped: 'skipped',
};

/** Nothing of this name is on the page. */
function Missing({ what, id }: { what: string; id: string }) {
  return (
    <div class="card empty">
      <h1>
        No {what} <code>{oneLine(id, 100)}</code> on this page.
      </h1>
      <a class="b" href={hrefOf({ kind: 'run', section: 'verdict' })}>
        To the run
      </a>
    </div>
  );
}

export function WorkstreamPage({ run, id, needs }: { run: Run; id: string; needs: readonly Need[] }) {
  const workstream = run.byId.get(id);
  if (workstream === undefined) return <Missing what="workstream" id={id} />;
  const mark = markOf(workstream);
  const { title, explanation, status, tail, stack, log, logPath, output, metrics } = workstream;
  const need = needs.find(({ affected }) => affected.some((each) => each.id === id)) ?? null;
  const command = runCommand([id]);
  return (
    <>
      <section class="first" aria-labelledby="verdict-title" id="verdict">
        <div class={`card verdict is-${TONE[mark]}`}>
          <div class="line">
            <span class={TONE_OF_MARK[mark]}>
              <Icon glyph={MARK_GLYPHS[mark]} />
            </span>
            <h1 id="verdict-title">
              <bdi>{shown(title)}</bdi> {endingOf(workstream)}
            </h1>
          </div>
          {explanation !== null && (
            <p class="more">
              <Prose text={explanation} />
            </p>
          )}
          <Facts run={run} workstream={workstream} />
          {place.value.run !== null && (
            <p class="gap">
              <a href={hrefOf({ kind: 'history', of: 'workstreams', id })}>Over all runs</a>
            </p>
          )}
        </div>
        <aside class="card now" aria-labelledby="now-title">
          <h2 id="now-title">{status === 'completed' ? 'Again' : 'What to do now'}</h2>
          <ol>
            {need !== null && (
              <li>
                <p>
                  <b>Look at the error:</b>{' '}
                  {need.pattern === null ? (
                    <Title parts={need.title} />
                  ) : (
                    <a href={hrefOf({ kind: 'pattern', id: need.pattern.id })}>
                      <Title parts={need.title} />
                    </a>
                  )}
                </p>
                {need.total > 1 && (
                  <p class="why">{plural(need.total - 1, 'other workstream')} failed so too.</p>
                )}
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
      {need !== null && status === 'failed' && (
        <Block
          title="What was printed"
          actions={
            <CopyButton glyph="prompt" text={need.prompt}>
              Copy as prompt
            </CopyButton>
          }
        >
          <div class="card is-fail">
            <Lines lines={linesOf(workstream, need)} />
            {stack !== null && (
              <details class="pad">
                <summary>Stack</summary>
                <pre tabIndex={0}>{shown(stack)}</pre>
              </details>
            )}
          </div>
          {logPath !== null && (
            <p class="q2 gap">
              The whole output:{' '}
              {log === null ? (
                <code>{logPath}</code>
              ) : (
                <LogLink id={id} log={log}>
                  <code>{logPath}</code>
                </LogLink>
              )}
            </p>
          )}
        </Block>
      )}
      {need === null && tail !== null && tail !== '' && (
        <Block title="What was printed">
          <div class="card">
            <Lines
              lines={shown(tail)
                .trimEnd()
                .split('\n')
                .map((text) => ({ text, hit: false }))}
            />
          </div>
        </Block>
      )}
      {workstream.attemptCount > 1 && (
        <Block title="Attempts" note={`${workstream.attemptCount}, side by side`}>
          <Attempts workstream={workstream} />
        </Block>
      )}
      {hasOutput(output, metrics) && (
        <Block
          title="Output"
          actions={
            <CopyButton glyph="copy" text={() => JSON.stringify(output, null, 2)}>
              Copy JSON
            </CopyButton>
          }
        >
          <div class="card pad">
            <OutputView output={output} metrics={metrics} />
          </div>
        </Block>
      )}
      <SeriesBlock series={workstream.series} />
      <MadeBlock made={workstream.made} />
      <TestsBlock tests={workstream.tests} total={workstream.testsTotal} />
      {workstream.steps.length > 1 && (
        <Block title="Steps">
          <div class="card">
            <Table
              label="Table of steps"
              columns={[
                {
                  key: 'state',
                  title: 'State',
                  cell: ({ status: how }) => <MarkView mark={how === 'completed' ? 'completed' : 'failed'} />,
                },
                {
                  key: 'id',
                  title: 'Step',
                  class: 'full',
                  cell: ({ id: step }) => (
                    <span class="id">
                      <Words text={step} length={80} />
                    </span>
                  ),
                },
                { key: 'kind', title: 'Kind', cell: ({ kind }) => <Words text={kind} length={40} /> },
                {
                  key: 'exit',
                  title: 'Exit code',
                  isNumber: true,
                  cell: ({ exitCode }) => exitCode ?? UNKNOWN,
                },
                {
                  key: 'took',
                  title: 'Took',
                  isNumber: true,
                  class: 'm-end',
                  cell: ({ seconds }) => duration(seconds),
                },
              ]}
              rows={workstream.steps}
              keyOf={({ id: step }) => step}
            />
          </div>
        </Block>
      )}
      <ChangesBlock workstream={workstream} />
      <Neighbours run={run} workstream={workstream} />
      {workstream.warnings.length > 0 && (
        <Block title="Warnings" note={count(workstream.warningsTotal)}>
          <ul class="card pad advice">
            {workstream.warnings.map((text, index) => (
              <li key={index}>
                <Words text={text} length={600} />
              </li>
            ))}
          </ul>
        </Block>
      )}
    </>
  );
}

function endingOf(workstream: PageWorkstream): string {
  const mark = markOf(workstream);
  if (mark === 'completed') return 'completed.';
  if (mark === 'retried') return `completed on attempt ${workstream.attemptCount}.`;
  if (mark === 'skipped') return 'was skipped.';
  if (mark === 'odd') return 'says it is done, and is not.';
  if (mark === 'conflict') return 'could not be merged.';
  return mark === 'wait' ? 'is out of quota.' : 'failed.';
}

/** The lines of its own output; those of the need where it is the example. */
function linesOf({ tail }: PageWorkstream, need: Need): { text: string; hit: boolean }[] {
  if (tail === null || tail === '') return [...need.lines];
  const told = new Set(need.lines.filter(({ hit }) => hit).map(({ text }) => text));
  return shown(tail)
    .trimEnd()
    .split('\n')
    .map((text) => ({ text, hit: told.has(text) }));
}

function Facts({ run, workstream }: { run: Run; workstream: PageWorkstream }) {
  const { id, kind, file, agentId, tool, model, start, seconds, cpuWaitSeconds, cost, matrix, claim } =
    workstream;
  const computed = computedShare(workstream);
  const rows: [string, ComponentChildren][] = [
    ['Id', <code>{oneLine(id, 200)}</code>],
    ...(seconds === null ? [] : [['Took', duration(seconds)] as [string, string]]),
    ...(tool === null
      ? [['Agent', oneLine(agentId, 60)] as [string, string]]
      : [['Tool', oneLine(model === null ? tool : `${tool}, ${model}`, 80)] as [string, string]]),
    ...(start === null ? [] : [['Began', <Time iso={start} />] as [string, ComponentChildren]]),
    ...(computed === null ? [] : [['Computed', percent(computed)] as [string, string]]),
    ...(cpuWaitSeconds !== null && cpuWaitSeconds > 0.05
      ? [['Waited for a processor', duration(cpuWaitSeconds)] as [string, string]]
      : []),
    ...usageFacts(workstream),
    ...(workstream.fromRun === null
      ? []
      : [['Taken over from', <code>{oneLine(workstream.fromRun, 80)}</code>] as [string, ComponentChildren]]),
    ...(cost === null ? [] : [['Cost', dollars(cost)] as [string, string]]),
    ...(kind === null ? [] : [['Kind', oneLine(kind, 60)] as [string, string]]),
    ['File', <code>{oneLine(file, 200)}</code>],
    ...(run.critical.includes(id) ? [['Critical path', 'yes'] as [string, string]] : []),
    ...Object.entries(matrix ?? {}).map(([name, value]): [string, ComponentChildren] => [
      oneLine(name, 60),
      <code>{outputText(value)}</code>,
    ]),
  ];
  return (
    <>
      {claim !== null && claim !== '' && (
        <p class="claim more">
          It says:{' '}
          <q class={workstream.status === 'completed' ? '' : 'lie'}>
            <Words text={claim} length={600} />
          </q>
        </p>
      )}
      <dl class="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name} </dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** What it reserved, and what it used of it. */
function usageFacts({ usage, seconds }: PageWorkstream): [string, ComponentChildren][] {
  if (usage === null) return [];
  const { cpus, memoryMb, cpuSeconds, peakMemoryMb } = usage;
  const used = cpuSeconds === null || seconds === null || seconds <= 0 ? null : cpuSeconds / seconds;
  return [
    ...(cpus === null
      ? []
      : [
          ['Processors', `${figure(cpus)} reserved${used === null ? '' : `, ${figure(used)} used`}`] as [
            string,
            string,
          ],
        ]),
    ...(memoryMb === null
      ? []
      : [
          [
            'Memory',
            `${megabytes(memoryMb)} reserved${peakMemoryMb === null ? '' : `, ${megabytes(peakMemoryMb)} at most`}`,
          ] as [string, string],
        ]),
  ];
}

const hasOutput = (output: Json, metrics: Record<string, number>): boolean =>
  output !== null || Object.keys(metrics).length > 0;

/** Scalars as names and values, the rest as JSON. */
function OutputView({ output, metrics }: { output: Json; metrics: Record<string, number> }) {
  const numbers = Object.entries(metrics).map(([name, value]): [string, ComponentChildren] => [
    oneLine(name, 80),
    figure(value),
  ]);
  const fields =
    typeof output === 'object' && output !== null && !Array.isArray(output) ? Object.entries(output) : [];
  const isScalar = (value: Json): boolean =>
    typeof value !== 'object' &&
    (typeof value !== 'string' || (value.length < 200 && !value.trimEnd().includes('\n')));
  const scalars = fields.filter(([, value]) => isScalar(value));
  const texts = fields.filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && !isScalar(entry[1]),
  );
  const rest = fields.filter(([, value]) => !isScalar(value) && typeof value !== 'string');
  const pairs = [
    ...numbers,
    ...scalars.map(([name, value]): [string, ComponentChildren] => [oneLine(name, 80), outputText(value)]),
  ];
  const json = fields.length > 0 ? (rest.length > 0 ? Object.fromEntries(rest) : null) : output;
  return (
    <div class="stacked">
      {pairs.length > 0 && <Pairs pairs={pairs} />}
      {texts.map(([name, text]) => (
        <div key={name}>
          <h3>{oneLine(name, 80)}</h3>
          <pre tabIndex={0}>{shown(text)}</pre>
        </div>
      ))}
      {json !== null && (
        <pre tabIndex={0}>
          {typeof json === 'string' ? shown(json) : shown(JSON.stringify(json, null, 2))}
        </pre>
      )}
    </div>
  );
}

/** What was reported of metrics while it ran. */
function SeriesBlock({ series }: { series: PageWorkstream['series'] }) {
  const found = Object.entries(series).filter(([, { points }]) => points.length > 0);
  if (found.length === 0) return null;
  return (
    <Block title="Metrics over time" note="from the first report to the last">
      <div class="card">
        <Table
          label="Table of metrics over time"
          columns={[
            { key: 'name', title: 'Metric', cell: ([name]) => <Words text={name} length={80} /> },
            { key: 'line', title: 'Course', cell: ([, { points }]) => <Sparkline points={points} /> },
            {
              key: 'first',
              title: 'First',
              isNumber: true,
              cell: ([, { points }]) => valueText(points.at(0)),
            },
            {
              key: 'last',
              title: 'Last',
              isNumber: true,
              cell: ([, { points }]) => valueText(points.at(-1)),
            },
            {
              key: 'least',
              title: 'Least',
              isNumber: true,
              cell: ([, { points }]) => figure(points.reduce((least, [, y]) => Math.min(least, y), Infinity)),
            },
            {
              key: 'most',
              title: 'Greatest',
              isNumber: true,
              cell: ([, { points }]) => figure(points.reduce((most, [, y]) => Math.max(most, y), -Infinity)),
            },
            { key: 'total', title: 'Reports', isNumber: true, cell: ([, { total }]) => count(total) },
          ]}
          rows={found}
          keyOf={([name]) => name}
        />
      </div>
    </Block>
  );
}

const valueText = (point: readonly [step: number, value: number] | undefined): string =>
  point === undefined ? UNKNOWN : figure(point[1]);

/** The files that it made. */
function MadeBlock({ made }: { made: PageWorkstream['made'] }) {
  if (made.length === 0) return null;
  return (
    <Block title="Files it made" note={count(made.length)}>
      <div class="card">
        <Table
          label="Table of files it made"
          columns={[
            {
              key: 'path',
              title: 'Path',
              class: 'full',
              cell: ({ path }) => (
                <code>
                  <Words text={path} length={200} />
                </code>
              ),
              csv: ({ path }) => path,
            },
            {
              key: 'bytes',
              title: 'Size',
              isNumber: true,
              cell: (file) => (file.bytes === null ? UNKNOWN : bytes(file.bytes)),
            },
            {
              key: 'sha256',
              title: 'SHA-256',
              cell: ({ sha256, problem }) =>
                sha256 === null ? (
                  <Words text={problem ?? UNKNOWN} length={120} />
                ) : (
                  <code title={sha256}>{sha256.slice(0, 16)}…</code>
                ),
            },
          ]}
          rows={made}
          keyOf={({ path }) => path}
        />
      </div>
    </Block>
  );
}

function TestsBlock({ tests, total }: { tests: readonly PageTest[]; total: number }) {
  if (tests.length === 0) return null;
  return (
    <Block
      title="Acceptance tests"
      note={total > tests.length ? `the first ${tests.length} of ${count(total)}` : ''}
    >
      <div class="card">
        <Table
          label="Table of acceptance tests"
          columns={[
            {
              key: 'state',
              title: 'State',
              cell: ({ status }) =>
                status === 'manual' ? (
                  <span class="st q2">for a person</span>
                ) : (
                  <span class={`st ${status === 'passed' ? 'done' : 'fail'}`}>
                    <Icon glyph={status === 'passed' ? 'tick' : 'cross'} />
                    <span>{status}</span>
                  </span>
                ),
            },
            {
              key: 'name',
              title: 'Test',
              class: 'full',
              cell: ({ name }) => <Words text={name} length={200} />,
            },
            {
              key: 'counts',
              title: 'In it',
              isNumber: true,
              cell: ({ counts }) =>
                counts === null
                  ? UNKNOWN
                  : listed([
                      ...(counts.passed > 0 ? [`${count(counts.passed)} passed`] : []),
                      ...(counts.failed > 0 ? [`${count(counts.failed)} failed`] : []),
                    ]),
            },
            {
              key: 'took',
              title: 'Took',
              isNumber: true,
              class: 'm-end',
              cell: ({ seconds }) => duration(seconds),
            },
            {
              key: 'detail',
              title: 'What it says',
              class: 'full',
              cell: ({ detail }) => <Words text={detail} length={300} />,
            },
          ]}
          rows={tests}
          keyOf={({ name }) => name}
        />
      </div>
    </Block>
  );
}

function ChangesBlock({ workstream }: { workstream: PageWorkstream }) {
  const { changes, files, filesTotal, commits, commitsTotal, branch, merge } = workstream;
  if (filesTotal + commitsTotal === 0 && branch === null) return null;
  return (
    <Block
      title="Changes"
      note={
        changes === null
          ? ''
          : `${plural(changes.files, 'file')}${changes.linesAdded === null ? '' : `, +${count(changes.linesAdded)} −${count(changes.linesRemoved ?? 0)}`}`
      }
    >
      <div class="card pad">
        <Pairs
          pairs={[
            ...(branch === null ? [] : [['Branch', <code>{oneLine(branch, 200)}</code>] as const]),
            ...(merge === null ? [] : [['Merged', merge.replaceAll('-', ' ')] as const]),
            ...(commits.length === 0
              ? []
              : [
                  [
                    'Commits',
                    <code>{commits.map((commit) => commit.slice(0, 10)).join(', ')}</code>,
                  ] as const,
                ]),
          ]}
        />
        {files.length > 0 && (
          <ul class="paths">
            {files.map((path) => (
              <li key={path}>
                <code>
                  <Words text={path} length={300} />
                </code>
              </li>
            ))}
            {filesTotal > files.length && <li class="q2">and {count(filesTotal - files.length)} more</li>}
          </ul>
        )}
      </div>
    </Block>
  );
}

function Neighbours({ run, workstream: { id, dependsOn } }: { run: Run; workstream: PageWorkstream }) {
  const neededBy = run.dependents.get(id) ?? [];
  if (dependsOn.length + neededBy.length === 0) return null;
  const list = (ids: readonly string[]) => (
    <ul class="neighbours">
      {ids.slice(0, 30).map((each) => {
        const other = run.byId.get(each);
        return (
          <li key={each}>
            {other !== undefined && <MarkView mark={markOf(other)} />} <WorkstreamLink id={each} />
          </li>
        );
      })}
      {ids.length > 30 && <li class="q2">and {count(ids.length - 30)} more</li>}
    </ul>
  );
  return (
    <Block title="Dependencies">
      <div class="card pad two-columns">
        {dependsOn.length > 0 && (
          <div>
            <h3>It needs</h3>
            {list(dependsOn)}
          </div>
        )}
        {neededBy.length > 0 && (
          <div>
            <h3>Needs it</h3>
            {list(neededBy)}
          </div>
        )}
      </div>
    </Block>
  );
}

export function PatternPage({ run, id, needs }: { run: Run; id: string; needs: readonly Need[] }) {
  const pattern = run.patterns.get(id);
  const need = needs.find(({ key }) => key === id);
  if (pattern === undefined || need === undefined) return <Missing what="error" id={id} />;
  const { history, values, places, goesWith, example } = pattern;
  return (
    <>
      <section class="first" id="verdict" aria-labelledby="verdict-title">
        <div class="card verdict is-failed">
          <div class="line">
            <h1 id="verdict-title">
              <Title parts={need.title} />
            </h1>
          </div>
          <p class="more">
            <BadgeView badge={need.badge} /> {plural(need.total, 'failure')} in this run.{' '}
            {need.history.join(' ')}
            {place.value.run !== null && (
              <>
                {' '}
                <a href={hrefOf({ kind: 'history', of: 'patterns', id })}>Over all runs</a>
              </>
            )}
          </p>
          <dl class="facts">
            <div>
              <dt>Reason </dt>
              <dd>
                <code>{pattern.type}</code>
              </dd>
            </div>
            <div>
              <dt>Pattern </dt>
              <dd>
                <code>{pattern.id}</code>
              </dd>
            </div>
            {history?.firstSeen != null && (
              <div>
                <dt>First seen </dt>
                <dd>
                  <Time iso={history.firstSeen.at} />
                </dd>
              </div>
            )}
            {history?.lastPassed != null && (
              <div>
                <dt>Last passed </dt>
                <dd>
                  <Time iso={history.lastPassed.at} />
                </dd>
              </div>
            )}
          </dl>
        </div>
        <aside class="card now" aria-labelledby="now-title">
          <h2 id="now-title">What to do now</h2>
          <ol>
            <li>
              <p>
                <b>Find its cause.</b>
              </p>
              <div class="gap-s">
                <CopyButton glyph="prompt" text={need.prompt} shortcut="p">
                  Copy as prompt
                </CopyButton>
              </div>
            </li>
            <li>
              <p>
                <b>Then run again</b> what failed so.
              </p>
              <Command command={need.command} />
            </li>
          </ol>
        </aside>
      </section>
      <Block title="What was printed" note={`in ${oneLine(example.workstreamId, 80)}`}>
        <div class="card is-fail">
          <Lines lines={need.lines} />
        </div>
      </Block>
      <Block title="Where" note={plural(need.total, 'workstream')}>
        <div class="card">
          <Table
            label="Workstreams with this error"
            columns={[
              {
                key: 'state',
                title: 'State',
                cell: ({ workstream }) =>
                  workstream === null ? UNKNOWN : <MarkView mark={markOf(workstream)} />,
              },
              {
                key: 'id',
                title: 'Workstream',
                class: 'full',
                cell: ({ id: each }) => <WorkstreamLink id={each} />,
              },
              {
                key: 'value',
                title: 'Value',
                class: 'full',
                cell: ({ values: found }) => (
                  <code>
                    <Words text={found.join(', ')} length={120} />
                  </code>
                ),
              },
              { key: 'agent', title: 'Agent', cell: ({ workstream }) => workstream?.agentId ?? UNKNOWN },
              {
                key: 'took',
                title: 'Took',
                isNumber: true,
                class: 'm-end',
                cell: ({ workstream }) => duration(workstream?.seconds ?? null),
              },
              {
                key: 'log',
                title: 'Log',
                cell: ({ workstream }) =>
                  workstream?.log == null ? (
                    UNKNOWN
                  ) : (
                    <LogLink id={workstream.id} log={workstream.log}>
                      log
                    </LogLink>
                  ),
              },
            ]}
            rows={need.affected}
            keyOf={({ id: each }) => each}
          />
        </div>
      </Block>
      {need.heldBack.length > 0 && (
        <Block title="Skipped because of it" note={count(need.heldBack.length)}>
          <ul class="card pad neighbours">
            {need.heldBack.slice(0, 50).map((each) => (
              <li key={each}>
                <WorkstreamLink id={each} />
              </li>
            ))}
          </ul>
        </Block>
      )}
      {values.length > 0 && (
        <Block title="Values" note="what stood in the holes, the most frequent first">
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
                { key: 'hole', title: 'Hole', isNumber: true, cell: ({ hole }) => hole + 1 },
                {
                  key: 'count',
                  title: 'Times',
                  isNumber: true,
                  class: 'm-end col-took',
                  cell: ({ count: times }) => (
                    <span class="dbar">
                      <Bar share={times / Math.max(1, pattern.count)} tone="fail" />
                      <span>{count(times)}</span>
                    </span>
                  ),
                },
              ]}
              rows={values.flatMap(({ hole, shown: found }) => found.map((value) => ({ hole, ...value })))}
              keyOf={({ hole, text }) => `${hole} ${text}`}
            />
          </div>
        </Block>
      )}
      {places.length > 0 && (
        <Block title="Places" note="the topmost frame of its own code">
          <ul class="card pad paths">
            {places.map(({ place, count: times }) => (
              <li key={place}>
                <code>
                  <Words text={place} length={200} />
                </code>{' '}
                <span class="q">{plural(times, 'time')}</span>
              </li>
            ))}
          </ul>
        </Block>
      )}
      {goesWith.length > 0 && (
        <Block title="Goes with" note="by Fisher’s test, corrected for what was looked at">
          <ul class="card pad advice">
            {goesWith.map((each) => (
              <li key={`${each.factor} ${each.value}`}>
                {associationSentence(each)} <span class="q">p = {figure(each.p)}</span>
              </li>
            ))}
          </ul>
        </Block>
      )}
    </>
  );
}

/** What the page of a workstream or of an error is called. */
export function titleOfView(run: Run, view: PageView): string {
  if (view.kind === 'run' || view.kind === 'overview') return run.head.run.runId;
  if (view.kind === 'pattern') return run.patterns.get(view.id)?.telling ?? view.id;
  return run.byId.get(view.id)?.title ?? view.id;
}
