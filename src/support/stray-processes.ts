/** Processes of which nothing proves whose they are. */
import { realpathSync } from 'node:fs';
import { MARK_VARIABLE, type NamedProcess } from './owned-processes.ts';
import { ancestors, commandOf, entryOf, folderOf, variableOf } from './process-table.ts';

/**
 * Those of these processes that may have been started by what worked in this folder, although nothing proves it: they
 * work there too, have lost their parent, and carry no mark at all. That is no reason to end them.
 */
export function straysAmong(pids: readonly number[], folder: string): NamedProcess[] {
  return straysAmongUnmarked(pids.filter(hasNoMark), folder);
}

/** The same for processes that are known to carry no mark. */
export function straysAmongUnmarked(pids: readonly number[], folder: string): NamedProcess[] {
  if (pids.length === 0) return [];
  const real = realFolder(folder);
  const inFolder = real === null ? [] : pids.filter((pid) => isIn(folderOf(pid), real));
  if (inFolder.length === 0) return [];
  const parents = adopters();
  return inFolder
    .filter((pid) => parents.includes(entryOf(pid)?.parent ?? 0))
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

const hasNoMark = (pid: number): boolean => variableOf(pid, MARK_VARIABLE) === undefined;

const isIn = (place: string | null, folder: string): boolean =>
  place !== null && (place === folder || place.startsWith(`${folder}/`));

function realFolder(folder: string): string | null {
  try {
    return realpathSync(folder);
  } catch {
    // It is gone, and whoever worked there with it.
    return null;
  }
}

/** Who gets the children of those that end: the first process, and what it started that we descend from. */
function adopters(): number[] {
  const [first = 1, second] = ancestors().toReversed();
  return second === undefined || second === process.pid || second === process.ppid
    ? [1, first]
    : [1, first, second];
}
