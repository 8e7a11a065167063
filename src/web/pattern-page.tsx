/** The page of one error in one run. */

import type { PageDocument } from '../domain/page-document.ts';
import { count, duration, figure, oneLine, plural, UNKNOWN } from './model/format.ts';
import { associationSentence, type Need } from './model/needs.ts';
import { markOf } from './model/run.ts';
import { Title } from './needs-list.tsx';
import {
  AgentName,
  BadgeView,
  Bar,
  Block,
  Command,
  CopyButton,
  Lines,
  LogLink,
  MarkView,
  Missing,
  Time,
  Words,
  WorkstreamLink,
} from './parts.tsx';
import { hrefOf, place } from './state.ts';
import { Table } from './table.tsx';

export function PatternPage({ id, needs }: { id: string; needs: readonly Need[] }) {
  const need = needs.find(({ pattern: each }) => each?.id === id);
  const pattern = need?.pattern ?? null;
  if (need === undefined || pattern === null) return <Missing what="error" id={id} />;
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
              {need.command !== null && <Command command={need.command} />}
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
              {
                key: 'agent',
                title: 'Agent',
                cell: ({ workstream }) =>
                  workstream === null ? UNKNOWN : <AgentName agentId={workstream.agentId} />,
              },
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
      <PatternValues
        values={values}
        note="what stood in the holes, the most frequent first"
        most={pattern.count}
      />
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

interface PatternValuesProps {
  values: PageDocument['head']['errors'][number]['values'];
  /** Of which failures they are. */
  note: string;
  /** How often the most frequent could be there. */
  most: number;
}

/** What stood in the holes of an error. */
export function PatternValues({ values, note, most }: PatternValuesProps) {
  if (values.length === 0) return null;
  return (
    <Block title="Values" note={note}>
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
            { key: 'hole', title: 'Hole', isNumber: true, cell: ({ hole }) => count(hole + 1) },
            {
              key: 'count',
              title: 'Times',
              isNumber: true,
              class: 'm-end col-took',
              cell: ({ count: times }) => (
                <span class="dbar">
                  <Bar share={times / Math.max(1, most)} tone="fail" />
                  <span>{count(times)}</span>
                </span>
              ),
            },
          ]}
          rows={values.flatMap(({ hole, shown }) => shown.map((value) => ({ hole, ...value })))}
          keyOf={({ hole, text }) => `${hole} ${text}`}
        />
      </div>
    </Block>
  );
}
