import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Why nothing can be written into the folder at a path, as the end of a sentence; null where it can, also after the
 * folder and those above it were made. Writes nothing.
 */
export function folderProblem(path: string): string | null {
  const at = resolve(path);
  try {
    const stats = statSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return isThere(at) ? `${at} is a link to nothing` : folderProblem(dirname(at));
    if (!stats.isDirectory()) return `${at} is a file, not a folder`;
    accessSync(at, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    // A file on the way to it, which is found there.
    return code === 'ENOTDIR' ? folderProblem(dirname(at)) : `${at} can't be written (${code})`;
  }
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
