/** Decides which workstreams of an interrupted run are run now, and which results stay. */
import type { FinalStatus } from '../../domain/agent-result.ts';
import { type EarlierResult, type Inheritance, NOTHING_EARLIER } from '../../domain/history/earlier-run.ts';
import type { Broken, Plan } from '../../domain/plan.ts';
import type { Workstream } from '../../domain/workstream.ts';
import type { StoredRun } from '../../store/read/earlier-run.ts';
import { nameSome, plural } from '../../text/format.ts';
import { isolateSuspects, type RunCrash } from './crash-suspects.ts';

/** What is done now of a run that was interrupted. */
export interface ResumePlan {
  run: StoredRun;
  /** Ids of the workstreams that are run now. */
  toRun: string[];
  /** Ids of workstreams whose results are dropped, because they are run again. */
  discarded: string[];
  /** Of the results that stay. */
  counts: Record<FinalStatus, number>;
  /** Number of workstreams of the whole run. */
  total: number;
  /** Whether results stay that are not final, so that the run will have to be resumed once more. */
  isPartial: boolean;
  /** Whether it goes on at once because a process of it died. */
  afterDeath: boolean;
}

/** The plan, in which a workstream that is in no file any more is broken, and what a run of it starts with. */
interface PlannedResume {
  plan: Plan;
  inheritance: Inheritance;
  resumed: ResumePlan;
  /** Sentences for a person. */
  notices: string[];
}

/** Everything that the run was to run, as it is defined now. */
interface Defined {
  plan: Plan;
  /** Dependencies that were not selected, and whether they count as met. */
  outside: ReadonlyMap<string, boolean>;
}

/** A definition that could not be run has no result of its own: its present definition counts. */
const UNPLANNED = new Set([
  'invalid-workstream',
  'duplicate-id',
  'cycle',
  'missing-dependency',
  'insufficient-resources',
]);

/** A workstream that was skipped for one of these reasons is run: the cause may be gone. */
const PASSING = new Set(['interrupted', 'dependency-failed', 'fail-fast', 'usage-limit']);

/** Reasons of rows that another session of the run replaces. */
const LEFT = new Set(['interrupted', 'usage-limit']);

/** Whether the workstream is not run again, unless its definition changed. */
const isFinal = ({ reason }: EarlierResult): boolean =>
  reason === null || !(PASSING.has(reason) || UNPLANNED.has(reason));

const isChanged = ({ definitionHash }: EarlierResult, { hash }: Workstream): boolean =>
  definitionHash !== null && definitionHash !== hash;

/**
 * Decides for each workstream of the run. One that has its result is not run again, unless its definition changed.
 * @param only ids to go on with; null for all. The others stay as they are.
 * @param crash how the process of the run died; null where it was ended from outside.
 */
export function planResume(
  earlier: StoredRun,
  { plan, outside }: Defined,
  only: ReadonlySet<string> | null,
  crash: RunCrash | null,
): PlannedResume {
  const results = new Map(earlier.results.map((result) => [result.workstreamId, result]));
  const isMeant = (id: string): boolean => only === null || only.has(id);
  const broken = plan.broken.filter((each) => !hasResult(each, results));
  const skipped = stillSkipped(earlier, { plan, outside }, isMeant);
  const toRun: Workstream[] = [];
  const changed: string[] = [];
  const left = new Set<string>();
  for (const workstream of plan.workstreams) {
    const { id } = workstream;
    const result = results.get(id);
    if (skipped.has(id)) continue;
    if (result !== undefined && isFinal(result)) {
      if (!isMeant(id) || !isChanged(result, workstream)) continue;
      changed.push(id);
    }
    if (isMeant(id)) toRun.push(workstream);
    else if (result === undefined || result.reason === 'dependency-failed') left.add(id);
  }
  const gone = goneSince(earlier, plan, results);
  const replaced = new Set([...toRun, ...broken, ...gone].map(({ id }) => id).concat([...left]));
  const vanished = vanishedSince(earlier, plan);
  const stays = (id: string): boolean => !replaced.has(id) && !vanished.has(id);
  const kept = earlier.results.filter(({ workstreamId }) => stays(workstreamId));
  const suspects = isolateSuspects(earlier, { ...plan, broken: [...broken, ...gone] }, crash);
  return {
    plan: suspects.plan,
    inheritance: {
      kept,
      work: workOf(kept, plan.workstreams),
      spentUsd: earlier.spentUsd,
      left,
      crashed: suspects.crashed,
      attempts: NOTHING_EARLIER.attempts,
      candidates: NOTHING_EARLIER.candidates,
      reopened: NOTHING_EARLIER.reopened,
      sessions: NOTHING_EARLIER.sessions,
    },
    resumed: {
      run: earlier,
      toRun: toRun.map(({ id }) => id),
      discarded: [...[...replaced].filter((id) => results.has(id)), ...vanished],
      counts: countOf(kept),
      total: kept.length + replaced.size,
      isPartial: kept.some(({ reason }) => reason !== null && LEFT.has(reason)),
      afterDeath: crash !== null,
    },
    notices: [
      ...suspects.notices,
      ...noticesOf(earlier, changed, plan, results),
      ...unusable(plan.broken, results),
      ...renamedMembers(
        gone.map(({ id }) => id),
        plan.workstreams,
      ),
    ],
  };
}

/** A broken definition keeps the result that it has, also where that has the same reason. */
function hasResult({ id, failure }: Broken, results: ReadonlyMap<string, EarlierResult>): boolean {
  const result = results.get(id);
  return result !== undefined && (isFinal(result) || result.reason === failure.reason);
}

/**
 * Ids of workstreams that were skipped because of a result that stays. Results arrive after those of what they depend
 * on, so one pass is enough.
 */
function stillSkipped(
  { results }: StoredRun,
  { plan, outside }: Defined,
  isMeant: (id: string) => boolean,
): Set<string> {
  const definitions = new Map(plan.workstreams.map((workstream) => [workstream.id, workstream]));
  const failures = new Map(plan.broken.map(({ id, failure }) => [id, failure.reason]));
  const unmet = new Set([...outside].filter(([, met]) => !met).map(([id]) => id));
  const found = new Set<string>();
  for (const result of results) {
    const { workstreamId: id, status, reason } = result;
    const definition = definitions.get(id);
    if (reason === 'dependency-failed') {
      const cause = definition?.dependsOn.find((need) => need.when === 'completed' && unmet.has(need.id));
      if (cause !== undefined) found.add(id);
    } else if (status === 'completed') continue;
    const isRunAgain = definition !== undefined && isMeant(id) && isChanged(result, definition);
    const stays = found.has(id) || reason === failures.get(id) || (isFinal(result) && !isRunAgain);
    if (stays) unmet.add(id);
  }
  return found;
}

function unusable(broken: readonly Broken[], results: ReadonlyMap<string, EarlierResult>): string[] {
  const kept = broken.filter(({ id }) => {
    const result = results.get(id);
    return result !== undefined && isFinal(result);
  });
  if (kept.length === 0) return [];
  return [
    `The definition of ${nameSome(kept.map(({ id }) => id))} can't be used any more; its earlier result stays.`,
  ];
}

/**
 * What to do where a run knows members of a matrix by their positions, as earlier versions did; empty where it does not.
 * @param gone ids that are in no file any more.
 */
export function renamedMembers(gone: readonly string[], workstreams: readonly Workstream[]): string[] {
  const bases = new Set(workstreams.flatMap(({ matrix, base }) => (matrix === null ? [] : [base])));
  const found = gone.flatMap((id) => {
    const base = /^(.+)-\d+$/.exec(id)?.[1];
    return base !== undefined && bases.has(base) ? [base] : [];
  });
  if (found.length === 0) return [];
  const names = nameSome([...new Set(found)]);
  return [
    `The members of the matrix of ${names} had ids of their positions in that run, and have ids of their values now. To keep those of that run, write "ids": "position" beside "matrix".`,
  ];
}

/** Workstreams that were to be run and are in no file any more. */
function goneSince(
  { results: list, unfinished }: StoredRun,
  { workstreams, broken }: Plan,
  results: ReadonlyMap<string, EarlierResult>,
): Broken[] {
  const defined = new Set([...workstreams, ...broken].map(({ id }) => id));
  const toRun: StoredRun['unfinished'] = [
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

/** Ids of rows whose file could not be read and can be now, or whose definition could not be run and is gone. */
function vanishedSince({ results }: StoredRun, { workstreams, broken }: Plan): Set<string> {
  const defined = new Set([...workstreams, ...broken].map(({ id }) => id));
  const ids = results.filter(({ reason }) => reason !== null && UNPLANNED.has(reason));
  return new Set(ids.map(({ workstreamId }) => workstreamId).filter((id) => !defined.has(id)));
}

/** The workstreams that completed, with what others can build on. */
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
  { unfinished }: StoredRun,
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
