/** Finds out why the system does not run a program file that is there. */
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, delimiter, resolve } from 'node:path';
import type { NotExecutable } from '../src/domain/failure.ts';
import { elfObstacle, isElf } from './elf.ts';

/** All that is read of a file. The kernel reads 256 bytes of a script's first line. */
const HEAD = 4096;

/**
 * Absolute path of what is there under this name, whether or not it can be run: below `cwd` when it is a path itself,
 * otherwise on `path` (as in PATH). Null for nothing.
 */
export function findFile(name: string, cwd: string, path: string): string | null {
  if (name.includes('/')) return isThere(resolve(cwd, name)) ? resolve(cwd, name) : null;
  const there = path
    .split(delimiter)
    .map((place) => resolve(cwd, place, name))
    .filter((file) => isThere(file) && statsOf(file)?.isDirectory() !== true);
  return there.find((file) => isAllowed(file, constants.X_OK)) ?? there[0] ?? null;
}

/** Null where nothing about the file says why it can't be run. */
export function whyNotExecutable(file: string, path: string): NotExecutable | null {
  const stats = statsOf(file);
  if (stats === undefined) return { obstacle: 'broken-link', detail: linkTarget(file) };
  if (stats.isDirectory()) return { obstacle: 'folder', detail: file };
  if ((stats.mode & 0o111) === 0) return { obstacle: 'no-permission', detail: file };
  if (!isAllowed(file, constants.X_OK)) return { obstacle: 'not-allowed-there', detail: file };
  if (!stats.isFile() || !isAllowed(file, constants.R_OK)) return null;
  const head = readHead(file);
  if (head.toString('latin1', 0, 2) === '#!') return scriptObstacle(head, path);
  return isElf(head) ? elfObstacle(head) : foreignObstacle(head);
}

function scriptObstacle(head: Buffer, path: string): NotExecutable | null {
  const [line = ''] = head.toString('utf8', 2).split('\n', 1);
  const [, interpreter = '', argument = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
  if (!isThere(interpreter)) return missingInterpreter(interpreter);
  if (basename(interpreter) !== 'env') return null;
  const wanted = wantedFromEnv(argument);
  return wanted === '' || findFile(wanted, '/', path) !== null ? null : missingInterpreter(wanted);
}

/** The kernel hands all that follows `env` over as one word, which only `-S` makes several of. */
function wantedFromEnv(argument: string): string {
  if (!argument.startsWith('-')) return argument;
  return argument.split(/[ \t]+/).find((word) => !/^-|=/.test(word)) ?? '';
}

function missingInterpreter(name: string): NotExecutable {
  return name.endsWith('\r')
    ? { obstacle: 'windows-line-ends', detail: name.slice(0, -1) }
    : { obstacle: 'missing-interpreter', detail: name };
}

/** The first bytes of programs of other systems. */
const FOREIGN: readonly (readonly [hex: string, what: string])[] = [
  ['4d5a', 'it is a program for Windows'],
  ['cffaedfe', 'it is a program for macOS'],
  ['cafebabe', 'it is a program for macOS, or a Java class'],
  ['0061736d', 'it is a WebAssembly module'],
];

/** A text without `#!` is none: it is run by the shell. */
function foreignObstacle(head: Buffer): NotExecutable | null {
  const start = head.toString('hex', 0, 4);
  const foreign = FOREIGN.find(([hex]) => start.startsWith(hex));
  if (foreign !== undefined) return { obstacle: 'wrong-format', detail: foreign[1] };
  return head.includes(0) ? { obstacle: 'wrong-format', detail: 'it is not a program of this system' } : null;
}

function readHead(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const head = Buffer.alloc(HEAD);
    return head.subarray(0, readSync(descriptor, head, 0, HEAD, 0));
  } finally {
    closeSync(descriptor);
  }
}

function linkTarget(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    // The link is in a folder on the way to it.
    return file;
  }
}

/** Follows links. */
function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    // A part of the path is a file, or a folder that this user may not search.
    return undefined;
  }
}

function isThere(file: string): boolean {
  try {
    return file !== '' && lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // As above.
    return false;
  }
}

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
