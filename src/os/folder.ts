import {
  mkdirSync,
  statSync,
  accessSync,
  constants,
  lstatSync,
  mkdtempSync,
  rmdirSync,
  type Stats,
} from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { dirname, resolve, join } from 'node:path';

/**
 * Makes a folder and those above it that are missing, with `mode`. Returns the first that was made; undefined where it was
 * there. Node's own `recursive` never returns where the system says ENOENT of what can't be made, as below /proc, and
 * says ENOENT itself on a file system that can't be written.
 * @throws the file system's error.
 */
export function makeFolder(path: string, mode = 0o777): string | undefined {
  const missing: string[] = [];
  for (let at = resolve(path); !isFolder(at); at = dirname(at)) missing.unshift(at);
  const made = missing.filter((folder) => makeOne(folder, mode));
  return made[0];
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Returns false where another process has made it meanwhile. */
function makeOne(folder: string, mode: number): boolean {
  try {
    mkdirSync(folder, { mode });
    return true;
  } catch (error) {
    if (isFolder(folder)) return false;
    throw error;
  }
}

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

/** Bytes of everything at a path, links as links. What goes while it is counted, or may not be looked at, is not. */
export async function sizeOf(path: string): Promise<number> {
  try {
    const found = await lstat(path);
    if (!found.isDirectory()) return found.size;
    let size = 0;
    for (const name of await readdir(path)) size += await sizeOf(join(path, name));
    return size;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'EACCES') return 0;
    throw error;
  }
}
