/** Where results are kept that the database would not take, and how they are found again. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

const SPILL = /^millrace-spill-.*\.(jsonl|db)$/;
/** The database's prefix, the run, and what makes the name unique. */
const UNFINISHED = /^millrace-spill-[\da-f]{12}-(.+)-[\da-f]{8}\.db\.part$/;
const SET_ASIDE = /\.db\.replaced-\d{14}(-\d+)?$|^millrace-spill-.*\.rejected$/;

/** The folders for spills of a database, in the order in which they are tried: its own, then the system's temporary one. */
export const spillFolders = (database: string): string[] => [
  ...new Set([dirname(resolve(database)), tmpdir()]),
];

/**
 * The prefix of the names of a database's spills: the folder for temporary files holds those of several databases.
 */
export function spillPrefix(database: string): string {
  return `millrace-spill-${createHash('sha256').update(realFolder(database)).digest('hex').slice(0, 12)}-`;
}

/** Whether a spill is a copy of a whole database, and not lines of results. */
export const isCopy = (spill: string): boolean => spill.endsWith('.db');

/**
 * The spills of a database: first its copies, because the lines in the others are of runs that may only be in a copy,
 * then those in the order in which they were written. In the database's own folder any spill counts, so that one can be
 * moved there by hand. In the folder for temporary files, which others may write to, only those that this user wrote.
 */
export function findSpills(database: string): string[] {
  const [own, ...others] = spillFolders(database);
  const prefix = spillPrefix(database);
  const found = own === undefined ? [] : namesIn(own).map((name) => join(own, name));
  for (const folder of others) {
    const names = namesIn(folder).filter((name) => name.startsWith(prefix));
    found.push(...names.map((name) => join(folder, name)).filter(isOurs));
  }
  const order = (path: string): string => `${isCopy(path) ? 0 : 1} ${basename(path)}`;
  return found.toSorted((one, other) => (order(one) < order(other) ? -1 : 1));
}

/** A copy of the database that is not finished: the process of its run has died, or is still writing it. */
export interface UnfinishedCopy {
  path: string;
  runId: string;
}

/** The unfinished copies of this database that this user wrote. What they were to hold is in another file too. */
export function unfinishedCopies(database: string): UnfinishedCopy[] {
  const prefix = spillPrefix(database);
  return spillFolders(database)
    .flatMap((folder) => namesIn(folder, UNFINISHED).map((name) => join(folder, name)))
    .filter((path) => basename(path).startsWith(prefix) && isOurs(path))
    .map((path) => ({ path, runId: UNFINISHED.exec(basename(path))?.[1] ?? '' }));
}

/** Files that a run found in the database's place, and spills of which something could not be used. */
export function setAsides(database: string): string[] {
  const own = dirname(resolve(database));
  return namesIn(own, SET_ASIDE).map((name) => join(own, name));
}

/** None in a folder that is not there or can't be listed: nothing can be spilled there either. */
function namesIn(folder: string, pattern = SPILL): string[] {
  try {
    return readdirSync(folder).filter((name) => pattern.test(name));
  } catch {
    return [];
  }
}

function isOurs(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.isFile() && found.uid === (process.getuid?.() ?? found.uid);
}

/** The same path, whatever links lead to the folder. */
function realFolder(database: string): string {
  const folder = dirname(resolve(database));
  try {
    return realpathSync(folder);
  } catch {
    // It is not there yet, so nothing leads to it.
    return folder;
  }
}
