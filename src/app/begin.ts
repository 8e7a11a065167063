/** From what a caller asks for to what is to be run: a new run, or one that goes on with another. */
import { readEarlierRun } from '../store/earlier-run.ts';
import type { ProcessIdentity } from '../support/process-identity.ts';
import { findFailed, findInterrupted, type WhichRun } from './earlier-run.ts';
import { checkFolders } from './folders.ts';
import { withDatabase } from './history.ts';
import { type CoordinatorOptions, resolveOptions, type RunOptions } from './options.ts';
import { type Paths, resolvePaths } from './paths.ts';
import { type Prepared, prepare, prepareResumed, prepareRetry } from './prepare.ts';
import { Refusal } from './refusal.ts';
import { laidOver } from './stored-options.ts';

export interface Beginning {
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
export function begin(given: CoordinatorOptions): Beginning {
  const begun = beginOf(given);
  checkFolders(begun.paths);
  return begun;
}

function beginOf(given: CoordinatorOptions): Beginning {
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

function beginResumed(given: CoordinatorOptions, only: RunOptions, which: WhichRun): Beginning {
  const { database } = resolvePaths(only);
  const { run, process } = findInterrupted(database, which);
  const { select: _, withDependencies: __, ...others } = given;
  const options = laidOver(run.options, others);
  const paths = resolvePaths(options);
  const { retryOf } = run;
  const before =
    retryOf === null
      ? null
      : withDatabase(database, (connection) => connection && readEarlierRun(connection, retryOf));
  return { options, paths, prepared: prepareResumed(run, before, { options, only, paths }), process };
}

function beginRetry(given: CoordinatorOptions, only: RunOptions, which: WhichRun): Beginning {
  const earlier = findFailed(resolvePaths(only).database, which);
  const laid = laidOver(earlier.options, given);
  const paths = resolvePaths(laid);
  const { ids, ...prepared } = prepareRetry(earlier, { options: laid, only, paths });
  // Its dependencies are among the ids.
  const options = { ...laid, select: ids, withDependencies: false };
  return { options, paths, prepared, process: null };
}
