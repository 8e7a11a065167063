/** From a folder of workstream files to a plan. Reads; writes nothing. */
import { resolve } from 'node:path';
import type { LoadedFolder, Plan } from '../domain/plan.ts';
import type { Problem } from '../domain/problem.ts';
import type { Source } from '../domain/workstream.ts';
import { makePlan } from '../plan/plan.ts';
import { type Selection, select } from '../plan/select.ts';
import type { Connection } from '../store/connection.ts';
import { openForReading } from '../store/database.ts';
import { completedEarlier, knownDurations } from '../store/durations.ts';
import { StoreError } from '../store/store-error.ts';
import { FolderError } from '../workstream/folder-error.ts';
import { loadFolder } from '../workstream/load.ts';
import { placesAgain } from '../workstream/places-again.ts';
import type { RunOptions } from './options.ts';
import type { Paths } from './paths.ts';
import { Refusal } from './refusal.ts';
import { settleWorkspaces } from './settle-workspaces.ts';

/** What is to be run. */
export interface Prepared {
  plan: Plan;
  /** Dependencies that were not selected, and whether they count as met. */
  outside: Map<string, boolean>;
}

/** What a folder's files say, without running anything. */
export interface CheckedFolder {
  files: number;
  workstreams: number;
  problems: Problem[];
}

/**
 * Loads, selects and plans.
 * @throws Refusal with exit code 2 for a folder that can't be used, 3 for a database that can't be read, 4 when
 * nothing matches.
 */
export function prepare(
  options: Pick<RunOptions, 'select' | 'withDependencies' | 'workspace'>,
  paths: Paths,
): Prepared {
  const selection = select(load(paths.workstreams, paths.cwd), options.select, options.withDependencies);
  const { unselected, leftOut } = selection;
  const workstreams = settleWorkspaces(selection.loaded.workstreams, options.workspace, paths.cwd);
  const loaded = { ...selection.loaded, workstreams };
  refuseNothing(selection, paths);
  return withHistory(paths.database, (history) => {
    const ids = loaded.workstreams.map(({ id }) => id);
    const durations = history === null ? new Map<string, number>() : knownDurations(history, ids);
    const plan = withPlaces(makePlan(loaded, durations, unselected), paths.cwd);
    return { plan, outside: judge(leftOut, history) };
  });
}

/** Loads a folder and finds every problem of it, also those that only all files together show. */
export function checkFolder(folder: string, cwd: string): CheckedFolder {
  const loaded = load(folder, cwd);
  const { problems } = withPlaces(makePlan(loaded, new Map()), cwd);
  return { files: loaded.files, workstreams: loaded.workstreams.length + loaded.broken.length, problems };
}

/** The plan finds problems between definitions whose text is no longer in memory: their lines are looked up. */
function withPlaces(plan: Plan, cwd: string): Plan {
  const sources = new Map(plan.broken.map(({ id, source }) => [id, source]));
  const sourceOf = (problem: Problem): Source | undefined =>
    problem.line === null && problem.path !== '' ? sources.get(problem.workstreamId ?? '') : undefined;
  const targets = plan.problems.flatMap((problem) => {
    const source = sourceOf(problem);
    return source === undefined ? [] : [{ source, path: [problem.path] }];
  });
  const places = placesAgain(targets, (file) => resolve(cwd, file));
  let next = 0;
  const problems = plan.problems.map((problem) => {
    if (sourceOf(problem) === undefined) return problem;
    const place = places[next];
    next += 1;
    return { ...problem, ...place };
  });
  return { ...plan, problems };
}

function load(folder: string, cwd: string): LoadedFolder {
  try {
    return loadFolder(folder, { cwd });
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

function withHistory<T>(database: string, use: (history: Connection | null) => T): T {
  let history: Connection | null = null;
  try {
    history = openForReading(database);
    return use(history);
  } catch (error) {
    if (error instanceof StoreError) throw new Refusal(3, error.message, error);
    throw error;
  } finally {
    history?.close();
  }
}

/** A dependency that is not part of this run is met if it completed earlier as it is now defined. */
function judge(
  leftOut: ReadonlyMap<string, string | null>,
  history: Connection | null,
): Map<string, boolean> {
  const earlier = history === null ? null : completedEarlier(history, [...leftOut.keys()]);
  return new Map(
    [...leftOut].map(([id, hash]) => [id, hash !== null && earlier?.get(id)?.definitionHash === hash]),
  );
}
