import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { folderProblem } from '../os/folder.ts';
import type { StrayFile } from '../watch/streams.ts';
import { UsageError } from './usage-error.ts';

/** In the place of a file: standard output. */
export const STANDARD_OUTPUT = '-';

/**
 * Refuses a file that could not be written later, when the work is done. Creates nothing, no missing folders either.
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
  const stats = statsOf(option, path);
  if (stats?.isDirectory() === true) throw new UsageError(`${option}: ${file} is a folder; name a file.`);
  if (stats?.isFile() === false && !mayBeSpecial)
    throw new UsageError(`${option}: ${file} is a pipe, socket or device; name a file.`);
  if (stats !== null) return checkWritable(option, path);
  const problem = folderProblem(dirname(path));
  if (problem !== null) throw new UsageError(`${option}: ${problem}.`);
}

/** Null where there is no file. */
function statsOf(option: string, path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    // The check of its folder reports a file on the way to it.
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

const READ_MS = 250;
const MAX_LINES = 200;

/**
 * Forwards, line by line, what code writes to the descriptors of standard output and error directly, past the log of its
 * workstream: native code, Node's own warnings, `process.binding`.
 * @returns a function that forwards the rest; call it at the end.
 */
export function forwardStrayOutput(stray: StrayFile | null, forward: (line: string) => void): () => void {
  if (stray === null) return () => undefined;
  let partial = '';
  let count = 0;
  const forwardLine = (line: string): void => {
    if (line.trim() === '' || count > MAX_LINES) return;
    count += 1;
    forward(count > MAX_LINES ? 'Further lines were left out.' : line);
  };
  const read = (): void => {
    const lines = (partial + stray.take()).split('\n');
    // Half of a secret can't be recognised.
    partial = lines.pop() ?? '';
    for (const line of lines) forwardLine(line);
  };
  read();
  const timer = setInterval(read, READ_MS).unref();
  return () => {
    clearInterval(timer);
    read();
    forwardLine(partial);
    partial = '';
  };
}
