/** Parts of the page of a workstream: what it returned, made, tested and changed, and what it depends on. */
import type { ComponentChildren } from 'preact';
import type { Json } from '../domain/json.ts';
import type { PageReview, PageTest, PageWorkstream } from '../domain/page-document.ts';
import { outputText } from './done-columns.tsx';
import { Icon } from './icons.tsx';
import { bytes, count, duration, figure, listed, oneLine, plural, shown, UNKNOWN } from './model/format.ts';
import { markOf, type Run } from './model/run.ts';
import { Block, MarkView, Pairs, Sparkline, Words, WorkstreamLink } from './parts.tsx';
import { Table } from './table.tsx';

/** Whether it returned, or reported, anything. */
export const hasOutput = (output: Json, metrics: Record<string, number>): boolean =>
  output !== null || Object.keys(metrics).length > 0;

/** Scalars as names and values, the rest as JSON. */
export function OutputView({ output, metrics }: { output: Json; metrics: Record<string, number> }) {
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
export function SeriesBlock({ series }: { series: PageWorkstream['series'] }) {
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
export function MadeBlock({ made }: { made: PageWorkstream['made'] }) {
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

export function TestsBlock({ tests, total }: { tests: readonly PageTest[]; total: number }) {
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

const VERDICTS = { accepted: 'done', rejected: 'fail', none: 'q2' };

/** What a reviewer said of one attempt. */
export function ReviewBlock({ review }: { review: PageReview }) {
  const { attempt, tool, model, verdict, noVerdict, blocks, findings, found, text } = review;
  const said = verdict === 'none' ? 'no verdict' : verdict;
  const rest = found > findings.length ? `the first ${findings.length} of ${count(found)} findings` : '';
  return (
    <Block title={`Review of attempt ${attempt}`} note={rest}>
      <div class="card pad">
        <Pairs
          pairs={[
            ['Reviewer', oneLine(model === null ? tool : `${tool} (${model})`, 200)],
            ['Verdict', <span class={`st ${VERDICTS[verdict]}`}>{blocks ? `${said}, blocks` : said}</span>],
          ]}
        />
        {noVerdict !== null && <Words text={noVerdict} length={500} />}
        {findings.length > 0 ? (
          <ul class="paths">
            {findings.map(({ severity, file, line, text: what }) => (
              <li key={`${severity} ${file ?? ''} ${what}`}>
                {severity}{' '}
                {file !== null && <code>{oneLine(line === null ? file : `${file}:${line}`, 200)}</code>}{' '}
                <Words text={what} length={1000} />
              </li>
            ))}
          </ul>
        ) : (
          text !== null && <Words text={text} length={2000} />
        )}
      </div>
    </Block>
  );
}

export function ChangesBlock({ workstream }: { workstream: PageWorkstream }) {
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

export function Neighbours({ run, workstream: { id, dependsOn } }: { run: Run; workstream: PageWorkstream }) {
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
