/** Processes of which nothing proves whose they are. */
import { realpathSync } from 'node:fs';
import { MARK_VARIABLE, type NamedProcess } from './owned-processes.ts';
import { ancestors, commandOf, entryOf, folderOf, variableOf } from './process-table.ts';

/**
 * Those of these processes that may have been started by what worked in this folder, although nothing proves it: they
 * work there too, have lost their parent, and carry no mark at all. That is no reason to end them.
 */
export function straysAmong(pids: readonly number[], folder: string): NamedProcess[] {
  const strays = pids.filter((pid) => hasNoParent(pid) && isIn(folderOf(pid), folder) && hasNoMark(pid));
  return strays.map((pid) => ({ pid, command: commandOf(pid) }));
}

function hasNoParent(pid: number): boolean {
  const entry = entryOf(pid);
  return entry !== null && (entry.parent === 1 || adopters().includes(entry.parent));
}

const hasNoMark = (pid: number): boolean => variableOf(pid, MARK_VARIABLE) === undefined;

function isIn(place: string | null, folder: string): boolean {
  const real = place === null ? null : realFolder(folder);
  return place !== null && real !== null && (place === real || place.startsWith(`${real}/`));
}

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
    ? [first]
    : [first, second];
}
