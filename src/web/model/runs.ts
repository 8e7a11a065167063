/** What is said of runs in a list of them. */
import type { ListedRun } from '../../domain/dashboard/answers.ts';
import { count, limitWords, listed, oneLine, plural } from './format.ts';
import type { Sort } from './place.ts';
import { compareKeys, queryWords, type SortKey } from './rows.ts';

/** How a run stands, as the list can be filtered. */
export const RUN_STATES = ['running', 'failed', 'waiting', 'interrupted', 'skipped', 'completed'] as const;
export type ListedState = (typeof RUN_STATES)[number];

export function listedState({ state, totals, waitsForLimit }: ListedRun): ListedState {
  if (state === 'running') return 'running';
  if (state === 'interrupted') return waitsForLimit === null ? 'interrupted' : 'waiting';
  if (totals.failed > 0) return 'failed';
  return totals.completed === totals.workstreams ? 'completed' : 'skipped';
}

/** "6 failed", "all completed", "12 of 24". */
export function runWords(run: ListedRun): string {
  const { workstreams, completed, failed, skipped } = run.totals;
  switch (listedState(run)) {
    case 'running':
      return `${count(completed + failed + skipped)} of ${count(workstreams)}`;
    case 'waiting':
      return `waits for ${oneLine(run.waitsForLimit?.tool ?? '', 40)}${failed > 0 ? `, ${count(failed)} failed` : ''}`;
    case 'interrupted':
      return `interrupted${failed > 0 ? `, ${count(failed)} failed` : ''}`;
    case 'failed':
      return `${count(failed)} failed`;
    case 'skipped':
      return `${count(skipped)} skipped`;
    case 'completed':
      return workstreams === 0 ? 'nothing to do' : 'all completed';
  }
}

/** The first sentence of the list. */
export function runsVerdict(runs: readonly ListedRun[]): string {
  const underWay = runs.filter(({ state }) => state === 'running');
  const last = runs.find(({ state }) => state !== 'running');
  const now =
    underWay.length === 0
      ? ''
      : `${plural(underWay.length, 'run')} ${underWay.length === 1 ? 'is' : 'are'} under way. `;
  if (last === undefined) return now === '' ? 'No runs yet.' : now.trim();
  return `${now}${lastSentence(last)}`;
}

function lastSentence(run: ListedRun): string {
  const { workstreams, completed, failed, skipped } = run.totals;
  const name = run.label === null ? 'The last run' : `The last ${oneLine(run.label, 40)}`;
  switch (listedState(run)) {
    case 'waiting':
      return `${name} waits for the usage limit of ${limitWords(run.waitsForLimit)}: ${count(completed + failed)} of ${count(workstreams)} have ended.`;
    case 'interrupted':
      return `${name} was interrupted after ${count(completed + failed)} of ${count(workstreams)}.`;
    case 'failed':
      return `${name} has failures: ${count(failed)} of ${plural(workstreams, 'workstream')}.`;
    case 'skipped':
      return `${name} skipped ${count(skipped)} of ${plural(workstreams, 'workstream')}.`;
    case 'running':
    case 'completed':
      return workstreams === 0
        ? `${name} had no workstreams.`
        : workstreams === 1
          ? `${name} completed its only workstream.`
          : `${name} completed all of its ${count(workstreams)} workstreams.`;
  }
}

interface RunQuery {
  query: string;
  states: readonly string[];
  sort: Sort | null;
}

/** The runs that are asked for, in the order that is asked for. */
export function runsOf(runs: readonly ListedRun[], { query, states, sort }: RunQuery): readonly ListedRun[] {
  const words = queryWords(query);
  const found = runs.filter(
    (run) =>
      (states.length === 0 || states.includes(listedState(run))) &&
      words.every((word) => textOf(run).includes(word)),
  );
  const key = sort === null ? undefined : KEYS[sort.column];
  if (sort === null || key === undefined) return found;
  return found.toSorted((a, b) => compareKeys(key(a), key(b), sort.descending ? -1 : 1));
}

const textOf = ({ runId, label, checkout, hostname, tools }: ListedRun): string =>
  [runId, label, checkout?.commit, checkout?.branch, hostname, ...tools].join('\n').toLowerCase();

const KEYS: Record<string, (run: ListedRun) => SortKey> = {
  run: ({ runId }) => runId,
  started: ({ createdAt }) => createdAt,
  workstreams: ({ totals }) => totals.workstreams,
  failed: ({ totals }) => totals.failed,
  took: ({ wallSeconds }) => wallSeconds,
  cost: ({ costUsd }) => costUsd,
};

/**
 * What would move in a list of runs if it were shown as it is now: "1 new run and 2 ended"; "" for nothing.
 * @param seen the list as it is shown.
 * @param now all runs by id.
 */
export function unseenRuns(seen: readonly ListedRun[], now: ReadonlyMap<string, ListedRun>): string {
  const known = new Set(seen.map(({ runId }) => runId));
  const fresh = [...now.keys()].filter((id) => !known.has(id)).length;
  const isRunning = (run: ListedRun | undefined): boolean => run?.state === 'running';
  const there = seen.filter(({ runId }) => now.has(runId));
  const changed = there.filter((run) => isRunning(run) !== isRunning(now.get(run.runId)));
  const ended = changed.filter(isRunning).length;
  const counts: [value: number, word: string][] = [
    [changed.length - ended, 'resumed'],
    [ended, 'ended'],
    [seen.length - there.length, 'removed'],
  ];
  const others = counts.flatMap(([value, word]) => (value > 0 ? [`${count(value)} ${word}`] : []));
  return listed([...(fresh > 0 ? [plural(fresh, 'new run')] : []), ...others]);
}

/** "on 4 agents with claude and codex" */
export const runNote = ({ agents, tools, running }: ListedRun): string =>
  [
    ...(running > 0 ? [`${count(running)} running`] : []),
    ...(agents === null ? [] : [plural(agents, 'agent')]),
    ...(tools.length === 0 ? [] : [listed(tools.slice(0, 4))]),
  ].join(', ');
