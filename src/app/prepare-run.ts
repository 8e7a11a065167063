/** From what a caller asks for to what is to be run: a new run, or one that goes on with another. */
import { mergeOptions, type ParsedOptions, type RunOptions } from './options.ts';
import { checkFolders, type Paths, resolvePaths } from './paths.ts';
import { type Prepared, prepare, prepareResumed, prepareRetry } from './prepare.ts';
import { Refusal } from './refusal.ts';
import { findFailed, findInterrupted, findRepeated, type RunSelector } from './resume/earlier-run.ts';

export interface RunRequest {
  options: RunOptions;
  paths: Paths;
  prepared: Prepared;
}

/**
 * Finds the run that is meant, lays the options over those it had, loads and plans. Writes nothing.
 * @throws Refusal with exit code 2 for options and folders that can't be used and for a run that is under way, 3 for a
 * database that can't be read, 4 when nothing matches.
 */
export function prepareRun(parsed: ParsedOptions): RunRequest {
  const begun = beginOf(parsed);
  checkFolders(begun.paths);
  return begun;
}

function beginOf(parsed: ParsedOptions): RunRequest {
  const { options } = parsed;
  const { resume, retryFailed } = options;
  if (resume !== null && retryFailed !== null) {
    throw new Refusal(2, 'A run is either resumed or tried again: name one of --resume and --retry-failed.');
  }
  if (options.pattern !== null && retryFailed === null)
    throw new Refusal(2, '--pattern chooses among failures of an earlier run: use it with --retry-failed.');
  if (resume !== null) return beginResumed(parsed, resume);
  if (retryFailed !== null) return beginRetry(parsed, retryFailed);
  const paths = resolvePaths(options);
  return { options, paths, prepared: prepare(options, paths) };
}

/** The selection that is given names a part of what the run had selected. */
function beginResumed({ options: only, given }: ParsedOptions, which: RunSelector): RunRequest {
  const { database } = resolvePaths(only);
  const run = findInterrupted(database, which);
  const others = new Set(given);
  for (const name of ['select', 'withDependencies']) others.delete(name);
  const options = mergeOptions(run.options, { options: only, given: others });
  const paths = resolvePaths(options);
  const { retryOf } = run;
  const before = retryOf === null ? null : findRepeated(database, retryOf);
  return { options, paths, prepared: prepareResumed(run, before, { options, asked: only, paths }) };
}

function beginRetry(parsed: ParsedOptions, which: RunSelector): RunRequest {
  const { options: only } = parsed;
  const earlier = findFailed(resolvePaths(only).database, which);
  const merged = mergeOptions(earlier.options, parsed);
  const paths = resolvePaths(merged);
  const { ids, ...prepared } = prepareRetry(earlier, { options: merged, only, paths });
  // Its dependencies are among the ids.
  const options = { ...merged, select: ids, withDependencies: false };
  return { options, paths, prepared };
}
