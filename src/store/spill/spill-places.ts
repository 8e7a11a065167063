/** Where results are kept that the database would not take, and how they are found again. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

const SPILL = /^millrace-spill-.*\.(jsonl|db)$/;
/** Whose it is, the run, and what makes the name unique. */
const UNFINISHED = /^millrace-spill-[\da-f]{12}-(.+)-[\da-f]{8}\.db\.part$/;
const SET_ASIDE = /\.db\.replaced-\d{14}(-\d+)?$|^millrace-spill-.*\.rejected$/;

/** The folders for spills of a database, in the order in which they are tried: its own, the system's, the one above. */
export function spillFolders(database: string): string[] {
  const own = dirname(resolve(database));
  return [...new Set([own, tmpdir(), dirname(own)])];
}

/**
 * The beginning of the names of a database's spills. Other folders than the database's own may hold those of several,
 * so the name says whose it is.
 */
export function spillPrefix(database: string): string {
  return `millrace-spill-${createHash('sha256').update(realFolder(database)).digest('hex').slice(0, 12)}-`;
}

/** Whether a spill is a copy of the whole database, and not lines of results. */
export const isCopy = (spill: string): boolean => spill.endsWith('.db');

/**
 * The spills of a database: copies of it first, because they have the runs of which others have results, and those in
 * the order in which they were written. In the database's own folder any spill counts, so
 * that one can be carried there. Elsewhere only what this user wrote: others may write to the system's folder too.
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

/** A copy of the database that was not finished, because the process of its run died meanwhile or is at it. */
export interface UnfinishedCopy {
  path: string;
  runId: string;
}

/** Those that this user wrote of this database. What they were to hold is not in them alone. */
export function unfinishedCopies(database: string): UnfinishedCopy[] {
  const prefix = spillPrefix(database);
  return spillFolders(database)
    .flatMap((folder) => namesIn(folder, UNFINISHED).map((name) => join(folder, name)))
    .filter((path) => basename(path).startsWith(prefix) && isOurs(path))
    .map((path) => ({ path, runId: UNFINISHED.exec(basename(path))?.[1] ?? '' }));
}

/** What a run found in the database's place that was none, and spills of which something could not be used. */
export function setAsides(database: string): string[] {
  const own = dirname(resolve(database));
  return namesIn(own, SET_ASIDE).map((name) => join(own, name));
}

/** None in a folder that is not there or can't be looked at: nothing can be spilled there either. */
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

/** However the folder is reached, by way of links or not, it is the same one. */
function realFolder(database: string): string {
  const folder = dirname(resolve(database));
  try {
    return realpathSync(folder);
  } catch {
    // It is not there yet, so nothing leads to it.
    return folder;
  }
}
