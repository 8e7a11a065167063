/** Keeps results on the disk while the database refuses them. */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentResult } from '../../domain/agent-result.ts';
import { makeFolder } from '../../os/folder.ts';
import { writeAll } from '../../os/regular-file.ts';
import { readSpillLine, spillLine } from './spill-line.ts';
import { spillFolders, spillPrefix } from './spill-places.ts';

interface SpillFile {
  path: string;
  folder: string;
  descriptor: number;
  bytes: number;
}

interface SpillLocation {
  file: SpillFile;
  from: number;
  bytes: number;
}

/**
 * The spill of one run. When `keep` returns, the results are on the disk; where a file can't be written any more, the next
 * folder is tried. In memory it holds the place of each result, not the result.
 */
export class Spill {
  readonly #database: string;
  /** Computed at the start: a link that leads to the database may be pointed elsewhere later. */
  readonly #prefix: string;
  readonly #folders: readonly string[];
  readonly #files: SpillFile[] = [];
  readonly #locations = new Map<string, SpillLocation>();
  /** Part of the file names, which sort in the order in which they were written. */
  #filesMade = 0;

  constructor(database: string, folders: readonly string[] = spillFolders(database)) {
    this.#database = database;
    this.#prefix = spillPrefix(database);
    this.#folders = folders;
  }

  /** Number of results. */
  get size(): number {
    return this.#locations.size;
  }

  /** The files, in the order in which they were written. */
  get paths(): string[] {
    return this.#files.map(({ path }) => path);
  }

  /** Keeps all of them, or none. Returns whether a new file was made. @throws the last folder's error. */
  keep(results: readonly AgentResult[]): boolean {
    const lines = results.map((result) => Buffer.from(spillLine(result)));
    const bytes = Buffer.concat(lines);
    const current = this.#files.at(-1);
    if (current !== undefined && appended(current, bytes) === null) {
      this.#remember(current, results, lines);
      return false;
    }
    let refusal: unknown = null;
    for (const folder of this.#folders) {
      if (folder === current?.folder) continue;
      try {
        const file = this.#newFile(folder, results[0]?.runId ?? '', bytes);
        this.#files.push(file);
        this.#remember(file, results, lines);
        return true;
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal ?? new Error('there is no other folder for a spill');
  }

  /** The result of a workstream; null for one that is not kept here. @throws when its file can't be read any more. */
  get(workstreamId: string): AgentResult | null {
    const location = this.#locations.get(workstreamId);
    if (location === undefined) return null;
    const { file, from, bytes } = location;
    const buffer = Buffer.alloc(bytes);
    for (let done = 0; done < buffer.length; ) {
      const read = readSync(file.descriptor, buffer, done, buffer.length - done, from + done);
      if (read === 0) throw new Error(`${file.path} is shorter than it was`);
      done += read;
    }
    return readSpillLine(buffer.toString());
  }

  /** Closes the files, which stay on the disk. */
  close(): void {
    for (const { descriptor } of this.#files) closeSync(descriptor);
    this.#files.length = 0;
    this.#locations.clear();
  }

  #remember(file: SpillFile, results: readonly AgentResult[], lines: readonly Buffer[]): void {
    for (const [index, { workstreamId }] of results.entries()) {
      const bytes = lines[index]?.length ?? 0;
      this.#locations.set(workstreamId, { file, from: file.bytes, bytes });
      file.bytes += bytes;
    }
  }

  /** Makes a file that only this user may read. Where it can't be written, it is removed again. */
  #newFile(folder: string, runId: string, bytes: Buffer): SpillFile {
    this.#filesMade += 1;
    const number = String(this.#filesMade).padStart(6, '0');
    const name = `${this.#prefix}${runId}-${number}-${randomUUID().slice(0, 8)}.jsonl`;
    const path = join(folder, name);
    if (folder === dirname(this.#database)) makeFolder(folder);
    const file = { path, folder, descriptor: openSync(path, 'wx+', 0o600), bytes: 0 };
    const refusal = appended(file, bytes) ?? folderOnDisk(folder);
    if (refusal === null) return file;
    closeSync(file.descriptor);
    rmSync(path, { force: true });
    throw refusal;
  }
}

/** Appends and waits for the disk. Returns the error that prevents it, with the file as it was; null for none. */
function appended({ descriptor, bytes: length }: SpillFile, bytes: Buffer): Error | null {
  try {
    writeAll(descriptor, bytes, length);
    fsyncSync(descriptor);
    return null;
  } catch (error) {
    cutBack(descriptor, length);
    return asError(error);
  }
}

/** Where that fails, a part of a line stays, which counts as unusable when the file is imported. */
function cutBack(descriptor: number, length: number): void {
  try {
    ftruncateSync(descriptor, length);
  } catch (error) {
    process.emitWarning(asError(error));
  }
}

/** A new file survives a power cut once its folder is on the disk. Returns the error that prevents it; null for none. */
function folderOnDisk(folder: string): Error | null {
  if (process.platform === 'win32') return null;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
    return null;
  } catch (error) {
    return asError(error);
  } finally {
    closeSync(descriptor);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
