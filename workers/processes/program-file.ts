/** Finds out why the system does not run a program file that is there. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, delimiter, resolve } from 'node:path';
import type { NotExecutable } from '../../src/domain/failure.ts';

/** All that is read of a file. The kernel reads 256 bytes of a script's first line. */
const HEAD = 4096;

/**
 * The paths at which a program of this name is looked for: below `folder` when it is a path itself, otherwise on `path`
 * (as in PATH, where an empty part is the folder).
 */
function candidatesFor(name: string, folder: string, path: string): string[] {
  const places = name.includes('/') ? [''] : path.split(delimiter);
  return places.map((place) => resolve(folder, place, name));
}

/** Absolute path of the file that is run for `name` (see `candidatesFor`); null where this user may run none. */
export const findProgram = (name: string, folder: string, path: string): string | null =>
  candidatesFor(name, folder, path).find(isExecutable) ?? null;

/** Absolute path of what is there under this name, whether or not it can be run; null for nothing. */
export function findFile(name: string, cwd: string, path: string): string | null {
  const there = candidatesFor(name, cwd, path).filter(isThere);
  if (name.includes('/')) return there[0] ?? null;
  const files = there.filter((file) => statsOf(file)?.isDirectory() !== true);
  return files.find((file) => isAllowed(file, constants.X_OK)) ?? files[0] ?? null;
}

/** Why a file can't be run; null where nothing about it explains that. */
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

/** The kernel passes all that follows `env` as one word, which only `-S` splits. */
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

const isExecutable = (file: string): boolean =>
  isAllowed(file, constants.X_OK) && statsOf(file)?.isFile() === true;

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}

// Reads the head of an ELF file, the format of Linux's programs, as far as it says where the program can run.

/** Node's names of the processors that it runs on, and of others that programs are often built for. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};
/** What runs programs of another processor too. */
const ALSO_RUNS: Readonly<Record<string, string>> = { x64: 'ia32', arm64: 'arm' };

/** Where the fields of the two sizes of ELF are. */
const FIELDS_64 = { table: 32, entrySize: 54, entries: 56, offset: 8, length: 32 };
const FIELDS_32 = { table: 28, entrySize: 42, entries: 44, offset: 4, length: 16 };
const MACHINE = 18;
const HEADER = 64;
/** The type of the entry that names the loader. */
const LOADER = 3;

export const isElf = (head: Buffer): boolean => head.toString('latin1', 0, 4) === '\u007fELF';

/** Null where its head shows no obstacle. */
export function elfObstacle(head: Buffer): NotExecutable | null {
  if (head.length < HEADER) return { obstacle: 'wrong-format', detail: 'its file is cut off' };
  const reader = new ElfHead(head);
  const machine = MACHINES[reader.word(MACHINE)] ?? 'another processor';
  if (machine !== process.arch && ALSO_RUNS[process.arch] !== machine) {
    const detail = `it was built for ${machine}, and this machine is ${process.arch}`;
    return { obstacle: 'wrong-format', detail };
  }
  const loader = reader.loader();
  return loader === null || existsSync(loader) ? null : { obstacle: 'missing-loader', detail: loader };
}

class ElfHead {
  readonly #bytes: Buffer;
  readonly #is64: boolean;
  readonly #isLittle: boolean;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#is64 = bytes[4] === 2;
    this.#isLittle = bytes[5] === 1;
  }

  word(at: number): number {
    return this.#isLittle ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  /** Path of the program that loads its libraries; null where it names none, or not within these bytes. */
  loader(): string | null {
    const fields = this.#is64 ? FIELDS_64 : FIELDS_32;
    const size = this.word(fields.entrySize);
    const start = this.#long(fields.table);
    for (let index = 0; index < this.word(fields.entries); index += 1) {
      const entry = start + index * size;
      if (entry + size > this.#bytes.length) return null;
      if (this.#int(entry) === LOADER) return this.#text(entry, fields);
    }
    return null;
  }

  #text(entry: number, fields: typeof FIELDS_64): string | null {
    const from = this.#long(entry + fields.offset);
    const length = this.#long(entry + fields.length);
    if (from + length > this.#bytes.length) return null;
    return this.#bytes.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  }

  #int(at: number): number {
    return this.#isLittle ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** An address: 8 bytes or 4. */
  #long(at: number): number {
    if (!this.#is64) return this.#int(at);
    return Number(this.#isLittle ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at));
  }
}
