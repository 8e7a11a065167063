/** What lists over runs share: filters, order, and how a failure stands. */
import type { FailureHistory } from '../../domain/history/failure-documents.ts';
import type { PatternHistory } from '../../domain/history/history.ts';
import { count, localTime, percent, plural, UNKNOWN } from '../model/format.ts';
import { compareKeys, type SortKey } from '../model/rows.ts';
import { Words } from '../parts.tsx';
import { adjust, go, hrefInRun, hrefOf, place } from '../state.ts';
import { type PageColumn } from '../table.tsx';
import { StateBadge } from './charts.tsx';

export function FilterField({ label }: { label: string }) {
  return (
    <input
      class="in"
      type="search"
      aria-label={label}
      placeholder={label}
      value={place.value.query}
      onInput={({ currentTarget }) => adjust({ query: currentTarget.value })}
    />
  );
}

export function FilterChip({ state, there }: { state: string; there: number }) {
  const { states } = place.value;
  const isOn = states.includes(state);
  if (there === 0 && !isOn) return null;
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={isOn}
      onClick={() => go({ states: isOn ? states.filter((each) => each !== state) : [...states, state] })}
    >
      {state.slice(0, 1).toUpperCase() + state.slice(1)} {count(there)}
    </button>
  );
}

/** Rows in the order that is asked for; as they are where none is. */
export function sorted<Row>(
  rows: readonly Row[],
  sort: { column: string; descending: boolean } | null,
  keys: Record<string, (row: Row) => SortKey>,
): readonly Row[] {
  const key = sort === null ? undefined : keys[sort.column];
  if (sort === null || key === undefined) return rows;
  return rows.toSorted((a, b) => compareKeys(key(a), key(b), sort.descending ? -1 : 1));
}

/** "15 % (8 to 26)", with its 95 % interval. */
export const rateText = ({ rate }: PatternHistory): string =>
  rate === null ? UNKNOWN : `${percent(rate.value)} (${percent(rate.low)} to ${percent(rate.high)})`;

export function SeenIn({ run }: { run: { runId: string; at: string } | null }) {
  return run === null ? (
    <>{UNKNOWN}</>
  ) : (
    <a href={hrefInRun(run.runId)} title={run.runId}>
      {localTime(run.at).slice(0, 16)}
    </a>
  );
}

/** What is known of one error in one workstream; the one that the page is of is left out. */
export const failureColumns = (of: 'pattern' | 'workstream'): PageColumn<FailureHistory>[] => [
  {
    key: 'state',
    title: 'State',
    class: 'col-verdict',
    cell: ({ history }) => <StateBadge state={history.state} />,
  },
  {
    key: 'of',
    title: of === 'pattern' ? 'Error' : 'Workstream',
    class: 'full col-title',
    cell: ({ patternId, workstreamId }) => (
      <a
        class="id title"
        href={hrefOf(
          of === 'pattern'
            ? { kind: 'history', of: 'patterns', id: patternId }
            : { kind: 'history', of: 'workstreams', id: workstreamId },
        )}
      >
        <Words text={of === 'pattern' ? patternId : workstreamId} length={120} />
      </a>
    ),
  },
  {
    key: 'runs',
    title: 'In runs',
    isNumber: true,
    class: 'm-end',
    cell: ({ failedRuns }) => count(failedRuns),
  },
  { key: 'healed', title: 'Passed on a retry', isNumber: true, cell: ({ healedRuns }) => count(healedRuns) },
  { key: 'rate', title: 'Fails so', isNumber: true, cell: ({ history }) => rateText(history) },
  {
    key: 'first',
    title: 'First seen',
    from: 'medium',
    class: 'nw',
    cell: ({ history }) => <SeenIn run={history.firstSeen} />,
  },
  {
    key: 'last',
    title: 'Last seen',
    from: 'medium',
    class: 'nw',
    cell: ({ history }) => <SeenIn run={history.lastSeen} />,
  },
];

/** "the last run", "the last 12 runs" */
export const lastRuns = (runs: number): string => `the last ${runs === 1 ? 'run' : plural(runs, 'run')}`;
