import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/**
 * Makes a folder and those above it that are missing, with `mode`. Returns the first that was made; undefined where the
 * folder exists. Node's own `recursive` never returns where the system answers ENOENT for what can't be made, as below
 * /proc, and itself reports ENOENT on a read-only file system.
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
 * Why nothing can be written into the folder at a path, as the end of a sentence; null where it can be, also where the
 * folder has to be made first. Makes a folder there and removes it: rights alone do not decide on every file system.
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
    // A part of the path is a file, which is found further up.
    return code === 'ENOTDIR' ? folderProblem(dirname(at)) : `${at} can't be written (${code})`;
  }
}

/** The path of a file where a folder should be: this path, or one above it; null for none. */
export function fileInPlaceOf(folder: string): string | null {
  const at = resolve(folder);
  const found = statsOf(at);
  if (found !== null) return found.isDirectory() ? null : at;
  return dirname(at) === at ? null : fileInPlaceOf(dirname(at));
}

/** Null where there is nothing. */
function statsOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    // A part of the path is a file, or may not be read: the caller that opens it gets the error.
    return null;
  }
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Bytes of everything at a path, links not followed. What is removed meanwhile, or may not be read, does not count. */
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
