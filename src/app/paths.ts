import { chmodSync, existsSync, lstatSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileInPlaceOf, folderProblem, makeFolder as make } from '../os/folder.ts';
import { readRegular } from '../os/regular-file.ts';
import { messageOf } from '../text/error-message.ts';
import type { RunOptions } from './options.ts';
import { Refusal } from './refusal.ts';

/** The name of the database in the state folder. */
export const DATABASE = 'multi_agent_consolidated.db';

/** Where the address and the token of a run's dashboard are while it is under way, in the state folder. */
export const DASHBOARD_PLACE = 'dashboard.json';

/** Absolute places of a run. */
export interface Paths {
  cwd: string;
  workstreams: string;
  state: string;
  database: string;
  /** Folder of the output of one run's workstreams. */
  logs(runId: string): string;
  /** Folder for compiled modules. */
  cache: string;
  reports: string;
}

/** Resolves the folders of a run against its working folder. */
export function resolvePaths(options: Pick<RunOptions, 'cwd' | 'workstreams' | 'state' | 'reports'>): Paths {
  const cwd = resolve(options.cwd);
  const state = resolve(cwd, options.state);
  const logs = withoutLink(join(state, 'logs'));
  return {
    cwd,
    workstreams: resolve(cwd, options.workstreams),
    state,
    database: join(state, DATABASE),
    logs: (runId) => join(logs, runId),
    cache: join(state, 'cache'),
    reports: resolve(cwd, options.reports),
  };
}

/** A user may keep logs on another disk. A link that appears in their place after a run has begun is not the user's. */
function withoutLink(folder: string): string {
  try {
    return lstatSync(folder).isSymbolicLink() ? realpathSync(folder) : folder;
  } catch {
    // It is missing, or a broken link, which making the folder reports.
    return folder;
  }
}

/** What is in the state folder is for this user only. */
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;
const IGNORE_ALL = '*\n';

/**
 * Checks, before anything is run, that a run can write where it has to. Leaves nothing there.
 * @throws Refusal with exit code 2 where it can't.
 */
export function checkFolders({ state, reports }: Pick<Paths, 'state' | 'reports'>): void {
  for (const [option, folder] of [
    ['--state', state],
    ['--reports', reports],
  ] as const) {
    const problem = folderProblem(folder);
    if (problem !== null)
      throw new Refusal(2, `${option}: ${problem}. Name a folder that can be written to; nothing was run.`);
  }
}

/** @throws Refusal with exit code 2 where the state folder is a file. */
export function checkState(state: string): void {
  const file = fileInPlaceOf(state);
  if (file !== null) throw new Refusal(2, `--state: ${file} is a file, not a folder.`);
}

/** Makes a folder, for this user only unless said otherwise. @throws Refusal with exit code 3 when that is not possible. */
export function makeFolder(path: string, mode = FOLDER_MODE): void {
  attempt(path, () => make(path, mode));
}

/**
 * Makes the state folder. Nothing in it is a source: a new one has a .gitignore for all of it. One that an earlier
 * version made for everybody to read is closed to others; one that a user made keeps its permissions.
 */
export function makeStateFolder(path: string): void {
  attempt(path, () => {
    if (make(path, FOLDER_MODE) !== undefined) hideFromGit(path);
    else if ((statSync(path).mode & OTHERS) !== 0 && isOurs(path)) chmodSync(path, FOLDER_MODE);
  });
}

function isOurs(path: string): boolean {
  try {
    return readRegular(join(path, '.gitignore'), 64).toString() === IGNORE_ALL;
  } catch {
    // Nothing says that it is.
    return false;
  }
}

/** Makes the state folder of a run again that was removed meanwhile. @throws the file system's error. */
export function remakeStateFolder(path: string): void {
  make(path, FOLDER_MODE);
  if (!existsSync(join(path, '.gitignore'))) hideFromGit(path);
}

const hideFromGit = (path: string): void => writeFileSync(join(path, '.gitignore'), IGNORE_ALL);

function attempt(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const why = messageOf(error);
    throw new Refusal(3, `The folder ${path} can't be made: ${why}`, error);
  }
}
