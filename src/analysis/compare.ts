/** How a run differs from an earlier one: what broke, what was fixed, what takes longer. */
import type { Capped } from '../domain/capped.ts';
import type {
  Change,
  ComparedResult,
  ComparedRun,
  DurationHistory,
  Observation,
  RunComparison,
} from '../domain/history/history.ts';
import type { ConsolidatedResult } from '../domain/run-record.ts';
import { analyseDurations, outsideDurations } from './durations.ts';
import { patternHistory } from './states.ts';

export interface ComparisonInput {
  base: ComparedRun;
  /** The later one. */
  head: ComparedRun;
  /** What happened to a workstream in respect of a pattern in the runs up to the head, the oldest first. */
  observations: (workstreamId: string, patternId: string | null) => readonly Observation[];
  /** Of the runs up to the head. */
  durations: DurationHistory;
  /** The most elements of each list; the rest is counted. */
  limit: number;
}

/**
 * Runs of more workstreams, which would be too many to hold in memory, and runs of many that took less time for each than
 * this, in seconds, are compared on request only: to compare one takes 13 µs.
 */
const MOST_RESULTS = 100_000;
const MANY_RESULTS = 1_000;
const LEAST_TIME = 0.00065;

/** Whether a comparison at its end takes a small part of the time that a run took. */
export function isComparedAtEnd({ run, agents }: Pick<ConsolidatedResult, 'run' | 'agents'>): boolean {
  const { workstreams } = run.totals;
  const busy = agents.reduce((sum, { busySeconds }) => sum + busySeconds, 0) / Math.max(1, agents.length);
  return workstreams <= MANY_RESULTS || (workstreams <= MOST_RESULTS && busy / workstreams >= LEAST_TIME);
}

type ChangeKind = 'new' | 'regressed' | 'recurring' | 'fixed' | 'flaky';

/**
 * Compares two runs, each failure by its workstream and pattern: `recurring` failed so in both; `new` does in the head and
 * was never seen up to the base; `regressed` was seen before, and not in the base, where the workstream passed; `fixed`
 * failed so in the base and passed in the head, surely or not as its history says; `flaky` is what its history calls so,
 * wherever it failed. Durations are judged by many runs, see `analyseDurations` and `outsideDurations`.
 */
export function compareRuns({ base, head, observations, durations, limit }: ComparisonInput): RunComparison {
  const before = byWorkstream(base.results);
  const after = byWorkstream(head.results);
  const changes: Record<ChangeKind, Change[]> = {
    new: [],
    regressed: [],
    recurring: [],
    fixed: [],
    flaky: [],
  };
  for (const { workstreamId, patternId } of failuresOf([...head.results, ...base.results])) {
    const history = patternHistory(observations(workstreamId, patternId));
    const change = { workstreamId, patternId, history };
    const kind = kindOf(change, base, before.get(workstreamId), after.get(workstreamId));
    if (kind !== null) changes[kind].push(change);
  }
  const { workstreams, wholeRun } = analyseDurations(durations);
  const shifts = workstreams.flatMap(({ workstreamId, verdict }) =>
    verdict.kind === 'shifted' && after.has(workstreamId) ? [verdict.shift] : [],
  );
  const capped = <T>(list: readonly T[]): Capped<T> => ({ shown: list.slice(0, limit), total: list.length });
  return {
    base: base.run,
    head: head.run,
    new: capped(changes.new),
    regressed: capped(changes.regressed),
    recurring: capped(changes.recurring),
    fixed: capped(changes.fixed),
    flaky: capped(changes.flaky),
    notRun: capped(idsWhere(before, (id, was) => was.isExecuted && after.get(id)?.isExecuted === false)),
    added: capped(idsWhere(after, (id) => !before.has(id))),
    removed: capped(idsWhere(before, (id) => !after.has(id))),
    changedDefinition: capped(idsWhere(after, (id, is) => isRedefined(before.get(id), is))),
    outside: capped(outsideDurations(workstreams, head.run.runId).toSorted(byDistance)),
    shifts: capped(shifts.toSorted((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)))),
    wholeRun: wholeRun.kind === 'shifted' ? wholeRun.shift : null,
  };
}

/** A workstream over all runs of one side. */
interface Side {
  isExecuted: boolean;
  passed: boolean;
  /** What it failed with; null for a failure without a pattern. */
  patterns: Set<string | null>;
  definitionHash: string | null;
}

function byWorkstream(results: readonly ComparedResult[]): Map<string, Side> {
  const sides = new Map<string, Side>();
  for (const { workstreamId, status, patternId, definitionHash } of results) {
    let side = sides.get(workstreamId);
    if (side === undefined) {
      side = { isExecuted: false, passed: false, patterns: new Set(), definitionHash };
      sides.set(workstreamId, side);
    }
    side.isExecuted ||= status !== 'skipped';
    side.passed ||= status === 'completed';
    side.definitionHash = definitionHash;
    if (status === 'failed') side.patterns.add(patternId);
  }
  return sides;
}

/** Every failure once, also those that a retry healed. */
function failuresOf(results: readonly ComparedResult[]): Pick<Change, 'workstreamId' | 'patternId'>[] {
  const seen = new Set<string>();
  return results.flatMap(({ workstreamId, status, patternId, healed }) =>
    [...(status === 'failed' ? [patternId] : []), ...healed].flatMap((each) => {
      const key = `${each} ${workstreamId}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ workstreamId, patternId: each }];
    }),
  );
}

/** Null for what is in neither list: what a retry healed, and failures of which the head says nothing. */
function kindOf(
  { patternId, history }: Change,
  base: ComparedRun,
  before: Side | undefined,
  after: Side | undefined,
): ChangeKind | null {
  if (history.state === 'flaky') return 'flaky';
  const failed = before?.patterns.has(patternId) === true;
  const fails = after?.patterns.has(patternId) === true;
  if (failed && fails) return 'recurring';
  if (failed) return after?.passed === true ? 'fixed' : null;
  if (!fails) return null;
  if (history.firstSeen === null || history.firstSeen.at > base.run.at) return 'new';
  return before?.passed === true || history.state === 'regressed' ? 'regressed' : 'recurring';
}

function isRedefined(before: Side | undefined, after: Side): boolean {
  if (before === undefined || before.definitionHash === null || after.definitionHash === null) return false;
  return before.definitionHash !== after.definitionHash;
}

const idsWhere = (sides: Map<string, Side>, holds: (id: string, side: Side) => boolean): string[] =>
  [...sides].flatMap(([id, side]) => (holds(id, side) ? [id] : []));

function byDistance(
  a: RunComparison['outside']['shown'][number],
  b: RunComparison['outside']['shown'][number],
): number {
  const distance = ({ seconds, medianSeconds }: typeof a): number =>
    Math.abs(Math.log(seconds / medianSeconds));
  return distance(b) - distance(a);
}
