/** From a folder of workstream files to a plan. Reads; writes nothing. */
import { resolve } from 'node:path';
import { type EarlierResult, type Inheritance, NOTHING_EARLIER } from '../domain/history/earlier-run.ts';
import type { Broken, LoadedFolder, Plan, PlannedContaining, Problem } from '../domain/plan.ts';
import type { ResumedRun } from '../domain/run-event.ts';
import { copyOf, type Workstream } from '../domain/workstream.ts';
import { makePlan } from '../plan/plan.ts';
import { type Selection, select } from '../plan/select.ts';
import { completedEarlier, knownDurations } from '../store/read/durations.ts';
import { attemptsOf, type StoredRun } from '../store/read/earlier-run.ts';
import { keptCandidates, keptSessions } from '../store/read/kept-work.ts';
import { withdrawnAfter } from '../store/read/live/run-changes.ts';
import { failurePatterns } from '../store/read/patterns.ts';
import type { Connection } from '../store/schema/connection.ts';
import { feedbackOf } from '../store/write/published.ts';
import { oneLine } from '../text/printable.ts';
import { fieldPath } from '../workstream/finding.ts';
import { loadFolder } from '../workstream/load.ts';
import { FolderError } from '../workstream/read-file.ts';
import { relocatePaths } from '../workstream/relocate-paths.ts';
import { containingProblems, plannedContaining, type ToolsOf } from './forecast/containing.ts';
import { withDatabase } from './history.ts';
import type { RunOptions } from './options.ts';
import type { Paths } from './paths.ts';
import { Refusal } from './refusal.ts';
import { type CapacityOptions, isRemote, withoutUnfitting } from './reserving.ts';
import { resolveWorkspaces } from './resolve-workspaces.ts';
import { planResume, type ResumePlan, workOf } from './resume/resume.ts';
import { completedIn, failuresOf } from './resume/retry-failed.ts';
import { toolsOf } from './roster.ts';
import { knownTools, type ToolOptions } from './tools.ts';

/** What is to be run. */
export interface Prepared {
  plan: Plan;
  /** Dependencies that were not selected, and whether they count as met. */
  outside: Map<string, boolean>;
  /** The run whose failures are tried again; null for none. */
  retryOf: string | null;
  /** What the run has from before; attempts are read once it was taken over, which adds to them. */
  inheritance: Inheritance;
  /** How an interrupted run goes on; null for a new one. */
  resumed: ResumePlan | null;
  /** All workstreams of the folder. */
  defined: readonly Workstream[];
  /** Sentences for a person. */
  notices: string[];
}

type Selecting = Pick<RunOptions, 'select' | 'withDependencies' | 'workspace'>;
type Planning = Pick<RunOptions, 'workspace'> & CapacityOptions;
type Preparing = Selecting & Planning & ToolOptions;
type Checking = ToolOptions & Pick<RunOptions, 'workspace'>;
type AfterDeathOption = Pick<RunOptions, 'afterDeath'>;

/** What a folder's files say, without running anything. */
export interface CheckedFolder {
  files: number;
  workstreams: number;
  /** What this machine is asked to contain; null for nothing. */
  containing: PlannedContaining | null;
  problems: Problem[];
  /** Absolute paths of the modules of its steps, each once. */
  modules: string[];
}

/**
 * Loads, selects and plans.
 * @throws Refusal with exit code 2 for a folder that can't be used, 3 for a database that can't be read, 4 when
 * nothing matches.
 */
export function prepare(options: Preparing, paths: Paths): Prepared {
  const folder = load(options, paths);
  const selection = select(folder, options.select, options.withDependencies);
  refuseNothing(selection, paths);
  return {
    defined: folder.workstreams,
    ...planOf(selection, paths, NEVER, options),
    retryOf: null,
    inheritance: NOTHING_EARLIER,
    resumed: null,
    notices: [],
  };
}

/**
 * Plans what failed in an earlier run.
 * @param options of the run.
 * @param only names the workstreams to try again; everything that failed without one.
 * @throws Refusal as `prepare` does.
 */
export function prepareRetry(
  earlier: StoredRun,
  {
    options,
    only,
    paths,
  }: {
    options: ToolOptions & CapacityOptions;
    only: Selecting & Pick<RunOptions, 'pattern'>;
    paths: Paths;
  },
): Prepared & { ids: string[] } {
  const folder = load(options, paths);
  const { ids, notices } = failuresOf(earlier, folder, failedWith(earlier, only.pattern, paths));
  const meant = named(folder, only, paths);
  const chosen = ids.filter((id) => meant === null || meant.has(id));
  if (chosen.length === 0)
    throw new Refusal(4, `None of these failed in ${earlier.runId}: ${only.select.join(', ')}.`);
  const selection = select(folder, chosen, only.withDependencies);
  return {
    ...planOf(selection, paths, completedIn(earlier), { ...options, workspace: only.workspace }),
    defined: folder.workstreams,
    retryOf: earlier.runId,
    inheritance: { ...NOTHING_EARLIER, work: workOf(earlier.results, folder.workstreams) },
    resumed: null,
    notices,
    ids: [...selection.loaded.workstreams, ...selection.loaded.broken].map(({ id }) => id),
  };
}

/**
 * Plans what an interrupted run was to run, as it is defined now, and decides what is left of it.
 * @param options of the run.
 * @param before the run whose failures it tries again; null for none.
 * @param asked names the workstreams to go on with; all of them without one.
 * @throws Refusal as `prepare` does.
 */
export function prepareResumed(
  run: StoredRun,
  before: StoredRun | null,
  { options, asked, paths }: { options: Preparing; asked: Selecting & AfterDeathOption; paths: Paths },
): Prepared {
  const folder = load(options, paths);
  const selection = select(folder, options.select, options.withDependencies);
  const planned = planOf(selection, paths, before === null ? NEVER : completedIn(before), options);
  const only = named(selection.loaded, asked, paths);
  const { inheritance, ...rest } = planResume(
    isRemote(options) ? { ...run, running: [] } : run,
    planned,
    only,
    asked.afterDeath,
  );
  const repeated = before === null ? [] : workOf(before.results, folder.workstreams);
  return {
    ...planned,
    ...rest,
    defined: folder.workstreams,
    retryOf: run.retryOf,
    inheritance: { ...inheritance, work: [...repeated, ...inheritance.work] },
  };
}

/**
 * Which results failed with a pattern; all for null.
 * @throws Refusal with exit code 4 where none did.
 */
function failedWith(
  earlier: StoredRun,
  pattern: string | null,
  { database }: Paths,
): (result: EarlierResult) => boolean {
  if (pattern === null) return () => true;
  const patterns = withDatabase(database, (history) =>
    history === null ? null : failurePatterns(history, earlier.runId),
  );
  const isMeant = ({ workstreamId }: EarlierResult): boolean =>
    patterns?.get(workstreamId)?.id.startsWith(pattern) === true;
  if (earlier.results.some(isMeant)) return isMeant;
  const sentence = `Nothing failed with the pattern ${oneLine(pattern, NAME)} in ${earlier.runId}.`;
  throw new Refusal(4, `${sentence} See: millrace errors ${earlier.runId}`);
}

/** Longest id of a pattern that a message repeats. */
const NAME = 100;

/** The ids that are named; null where none is, which means all. */
function named(loaded: LoadedFolder, only: Selecting, paths: Paths): Set<string> | null {
  if (only.select.length === 0) return null;
  const selection = select(loaded, only.select, only.withDependencies);
  refuseNothing(selection, paths);
  return new Set([...selection.loaded.workstreams, ...selection.loaded.broken].map(({ id }) => id));
}

/** @param completedThere whether a workstream of this id and hash completed in the run that is repeated. */
function planOf(
  { loaded: selected, unselected, leftOut }: Selection,
  paths: Paths,
  completedThere: (id: string, hash: string) => boolean,
  options: Planning,
): Pick<Prepared, 'plan' | 'outside'> {
  const loaded = withoutUnfitting(resolveWorkspaces(selected, options.workspace, paths.cwd), options);
  return withDatabase(paths.database, (history) => {
    const ids = loaded.workstreams.map(({ id }) => id);
    const durations = history === null ? new Map<string, number>() : knownDurations(history, ids);
    const planned = withPlaces(makePlan(loaded, durations, unselected), paths.cwd);
    const plan = history === null ? planned : withFeedback(planned, history);
    return { plan, outside: judge(leftOut, history, completedThere) };
  });
}

const NEVER = (): boolean => false;

/** Gives coding agents, as a task more, what was said of the pull requests of their work (`millrace feedback`). */
function withFeedback(plan: Plan, history: Connection): Plan {
  const isTold = ({ steps }: Workstream): boolean => steps.some(({ kind }) => kind === 'tool');
  const told = plan.workstreams.filter(isTold);
  const feedback =
    told.length === 0
      ? null
      : feedbackOf(
          history,
          told.map(({ id }) => id),
        );
  if (feedback === null || feedback.size === 0) return plan;
  const workstreams = plan.workstreams.map((workstream) => {
    const task = isTold(workstream) ? feedback.get(workstream.id) : undefined;
    if (task === undefined) return workstream;
    const steps = workstream.steps.map((step) =>
      step.kind === 'tool' ? { ...step, tasks: [...step.tasks, task] } : step,
    );
    return copyOf(workstream, { steps });
  });
  return { ...plan, workstreams };
}

/** Loads a folder and finds every problem of it, also those that only all files together show. */
export async function checkFolder(folder: string, cwd: string, options: Checking): Promise<CheckedFolder> {
  const loaded = resolveWorkspaces(load(options, { workstreams: folder, cwd }), options.workspace, cwd);
  const { problems } = withPlaces(makePlan(loaded, new Map()), cwd);
  const steps = loaded.workstreams.flatMap((workstream) => workstream.steps);
  const modules = steps.flatMap((step) => (step.kind === 'module' ? [step.module] : []));
  const toolsOfAny = toolsOf(options, []);
  const tools: ToolsOf = (workstream) => toolsOfAny(0, workstream);
  const containing = await plannedContaining(loaded.workstreams, tools);
  return {
    files: loaded.files,
    workstreams: loaded.workstreams.length + loaded.broken.length,
    containing,
    problems: [...problems, ...containingProblems(loaded.workstreams, tools, containing)],
    modules: [...new Set(modules)],
  };
}

/** The plan finds problems between definitions whose text is no longer in memory: their lines are looked up. */
function withPlaces(plan: Plan, cwd: string): Plan {
  const broken = new Map(plan.broken.map((one) => [one.id, one]));
  const brokenOf = (problem: Problem): Broken | undefined =>
    problem.line === null && problem.path !== '' ? broken.get(problem.workstreamId ?? '') : undefined;
  const targets = plan.problems.flatMap((problem) => {
    const found = brokenOf(problem);
    if (found === undefined) return [];
    const dependency = dependencyOf(found);
    const target = { source: found.source, path: [problem.path] };
    return [dependency === undefined ? target : { ...target, dependency }];
  });
  const places = relocatePaths(targets, (file) => resolve(cwd, file));
  let next = 0;
  const problems = plan.problems.map((problem) => {
    if (brokenOf(problem) === undefined) return problem;
    const place = places[next] ?? null;
    next += 1;
    if (place === null) return problem;
    return { ...problem, line: place.line, column: place.column, path: fieldPath(place.path) };
  });
  return { ...plan, problems };
}

/** The one of its dependencies that makes it broken: the one that is missing, or the next on the cycle. */
function dependencyOf({ id, failure }: Broken): string | undefined {
  if (failure.reason === 'missing-dependency') return failure.missing;
  if (failure.reason !== 'cycle') return undefined;
  const at = failure.path.indexOf(id);
  return at === -1 ? undefined : failure.path[at + 1];
}

function load(options: ToolOptions, { workstreams, cwd }: Pick<Paths, 'workstreams' | 'cwd'>): LoadedFolder {
  try {
    return loadFolder(workstreams, { cwd, tools: knownTools(options) });
  } catch (error) {
    if (error instanceof FolderError) throw new Refusal(2, error.message, error);
    throw error;
  }
}

function refuseNothing({ loaded, unmatched }: Selection, paths: Paths): void {
  const [first] = unmatched;
  if (first !== undefined) {
    const hint = first.suggestion === null ? '' : ` Did you mean "${first.suggestion}"?`;
    throw new Refusal(4, `No workstream matches "${first.pattern}".${hint}`);
  }
  if (loaded.workstreams.length + loaded.broken.length === 0) {
    throw new Refusal(
      4,
      `There are no workstreams in ${paths.workstreams}. Make a first one with: millrace init`,
    );
  }
}

/** A dependency that is not part of this run is met if it completed earlier as it is now defined. */
function judge(
  leftOut: ReadonlyMap<string, string | null>,
  history: Connection | null,
  completedThere: (id: string, hash: string) => boolean,
): Map<string, boolean> {
  const earlier = history === null ? null : completedEarlier(history, [...leftOut.keys()]);
  const isMet = (id: string, hash: string): boolean =>
    earlier?.get(id)?.definitionHash === hash || completedThere(id, hash);
  return new Map([...leftOut].map(([id, hash]) => [id, hash !== null && isMet(id, hash)]));
}

/** What the event of its start says of a run that goes on. */
export function resumedOf({ run, counts, discarded, afterDeath }: ResumePlan): ResumedRun {
  return { counts, discarded, afterDeath, results: run.results.length, running: run.running.length };
}

/** Of a run that is resumed those that are left of it. */
export function workstreamsToRun({ plan, resumed, inheritance }: Prepared): Workstream[] {
  if (resumed === null) return plan.workstreams;
  const ids = new Set([...resumed.toRun, ...inheritance.left]);
  return plan.workstreams.filter(({ id }) => ids.has(id));
}

/** How many workstreams the run has, those that were kept of an interrupted one included. */
export const totalOf = ({ plan, resumed }: Pick<Prepared, 'plan' | 'resumed'>): number =>
  resumed?.total ?? plan.workstreams.length + plan.broken.length;

/** In seconds, of all workstreams together that are to be run. */
export function expectedSecondsOf(prepared: Prepared): number {
  const { plan } = prepared;
  const ids = new Set(workstreamsToRun(prepared).map(({ id }) => id));
  return plan.expectedSeconds.reduce(
    (sum, seconds, index) => sum + (ids.has(plan.workstreams[index]?.id ?? '') ? seconds : 0),
    0,
  );
}

/** What a run that was claimed or taken over has from before. */
export function inheritanceOf(
  { resumed, inheritance }: Prepared,
  runId: string,
  connection: Connection,
): Inheritance {
  if (resumed === null) return inheritance;
  return {
    ...inheritance,
    attempts: attemptsOf(connection, runId, resumed.toRun),
    candidates: keptCandidates(connection, runId, resumed.toRun),
    reopened: new Set(withdrawnAfter(connection, runId, 0).gone),
    sessions: keptSessions(connection, runId, resumed.toRun),
  };
}
