/**
 * The folder of compiled files. An entry is named by all that it was made from, so that it is never out of date, and runs
 * and threads that share the folder can only write the same into it.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

/** A TypeScript file as JavaScript, which ends with its source map. */
export interface CompiledModule {
  format: 'module' | 'commonjs';
  /** Of CommonJS the names that an ES module can import, and the specifiers of what is exported in turn. */
  exports: readonly string[];
  reexports: readonly string[];
  code: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** An entry that no run has used for so long is removed. */
const KEPT_DAYS = 30;

export class CompiledFiles {
  readonly #folder: string;

  /** @param folder made when the first entry is written. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Null where there is none, or not the whole of it. */
  read(key: string): CompiledModule | null {
    const text = this.#text(key);
    if (text === null) return null;
    const [checksum = '', header = ''] = text.split('\n', 2);
    const code = text.slice(checksum.length + header.length + 2);
    return checksum === checksumOf(header, code) ? { ...JSON.parse(header), code } : null;
  }

  /** What can't be written, because the disk is full or read-only, is compiled again the next time. */
  write(key: string, { code, ...header }: CompiledModule): void {
    const json = JSON.stringify(header);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      replace(this.#path(key), `${checksumOf(json, code)}\n${json}\n${code}`);
    } catch {
      // Nothing but time is lost by it.
    }
  }

  /** Whether there seems to be one. Notes that it is used. */
  has(key: string): boolean {
    const path = this.#path(key);
    const isThere = existsSync(path);
    if (isThere) noteUse(path);
    return isThere;
  }

  /** Removes what was not used for 30 days. */
  prune(): void {
    const oldest = Date.now() - KEPT_DAYS * DAY_MS;
    for (const path of this.#paths()) {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats !== undefined && stats.isFile() && stats.mtimeMs < oldest) rmSync(path, { force: true });
    }
  }

  #text(key: string): string | null {
    const path = this.#path(key);
    try {
      const text = readFileSync(path, 'utf8');
      noteUse(path);
      return text;
    } catch {
      // There is none, or another process has just removed it.
      return null;
    }
  }

  #paths(): string[] {
    try {
      return readdirSync(this.#folder).map((name) => join(this.#folder, name));
    } catch {
      // There is no such folder yet.
      return [];
    }
  }

  #path(key: string): string {
    return join(this.#folder, `${key}.compiled`);
  }
}

/** Other threads and processes may do the same: each writes a file of its own, and then gives it the name. */
function replace(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}.${threadId}.tmp`;
  try {
    writeFileSync(unfinished, text);
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** The time of change of an entry says when it was used last: what pruning old runs goes by. */
function noteUse(path: string): void {
  const now = Date.now() / 1000;
  try {
    utimesSync(path, now, now);
  } catch {
    // In a folder that is read-only it can be used all the same, and pruning could not remove anything there either.
  }
}

const checksumOf = (header: string, code: string): string =>
  createHash('sha256').update(header).update('\n').update(code).digest('hex').slice(0, 32);
