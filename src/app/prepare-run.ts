/** From what a caller asks for to what is to be run: a new run, or one that goes on with another. */
import { readEarlierRun } from '../store/read/earlier-run.ts';
import type { ProcessIdentity } from '../os/process-identity.ts';
import { findFailed, findInterrupted, type RunSelector } from './resume/earlier-run.ts';
import { checkFolders, type Paths, resolvePaths } from './paths.ts';
import { withDatabase } from './history.ts';
import { type CoordinatorOptions, resolveOptions, type RunOptions, mergeOptions } from './options.ts';
import { type Prepared, prepare, prepareResumed, prepareRetry } from './prepare.ts';
import { Refusal } from './refusal.ts';

export interface RunRequest {
  options: RunOptions;
  paths: Paths;
  prepared: Prepared;
  /** The process that wrote the run that is resumed; null for a new run, and where it is not known. */
  process: ProcessIdentity | null;
}

/**
 * Finds the run that is meant, lays the options over those it had, loads and plans. Writes nothing.
 * @throws Refusal with exit code 2 for options and folders that can't be used and for a run that is under way, 3 for a
 * database that can't be read, 4 when nothing matches.
 */
export function prepareRun(given: CoordinatorOptions): RunRequest {
  const begun = beginOf(given);
  checkFolders(begun.paths);
  return begun;
}

function beginOf(given: CoordinatorOptions): RunRequest {
  const options = resolveOptions(given);
  const { resume, retryFailed } = options;
  if (resume !== null && retryFailed !== null) {
    throw new Refusal(2, 'A run is either resumed or tried again: name one of --resume and --retry-failed.');
  }
  if (resume !== null) return beginResumed(given, options, resume);
  if (retryFailed !== null) return beginRetry(given, options, retryFailed);
  const paths = resolvePaths(options);
  return { options, paths, prepared: prepare(options, paths), process: null };
}

function beginResumed(given: CoordinatorOptions, only: RunOptions, which: RunSelector): RunRequest {
  const { database } = resolvePaths(only);
  const { run, process } = findInterrupted(database, which);
  const { select: _, withDependencies: __, ...others } = given;
  const options = mergeOptions(run.options, others);
  const paths = resolvePaths(options);
  const { retryOf } = run;
  const before =
    retryOf === null
      ? null
      : withDatabase(database, (connection) => connection && readEarlierRun(connection, retryOf));
  return { options, paths, prepared: prepareResumed(run, before, { options, only, paths }), process };
}

function beginRetry(given: CoordinatorOptions, only: RunOptions, which: RunSelector): RunRequest {
  const earlier = findFailed(resolvePaths(only).database, which);
  const laid = mergeOptions(earlier.options, given);
  const paths = resolvePaths(laid);
  const { ids, ...prepared } = prepareRetry(earlier, { options: laid, only, paths });
  // Its dependencies are among the ids.
  const options = { ...laid, select: ids, withDependencies: false };
  return { options, paths, prepared, process: null };
}
