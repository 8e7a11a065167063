/** The page of one workstream in one run. */
import type { ComponentChildren } from 'preact';
import type { PageWorkstream } from '../domain/page-document.ts';
import { Attempts } from './done.tsx';
import { outputText } from './done-columns.tsx';
import { Icon, MARK_GLYPHS } from './icons.tsx';
import { runCommand } from './model/commands.ts';
import {
  agentText,
  count,
  dollars,
  duration,
  figure,
  megabytes,
  oneLine,
  percent,
  plural,
  shown,
  UNKNOWN,
} from './model/format.ts';
import { type Need } from './model/needs.ts';
import { computedShare, type EndMark, markOf, type Run } from './model/run.ts';
import { Title } from './needs-list.tsx';
import {
  Block,
  CopyButton,
  Lines,
  LogLink,
  MarkView,
  Missing,
  Prose,
  RunAgain,
  Time,
  TONE_OF_MARK,
  Words,
} from './parts.tsx';
import { hrefOf, place } from './state.ts';
import { Table } from './table.tsx';
import {
  ChangesBlock,
  hasOutput,
  MadeBlock,
  Neighbours,
  OutputView,
  ReviewBlock,
  SeriesBlock,
  TestsBlock,
} from './workstream-blocks.tsx';

const TONE: Record<EndMark, string> = {
  completed: 'completed',
  retried: 'completed',
  failed: 'failed',
  odd: 'odd',
  conflict: 'odd',
  wait: 'warn',
  skipped: 'skipped',
};

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
                  <b>{need.pattern === null ? 'Look at what is not merged:' : 'Look at the error:'}</b>{' '}
                  {need.pattern === null ? (
                    <Title parts={need.title} />
                  ) : (
                    <a href={hrefOf({ kind: 'pattern', id: need.pattern.id })}>
                      <Title parts={need.title} />
                    </a>
                  )}
                </p>
                {need.pattern !== null && need.total > 1 && (
                  <p class="why">{plural(need.total - 1, 'other workstream')} failed so too.</p>
                )}
              </li>
            )}
            <RunAgain command={command} />
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
      {workstream.reviews.map((review) => (
        <ReviewBlock key={review.attempt} review={review} />
      ))}
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
      ? [['Agent', agentText(agentId, 60)] as [string, string]]
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
