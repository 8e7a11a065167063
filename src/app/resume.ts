/** What is left of an interrupted run, and what stays of it. */
import type { FinalStatus } from '../domain/agent-result.ts';
import type { EarlierResult, EarlierRun, Inheritance, Unfinished } from '../domain/earlier-run.ts';
import type { Broken, Plan } from '../domain/plan.ts';
import type { Workstream } from '../domain/workstream.ts';
import { nameSome } from '../support/name-some.ts';
import { plural } from '../support/plural.ts';

/** How an interrupted run goes on. */
export interface Resumption {
  /** Of the whole run: what it was to run and has no more definition for is broken. */
  plan: Plan;
  inheritance: Omit<Inheritance, 'attempts'>;
  /** Workstreams whose results are dropped, because they are run again. */
  discarded: string[];
  counts: Record<FinalStatus, number>;
  /** Number of workstreams of the run. */
  total: number;
  /** Whether it will have to be resumed once more. */
  isPartial: boolean;
  /** What a person has to be told. */
  notices: string[];
}

/** A definition that could not be run has no result of its own: what it gives now counts. */
const UNPLANNED = new Set(['invalid-workstream', 'duplicate-id', 'cycle', 'missing-dependency']);

/** What was skipped because of these, or because of what may come out otherwise now, is to be run. */
const PASSING = new Set(['interrupted', 'cancelled', 'dependency-failed']);

/** Whether a result says all that there is to say of its workstream. */
const isFinal = ({ reason }: EarlierResult): boolean =>
  reason === null || !(PASSING.has(reason) || UNPLANNED.has(reason));

const isChanged = ({ definitionHash }: EarlierResult, { hash }: Workstream): boolean =>
  definitionHash !== null && definitionHash !== hash;

/**
 * Decides for each workstream of the run. One that has its result is not run again, unless its definition changed.
 * @param plan of everything that the run was to run, as it is defined now.
 * @param only ids to go on with; null for all. The others stay as they are.
 */
export function resume(earlier: EarlierRun, plan: Plan, only: ReadonlySet<string> | null): Resumption {
  const results = new Map(earlier.results.map((result) => [result.workstreamId, result]));
  const isMeant = (id: string): boolean => only === null || only.has(id);
  const toRun: Workstream[] = [];
  const changed: string[] = [];
  const left = new Set<string>();
  for (const workstream of plan.workstreams) {
    const { id } = workstream;
    const result = results.get(id);
    if (result !== undefined && isFinal(result)) {
      if (!isMeant(id) || !isChanged(result, workstream)) continue;
      changed.push(id);
    }
    if (isMeant(id)) toRun.push(workstream);
    else if (result === undefined || UNPLANNED.has(result.reason ?? '')) left.add(id);
  }
  const broken = brokenNow(plan.broken, results);
  const gone = goneSince(earlier, plan, results);
  const replaced = new Set([...toRun, ...broken, ...gone].map(({ id }) => id).concat([...left]));
  const kept = earlier.results.filter(({ workstreamId }) => !replaced.has(workstreamId));
  const all = { ...plan, broken: [...broken, ...gone] };
  return {
    plan: all,
    inheritance: { kept, work: workOf(kept, plan.workstreams), spentUsd: earlier.spentUsd, left },
    discarded: [...replaced].filter((id) => results.has(id)),
    counts: countOf(kept),
    total: kept.length + replaced.size,
    isPartial: left.size > 0 || kept.some((result) => !isFinal(result)),
    notices: noticesOf(earlier, changed, plan, results),
  };
}

/** A workstream that has its result keeps it while its definition can't be used. */
const brokenNow = (broken: readonly Broken[], results: ReadonlyMap<string, EarlierResult>): Broken[] =>
  broken.filter(({ id }) => {
    const result = results.get(id);
    return result === undefined || !isFinal(result);
  });

/** Workstreams that were to be run and are in no file any more. */
function goneSince(
  { results: list, unfinished }: EarlierRun,
  { workstreams, broken }: Plan,
  results: ReadonlyMap<string, EarlierResult>,
): Broken[] {
  const defined = new Set([...workstreams, ...broken].map(({ id }) => id));
  const toRun: Unfinished[] = [
    ...list.filter((result) => result.reason !== null && PASSING.has(result.reason)),
    ...unfinished.filter(({ workstreamId }) => !results.has(workstreamId)),
  ];
  return toRun
    .filter(({ workstreamId }) => !defined.has(workstreamId))
    .map(({ workstreamId: id, title, file }) => ({
      id,
      title,
      source: { file, position: 0 },
      failure: {
        reason: 'invalid-workstream',
        problems: ['It was part of this run when that was interrupted, and is in no file any more.'],
      },
    }));
}

/** Those that completed, with what others can build on. */
export function workOf(
  results: readonly EarlierResult[],
  workstreams: readonly Workstream[],
): Inheritance['work'] {
  const definitions = new Map(workstreams.map((workstream) => [workstream.id, workstream]));
  return results.flatMap(({ workstreamId: id, status, branch }) => {
    const definition = definitions.get(id);
    if (status !== 'completed' || definition === undefined) return [];
    return [{ id, dependsOn: definition.dependsOn, hasCommits: branch !== null }];
  });
}

function countOf(kept: readonly EarlierResult[]): Record<FinalStatus, number> {
  const counts = { completed: 0, failed: 0, skipped: 0 };
  for (const { status } of kept) counts[status] += 1;
  return counts;
}

function noticesOf(
  { unfinished }: EarlierRun,
  changed: readonly string[],
  { workstreams }: Plan,
  results: ReadonlyMap<string, EarlierResult>,
): string[] {
  const notices: string[] = [];
  if (changed.length > 0) {
    notices.push(
      `The definition of ${nameSome(changed)} changed since the run was interrupted: ${changed.length === 1 ? 'it is' : 'they are'} run again.`,
    );
  }
  const known = new Set(unfinished.map(({ workstreamId }) => workstreamId));
  const added = workstreams.filter(({ id }) => !known.has(id) && !results.has(id)).map(({ id }) => id);
  // A run that was interrupted before it had a plan knows of none.
  if (added.length > 0 && known.size + results.size > 0) {
    notices.push(
      `${plural(added.length, 'workstream')} came since the run was interrupted, and ${added.length === 1 ? 'is' : 'are'} run too: ${nameSome(added)}.`,
    );
  }
  return notices;
}
