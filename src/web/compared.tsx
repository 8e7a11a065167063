/** How the run differs from the one before of the same workstreams. */
import type { Capped } from '../domain/capped.ts';
import type { Change, RunComparison } from '../domain/history/history.ts';
import { type Glyph, Icon } from './icons.tsx';
import { count, duration, figure, plural } from './model/format.ts';
import type { Run } from './model/run.ts';
import { SectionView, Time, Words, WorkstreamLink } from './parts.tsx';
import { Table } from './table.tsx';

const CHANGES = [
  ['new', 'Newly failed', 'star', 'fail'],
  ['regressed', 'Failed again', 'back', 'fail'],
  ['fixed', 'Fixed', 'tick', 'done'],
  ['recurring', 'Still failing', 'again', 'skip'],
  ['flaky', 'Flaky', 'wave', 'warn'],
] as const satisfies readonly (readonly [keyof RunComparison, string, Glyph, string])[];

const LISTS = [
  ['added', 'Added'],
  ['removed', 'Removed'],
  ['notRun', 'Not run'],
  ['changedDefinition', 'Changed definitions'],
] as const satisfies readonly (readonly [keyof RunComparison, string])[];

export function Compared({ run }: { run: Run }) {
  const { comparison } = run.head;
  if (comparison === null) return null;
  const { base, outside, wholeRun } = comparison;
  return (
    <SectionView
      id="compared"
      title="Compared"
      note={
        <>
          with <code>{base.runId}</code>, <Time iso={base.at} />
        </>
      }
    >
      <dl class="delta">
        {CHANGES.map(([key, title, glyph, tone]) => (
          <div key={key}>
            <dt class={comparison[key].total > 0 ? tone : ''}>
              <Icon glyph={glyph} />
              {title}
            </dt>
            <dd>
              {count(comparison[key].total)} <Names changes={comparison[key]} />
            </dd>
          </div>
        ))}
        {LISTS.filter(([key]) => comparison[key].total > 0).map(([key, title]) => (
          <div key={key}>
            <dt>{title}</dt>
            <dd>
              {count(comparison[key].total)}
              <small>
                <Some ids={comparison[key].shown} total={comparison[key].total} />
              </small>
            </dd>
          </div>
        ))}
      </dl>
      {wholeRun !== null && (
        <p class="say gap">
          The run as a whole takes {duration(wholeRun.afterSeconds)} since <code>{wholeRun.since.runId}</code>
          , and took {duration(wholeRun.beforeSeconds)} before (medians of {count(wholeRun.runs)} runs).
        </p>
      )}
      {outside.total > 0 && (
        <div class="card gap">
          <p class="caption">
            Outside the durations of their last 30 runs. One run says nothing about a trend.
          </p>
          <Table
            label="Durations outside their last 30 runs"
            columns={[
              {
                key: 'id',
                title: 'Workstream',
                class: 'full',
                cell: ({ workstreamId }) => <WorkstreamLink id={workstreamId} />,
              },
              { key: 'took', title: 'Took', isNumber: true, cell: ({ seconds }) => duration(seconds) },
              {
                key: 'median',
                title: 'Median',
                isNumber: true,
                cell: ({ medianSeconds }) => duration(medianSeconds),
              },
              {
                key: 'ratio',
                title: 'Ratio',
                isNumber: true,
                cell: ({ seconds, medianSeconds }) =>
                  medianSeconds > 0 ? `${figure(seconds / medianSeconds)} ×` : '',
              },
              { key: 'runs', title: 'Runs', isNumber: true, cell: ({ runs }) => count(runs) },
            ]}
            rows={outside.shown.slice(0, 50)}
            keyOf={({ workstreamId }) => workstreamId}
          />
        </div>
      )}
      <Shifts comparison={comparison} />
    </SectionView>
  );
}

function Shifts({ comparison: { shifts } }: { comparison: RunComparison }) {
  if (shifts.total === 0) return null;
  return (
    <div class="card gap">
      <p class="caption">
        {plural(shifts.total, 'workstream')} with another duration than before, by a test over many runs.
      </p>
      <Table
        label="Durations that changed"
        columns={[
          {
            key: 'id',
            title: 'Workstream',
            class: 'full',
            cell: ({ workstreamId }) =>
              workstreamId === null ? 'whole run' : <WorkstreamLink id={workstreamId} />,
          },
          {
            key: 'before',
            title: 'Before',
            isNumber: true,
            cell: ({ beforeSeconds }) => duration(beforeSeconds),
          },
          {
            key: 'after',
            title: 'After',
            isNumber: true,
            cell: ({ afterSeconds }) => duration(afterSeconds),
          },
          { key: 'ratio', title: 'Ratio', isNumber: true, cell: ({ ratio }) => `${figure(ratio)} ×` },
          { key: 'since', title: 'Since', from: 'medium', cell: ({ since }) => <code>{since.runId}</code> },
        ]}
        rows={shifts.shown.slice(0, 50)}
        keyOf={({ workstreamId }) => workstreamId ?? ''}
      />
    </div>
  );
}

function Names({ changes }: { changes: Capped<Change> }) {
  return (
    <small>
      <Some ids={changes.shown.map(({ workstreamId }) => workstreamId)} total={changes.total} />
    </small>
  );
}

const SOME = 3;

function Some({ ids, total }: { ids: readonly string[]; total: number }) {
  return (
    <>
      {ids.slice(0, SOME).map((id, index) => (
        <span key={id}>
          {index > 0 && ', '}
          <Words text={id} length={40} />
        </span>
      ))}
      {total > SOME && ` and ${count(total - SOME)} more`}
    </>
  );
}
