/** The folder for what Millrace keeps between runs for one user, in all projects, and could make again. */
import { constants, lstatSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { makeFolder } from './folder.ts';

/** Null where the user has none. */
export function userCacheFolder(): string | null {
  const { XDG_CACHE_HOME, HOME } = process.env;
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'millrace');
  return HOME && isAbsolute(HOME) ? join(HOME, '.cache', 'millrace') : null;
}

/** Makes the folder where it is missing. Returns whether no other user can write into it. */
export function makeUserCacheFolder(folder: string): boolean {
  try {
    makeFolder(folder, 0o700);
    return isOwnFolder(folder);
  } catch {
    // A file is in its place, or the disk is full or read-only: it can be done without.
    return false;
  }
}

/** Whether it is a regular file in such a folder, and no other user can have written it. */
export function isOwnCacheFile(file: string): boolean {
  const stats = statsOf(file);
  return stats !== null && stats.isFile() && isOnlyOurs(stats) && isOwnFolder(dirname(file));
}

function isOwnFolder(folder: string): boolean {
  const stats = statsOf(folder);
  return stats !== null && stats.isDirectory() && isOnlyOurs(stats);
}

/** Links are not followed: anyone may have put them there. */
function statsOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    // A part of the path is a file, or may not be read.
    return null;
  }
}

/** Root can write everything anyway. */
const isOnlyOurs = ({ uid, mode }: Stats): boolean =>
  uid === process.geteuid?.() && (mode & (constants.S_IWGRP | constants.S_IWOTH)) === 0;
