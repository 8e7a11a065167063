/**
 * Opens the files of executions below the run's folder of logs. A workstream can put anything there, also at the path of
 * another one's log: that is removed and a new file is made, so that no other file is written or read.
 */
import { constants, lstatSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './folder.ts';
import { openRegular, UnusableFile } from './regular-file.ts';

/** For this user only: what a workstream prints may be confidential. */
const FILE_MODE = 0o600;
/** For a file beside a log, in a folder that was just made. */
export const NEW_FILE = { mode: FILE_MODE, flag: 'wx' } as const;
const FOLDER_MODE = 0o700;

/**
 * Opens the log at `path` to read and to append, made with its folders where it is missing. Its descriptor is in append
 * mode, so that several writers never overwrite each other.
 * @throws the system's error, or an Error that says what is at the path and can't be removed.
 */
export function openLog(path: string): number {
  makeOwnFolder(dirname(path));
  const rules = {
    flags: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT,
    refuseLinks: true,
    mode: FILE_MODE,
  };
  try {
    return openRegular(path, rules);
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    removeLog(path);
    return openRegular(path, { ...rules, flags: rules.flags | constants.O_EXCL });
  }
}

/** Opens a file of an execution to read it; null where there is no such file, or no regular one. */
export function openLogToRead(path: string): number | null {
  try {
    return openRegular(path, { flags: constants.O_RDONLY, refuseLinks: true });
  } catch (error) {
    if (error instanceof UnusableFile || isMissing(error)) return null;
    throw error;
  }
}

/**
 * Makes a folder for files of executions. Both it and the folder above are made by Millrace, so that a link at the path of
 * either was not put there by the user, and is removed.
 */
export function makeOwnFolder(path: string): void {
  removeLink(dirname(path));
  if (!removeLink(path)) makeFolder(path, FOLDER_MODE);
}

/** Returns whether the folder is there. */
function removeLink(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink() === true) rmSync(folder);
  return stats?.isDirectory() === true;
}

/** Removes what is at the path of a log; of a link not its target. @throws where that is a folder with files. */
export function removeLog(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (isMissing(error)) return;
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
    removeEmptyFolder(path);
  }
}

function removeEmptyFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    throw new Error(`a folder that is not empty is in the place of ${path}`);
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** What belongs to an execution is beside the log of its output: `ws-a.log` has `ws-a.test-1.log` and `ws-a.tool`. */
const stemOf = (logFile: string): string => logFile.replace(/\.log$/, '');

/** What the acceptance test at this position, from 1, printed. */
export const testLogFile = (logFile: string, position: number): string =>
  `${stemOf(logFile)}.test-${position}.log`;

/** The folder of what its tool steps keep. */
export const toolFolder = (logFile: string): string => `${stemOf(logFile)}.tool`;
