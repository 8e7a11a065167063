/** What is known over several runs: how a pattern went in a workstream, how one run differs from another. */
import { z } from 'zod';
import type { FinalStatus } from '../agent-result.ts';

const text = z.string();
const count = z.int().nonnegative();
const seconds = z.number();

const capped = <T>(element: z.ZodType<T>) => z.object({ shown: z.array(element), total: count });

export const checkoutSchema = z.object({
  /** In full. */
  commit: text,
  /** Null where none is checked out. */
  branch: text.nullable(),
  /** Whether tracked files differ from the commit; null where that is not known. */
  isDirty: z.boolean().nullable(),
});
/** What was checked out, when a run began, in the git repository that it was started in. */
export type Checkout = z.infer<typeof checkoutSchema>;

const COMMIT_DIGITS = 10;

/** The beginning of a commit's hash, with a `+` where files differed from it; empty where it is not known. */
export function shortCommit(at: { commit: string | null; isDirty: boolean | null } | null): string {
  if (at === null || at.commit === null) return '';
  return `${at.commit.slice(0, COMMIT_DIGITS)}${at.isDirty === true ? '+' : ''}`;
}

/** "1a2b3c4d5e on main, with changes" */
export function checkoutText(checkout: Checkout): string {
  const { commit, branch, isDirty } = checkout;
  const on = branch === null ? '' : ` on ${branch}`;
  return `${commit.slice(0, COMMIT_DIGITS)}${on}${isDirty === true ? ', with changes' : ''}`;
}

export const runRefSchema = z.object({
  runId: text,
  /** When it began: ISO 8601 in UTC. */
  at: text,
  /** Null for none. */
  label: text.nullable(),
  /** The commit that was checked out when it began, in full; null where that is not known. */
  commit: text.nullable(),
  /** Whether tracked files differed from that commit; null where that is not known. */
  isDirty: z.boolean().nullable(),
});
/** A run, as histories name it. */
export type RunRef = z.infer<typeof runRefSchema>;

/** The runs that were looked at: how many, and the first and the last of them. */
export const lookedAtSchema = z.object({ count, first: runRefSchema, last: runRefSchema });
export type LookedAt = z.infer<typeof lookedAtSchema>;

/**
 * How a pattern stands: `new` where the last run is the first that failed so, `recurring` where an earlier one did too,
 * `regressed` where it was fixed before, `passing` where the last runs passed but are too few to call it `fixed`, `flaky`
 * where it comes and goes, `unknown` where what it failed in was not run.
 */
const patternStateSchema = z.enum(['new', 'recurring', 'regressed', 'passing', 'fixed', 'flaky', 'unknown']);
export type PatternState = z.infer<typeof patternStateSchema>;

export const patternHistorySchema = z.object({
  state: patternStateSchema,
  firstSeen: runRefSchema.nullable(),
  lastSeen: runRefSchema.nullable(),
  /** The last run in which what fails so passed. */
  lastPassed: runRefSchema.nullable(),
  /**
   * Commits between the last pass and the first failure of the present episode; null where either is not known, where both
   * are the same, and where it is flaky.
   */
  commitRange: z.object({ from: text, to: text }).nullable(),
  /**
   * Share of the runs with the present definition in which it failed so, 0 to 1, with a 95 % Jeffreys interval; null for
   * fewer than 4 runs.
   */
  rate: z.object({ value: z.number(), low: z.number(), high: z.number(), runs: count }).nullable(),
});
/** What is known of one pattern in one workstream, or over all of them: the worst of theirs. */
export type PatternHistory = z.infer<typeof patternHistorySchema>;

/** What happened to one workstream in one run, in respect of one pattern. Histories have the oldest first. */
export interface Observation {
  run: RunRef;
  /** Null where it is not known. */
  definitionHash: string | null;
  what: 'passed' | 'failed-so' | 'failed-otherwise' | 'not-run';
  /** It failed so at an attempt, and a later attempt of the same run passed. */
  healed: boolean;
}

const changeSchema = z.object({
  workstreamId: text,
  /** Id of the pattern; null where the failure has none. */
  patternId: text.nullable(),
  history: patternHistorySchema,
});
/** A workstream that fails, or no longer does. */
export type Change = z.infer<typeof changeSchema>;

export const durationShiftSchema = z.object({
  /** Null for the run as a whole. */
  workstreamId: text.nullable(),
  /** Medians before and after. */
  beforeSeconds: seconds,
  afterSeconds: seconds,
  /** After by before. */
  ratio: z.number(),
  p: z.number(),
  /** The first run of the new level. */
  since: runRefSchema,
  runs: count,
});
/** Slower or faster than before, by a test over many runs. */
export type DurationShift = z.infer<typeof durationShiftSchema>;

export const runComparisonSchema = z.object({
  base: runRefSchema,
  head: runRefSchema,
  new: capped(changeSchema),
  regressed: capped(changeSchema),
  recurring: capped(changeSchema),
  fixed: capped(changeSchema),
  flaky: capped(changeSchema),
  /** Ids of workstreams that were executed in the base, and skipped in the head. */
  notRun: capped(text),
  /** Ids of those that only the head has, and that only the base has. */
  added: capped(text),
  removed: capped(text),
  changedDefinition: capped(text),
  /** Durations outside their own last 30 runs: one run says no more. */
  outside: capped(z.object({ workstreamId: text, seconds, medianSeconds: seconds, runs: count })),
  shifts: capped(durationShiftSchema),
  wholeRun: durationShiftSchema.nullable(),
});
/** How a run differs from an earlier one. */
export type RunComparison = z.infer<typeof runComparisonSchema>;

/** Whether something broke that had not failed before, or not any more. */
export const hasBroken = (comparison: Pick<RunComparison, 'new' | 'regressed'>): boolean =>
  comparison.new.total + comparison.regressed.total > 0;

/** "2 new failures, 1 fixed, 3 still failing since ma-run-20260102-030405." */
export function comparisonSentence(comparison: RunComparison): string {
  const { regressed, fixed, flaky, recurring, base } = comparison;
  const counted = (count: number, text: string): string[] => (count === 0 ? [] : [`${count} ${text}`]);
  const broken = [
    ...counted(comparison.new.total, comparison.new.total === 1 ? 'new failure' : 'new failures'),
    ...counted(regressed.total, 'failing again'),
  ];
  const others = [
    ...counted(fixed.total, 'fixed'),
    ...counted(recurring.total, 'still failing'),
    ...counted(flaky.total, 'flaky'),
  ];
  if (broken.length > 0) return `${[...broken, ...others].join(', ')} since ${base.runId}.`;
  const rest = others.length === 0 ? '' : `: ${others.join(', ')}`;
  return `Nothing new broke since ${base.runId}${rest}.`;
}

/** A run whose durations are compared. */
export interface TimedRun {
  run: RunRef;
  /** Name of the machine; null where it is not known. */
  machine: string | null;
}

/** How long a workstream took that completed. */
export interface DurationSample {
  /** Index of its run among the runs of the history. */
  position: number;
  /** Null where it is not known. */
  definitionHash: string | null;
  /** Without the time in which its thread waited for a processor, where that is known. */
  seconds: number;
}

/** Durations over runs. */
export interface DurationHistory {
  /** The oldest first. */
  runs: readonly TimedRun[];
  /** By workstream, the oldest first. */
  samples: ReadonlyMap<string, readonly DurationSample[]>;
}

/** A result among those of many runs: what its failure could go with. */
export interface ResultCircumstances {
  /** Index of its run among the runs. */
  position: number;
  workstreamId: string;
  agentId: string;
  /** Null where it used none. */
  tool: string | null;
  model: string | null;
  /** Ids of the patterns that it failed with; none where it did not fail. */
  patternIds: readonly string[];
}

export const FACTORS = ['machine', 'tool', 'model', 'agent', 'commit', 'hour'] as const;

const failedOf = z.object({ failed: count, total: count });

export const associationSchema = z.object({
  patternId: text,
  factor: z.enum(FACTORS),
  /** Of an hour: 0 to 23, in UTC. */
  value: text,
  /** What is counted: runs for machine, commit and hour, workstreams for tool and model, results for agent. */
  unit: z.enum(['run', 'workstream', 'result']),
  here: failedOf,
  elsewhere: failedOf,
  /** Of Fisher's exact test, before the correction for many tests. */
  p: z.number(),
});
/** A pattern that is seen more often with one value of a factor than with all others. */
export type Association = z.infer<typeof associationSchema>;

/** What became of a workstream in one of two runs, or ranges of runs, that are compared. */
export interface ComparedResult {
  workstreamId: string;
  status: FinalStatus;
  /** Null where it is not known. */
  definitionHash: string | null;
  /** Id of the pattern that it failed with; null where it did not fail. */
  patternId: string | null;
  /** Ids of the patterns that earlier attempts failed with, where a later one passed. */
  healed: readonly string[];
}

/** A run, or a range of them by its last one, with the results of all. */
export interface ComparedRun {
  run: RunRef;
  results: readonly ComparedResult[];
}
