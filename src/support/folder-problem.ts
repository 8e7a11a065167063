import { accessSync, constants, lstatSync, mkdtempSync, rmdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * Why nothing can be written into the folder at a path, as the end of a sentence; null where it can, also after the
 * folder and those above it were made. Tries it and leaves nothing: rights alone do not say it of every file system.
 */
export function folderProblem(path: string): string | null {
  const at = resolve(path);
  try {
    const stats = statSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return isThere(at) ? `${at} is a link to nothing` : folderProblem(dirname(at));
    if (!stats.isDirectory()) return `${at} is a file, not a folder`;
    accessSync(at, constants.W_OK | constants.X_OK);
    rmdirSync(mkdtempSync(join(at, '.millrace-')));
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    // A file on the way to it, which is found there.
    return code === 'ENOTDIR' ? folderProblem(dirname(at)) : `${at} can't be written (${code})`;
  }
}

/** The file that stands where a folder should be, at this path or above it; null for none. */
export function fileInPlaceOf(folder: string): string | null {
  const at = resolve(folder);
  const found = lookAt(at);
  if (found !== null) return found.isDirectory() ? null : at;
  return dirname(at) === at ? null : fileInPlaceOf(dirname(at));
}

/** Null where nothing is found. */
function lookAt(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    // There is a file on the way to it, or it can't be looked at, which whoever opens it is told.
    return null;
  }
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
