/** The program of the native command host: where it is, and how it is compiled. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { isOwnCacheFile, makeUserCacheFolder, userCacheFolder } from '../os/user-cache.ts';
import { firstOf } from '../text/cut-text.ts';
import { entryFile } from './entry-file.ts';

/** Which host to use: `node`, or `native` where that is possible, as without it. */
const VARIABLE = 'MILLRACE_COMMAND_HOST';
const FLAGS = ['-std=c11', '-O2'];
/** In the build only: another compiler may warn of more. */
const STRICT = ['-Wall', '-Wextra', '-Werror'];
/** What could not be compiled is tried again after this long: the system may have changed. */
const RETRY_MS = 24 * 60 * 60 * 1000;
const MOST_SAID = 300;

/** The program that can be used, or why there is none. */
export type NativeHost = { file: string; obstacle: null } | { file: null; obstacle: string };

/**
 * The build compiles the program where there is a C compiler. An installed package has the source only: the first run
 * with many commands compiles it (`compileForLaterRuns`) into a folder of the user. What is found there is executed, so
 * it is used only where no other user can have written it.
 */
export function findNativeHost(): NativeHost {
  const obstacle = obstacleHere();
  if (obstacle !== null) return { file: null, obstacle };
  const built = builtFile();
  if (existsSync(built)) return { file: built, obstacle: null };
  const cached = cachedFile();
  if (cached === null) return { file: null, obstacle: 'this user has no folder to keep its program in' };
  if (isOwnCacheFile(cached)) return { file: cached, obstacle: null };
  return { file: null, obstacle: failureOf(cached) ?? 'it is compiled by the first run with many commands' };
}

/** Why it can't be used at all; null where it can. */
function obstacleHere(): string | null {
  if (process.env[VARIABLE] === 'node') return `${VARIABLE} is node`;
  return process.platform === 'linux' ? null : 'it is for Linux only';
}

/** Compiles it into the build, in place of those of earlier sources. Resolves with why that failed; null where it is there. */
export function buildNativeHost(): Promise<string | null> {
  const built = builtFile();
  if (existsSync(built)) return Promise.resolve(null);
  const folder = dirname(built);
  for (const name of readdirSync(folder)) if (name.startsWith('command-host-')) rmSync(join(folder, name));
  return new Compilation(built, STRICT).failure;
}

/**
 * Begins to compile it in the background, so that this run neither waits for it nor fails by it. Returns null where
 * there is nothing to compile, or that has failed lately.
 */
export function compileForLaterRuns(): Compilation | null {
  const cached = obstacleHere() === null ? cachedFile() : null;
  if (cached === null || failureOf(cached) !== null || !makeUserCacheFolder(dirname(cached))) return null;
  const compilation = new Compilation(cached);
  compilation.unref();
  void compilation.failure.then((failure) => failure !== null && noteFailure(cached, failure));
  return compilation;
}

/** The compilation of the program. */
export class Compilation {
  /** Resolves with why it failed; null where it did not. */
  readonly failure: Promise<string | null>;
  readonly #unfinished: string;
  readonly #target: string;
  readonly #compiler: ChildProcess;
  #isStopped = false;

  /** @param target the program gets this path when it is complete. */
  constructor(target: string, warnings: readonly string[] = []) {
    this.#target = target;
    this.#unfinished = `${target}.${randomUUID()}`;
    const [compiler = 'cc', ...own] = (process.env['CC'] ?? '').split(' ').filter(Boolean);
    const args = [...own, ...FLAGS, ...warnings, '-o', this.#unfinished, sourceFile()];
    this.#compiler = spawn(compiler, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    this.#compiler.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = firstOf(said + text, MOST_SAID);
    });
    this.failure = new Promise((resolve) => {
      this.#compiler.once('error', (error) => resolve(`${compiler} can't be started (${error.message})`));
      this.#compiler.once('close', (code) =>
        resolve(this.#finish(code, `${compiler} failed: ${said.trim()}`)),
      );
    });
  }

  /** From now on the process does not stay alive for it. */
  unref(): void {
    this.#compiler.unref();
    const { stderr } = this.#compiler;
    if (stderr instanceof Socket) stderr.unref();
  }

  /** Ends it, where it still goes on: a later run begins it anew. */
  stop(): void {
    this.#isStopped = true;
    this.#compiler.kill('SIGKILL');
  }

  #finish(code: number | null, failure: string): string | null {
    try {
      if (code !== 0) return this.#isStopped ? null : failure;
      chmodSync(this.#unfinished, 0o700);
      // Another run may do the same: each has a file of its own until then.
      renameSync(this.#unfinished, this.#target);
      return null;
    } catch (error) {
      return `it could not be kept: ${String(error)}`;
    } finally {
      rmSync(this.#unfinished, { force: true });
    }
  }
}

const sourceFile = (): string => join(dirname(entryFile('command-host')), 'native', 'command-host.c');

/** Of this source, for this machine: another version has another file. */
function programName(): string {
  const hash = createHash('sha256').update(readFileSync(sourceFile())).digest('hex');
  return `command-host-${hash.slice(0, 16)}-${process.arch}`;
}

const builtFile = (): string => join(dirname(sourceFile()), programName());

function cachedFile(): string | null {
  const folder = userCacheFolder();
  return folder === null ? null : join(folder, programName());
}

const failureFile = (cached: string): string => `${cached}.failed`;

/** Why it could not be compiled lately; null where that was not tried. */
function failureOf(cached: string): string | null {
  try {
    const file = failureFile(cached);
    return Date.now() - statSync(file).mtimeMs < RETRY_MS ? readFileSync(file, 'utf8') : null;
  } catch {
    // The usual case: there is no such file.
    return null;
  }
}

function noteFailure(cached: string, failure: string): void {
  try {
    writeFileSync(failureFile(cached), failure, { mode: 0o600 });
  } catch {
    // A full disk: it is tried again by the next run.
  }
}
