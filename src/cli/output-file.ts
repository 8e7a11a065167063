import { folderProblem } from '../os/folder.ts';
import type { StrayFile } from '../watch/streams.ts';
import { UsageError } from './usage-error.ts';
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** In the place of a file: standard output. */
export const STANDARD_OUTPUT = '-';

/**
 * Refuses a file that could not be written later, when the work is done. Leaves nothing there; folders that are missing are
 * for whoever writes the file.
 * @param option that names it, with its dashes.
 * @param mayBeSpecial whether a pipe or a device will do.
 */
export function checkOutputFile(
  option: string,
  file: string | undefined,
  { mayBeSpecial }: { mayBeSpecial: boolean },
): void {
  if (file === undefined) return;
  const path = resolve(file);
  const stats = look(option, path);
  if (stats?.isDirectory() === true) throw new UsageError(`${option}: ${file} is a folder; name a file.`);
  if (stats?.isFile() === false && !mayBeSpecial)
    throw new UsageError(`${option}: ${file} is a pipe, socket or device; name a file.`);
  if (stats !== null) return checkWritable(option, path);
  const problem = folderProblem(dirname(path));
  if (problem !== null) throw new UsageError(`${option}: ${problem}.`);
}

/** Null for nothing there. */
function look(option: string, path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    // A file on the way to it is found when its folder is looked at.
    if (codeOf(error) === 'ENOTDIR') return null;
    throw new UsageError(`${option}: ${path} can't be used (${codeOf(error)}).`);
  }
}

function checkWritable(option: string, path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`${option}: ${path} can't be written (${codeOf(error)}).`);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

const LOOK_MS = 250;
const MAX_LINES = 200;

/**
 * Tells, line by line, of what code writes to the descriptors of standard output and error itself, past the log of its
 * workstream: native code, Node's own warnings, `process.binding`.
 * @returns to be called at the end: tells of the rest.
 */
export function tellStray(stray: StrayFile | null, tell: (line: string) => void): () => void {
  if (stray === null) return () => undefined;
  let begun = '';
  let told = 0;
  const tellLine = (line: string): void => {
    if (line.trim() === '' || told > MAX_LINES) return;
    told += 1;
    tell(told > MAX_LINES ? 'Further lines were left out.' : line);
  };
  const look = (): void => {
    const lines = (begun + stray.take()).split('\n');
    // Half of a secret can't be recognised.
    begun = lines.pop() ?? '';
    for (const line of lines) tellLine(line);
  };
  look();
  const timer = setInterval(look, LOOK_MS).unref();
  return () => {
    clearInterval(timer);
    look();
    tellLine(begun);
    begun = '';
  };
}
