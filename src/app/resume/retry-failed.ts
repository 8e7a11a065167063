/** Which workstreams of an earlier run are tried again. */
import type { EarlierResult } from '../../domain/history/earlier-run.ts';
import type { LoadedFolder } from '../../domain/plan.ts';
import type { StoredRun } from '../../store/read/earlier-run.ts';
import { nameSome } from '../../text/format.ts';
import { Refusal } from '../refusal.ts';
import { renamedMembers } from './resume.ts';

/** What was skipped because something failed, or had failed too often or cost too much. */
const BECAUSE_OF_FAILURES = new Set([
  'dependency-failed',
  'circuit-open',
  'budget-exceeded',
  'fail-fast',
  'usage-limit',
]);

/** Reasons of rows that are named for their file, because it could not be read. */
const OF_THE_FILE = new Set(['invalid-workstream', 'duplicate-id']);

/**
 * The ids of the workstreams that failed in that run or were skipped because of it, as far as they are still defined.
 * @param isMeant of which of these results.
 * @throws Refusal with exit code 4 where there are none.
 */
export function failuresOf(
  earlier: StoredRun,
  folder: LoadedFolder,
  isMeant: (result: EarlierResult) => boolean = () => true,
): { ids: string[]; notices: string[] } {
  const failed = earlier.results.filter((result) => isFailure(result) && isMeant(result));
  if (failed.length === 0) {
    throw new Refusal(4, `Nothing failed in ${earlier.runId}, so there is nothing to try again.`);
  }
  const defined = new Set([...folder.workstreams, ...folder.broken].map(({ id }) => id));
  const known = new Set(earlier.results.map(({ workstreamId }) => workstreamId));
  const gone: string[] = [];
  const ids = failed.flatMap((result) => {
    const { workstreamId: id } = result;
    if (defined.has(id)) return [id];
    const now = definedInFile(result, folder).filter((other) => !known.has(other));
    if (now.length === 0) gone.push(id);
    return now;
  });
  const renamed = renamedMembers(gone, folder.workstreams);
  if (ids.length === 0) {
    const sentence = `What failed in ${earlier.runId} is in no file any more: ${nameSome(gone)}.`;
    throw new Refusal(4, [sentence, ...renamed].join(' '));
  }
  const notices = gone.length === 0 ? [] : [`In no file any more, so not tried again: ${nameSome(gone)}.`];
  return { ids: [...new Set(ids)], notices: [...notices, ...renamed] };
}

/** Work that completed and could not be merged is done again on top of what was. */
const isFailure = ({ status, reason, couldNotMerge }: EarlierResult): boolean =>
  status === 'failed' || couldNotMerge || (reason !== null && BECAUSE_OF_FAILURES.has(reason));

function definedInFile({ file, reason }: EarlierResult, { workstreams, broken }: LoadedFolder): string[] {
  if (reason === null || !OF_THE_FILE.has(reason)) return [];
  return [...workstreams, ...broken].filter(({ source }) => source.file === file).map(({ id }) => id);
}

/** Whether a workstream completed in that run as it is now defined. */
export function completedIn(earlier: StoredRun): (id: string, hash: string) => boolean {
  const hashes = new Map(
    earlier.results
      .filter(({ status }) => status === 'completed')
      .map(({ workstreamId, definitionHash }) => [workstreamId, definitionHash]),
  );
  return (id, hash) => hashes.get(id) === hash;
}
