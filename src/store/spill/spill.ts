/** Keeps results on the disk for as long as the database does not take them. */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../os/folder.ts';
import { readSpillLine, spillLine, type SpilledResult } from './spill-line.ts';
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
 * The spill of one run. What `keep` was given is on the disk when it returns; if a file takes no more, the next folder
 * is tried. Where each result is stays known, and not what is in it.
 */
export class Spill {
  readonly #database: string;
  /** Found before a link that leads to the database may be pointed elsewhere. */
  readonly #prefix: string;
  readonly #folders: readonly string[];
  readonly #files: SpillFile[] = [];
  readonly #places = new Map<string, SpillLocation>();
  /** By which files are found again in the order in which they were written. */
  #made = 0;

  constructor(database: string, folders: readonly string[] = spillFolders(database)) {
    this.#database = database;
    this.#prefix = spillPrefix(database);
    this.#folders = folders;
  }

  /** Number of results. */
  get size(): number {
    return this.#places.size;
  }

  /** The files, in the order in which they were written. */
  get paths(): string[] {
    return this.#files.map(({ path }) => path);
  }

  /** Keeps all of them, or none. Returns whether that took a new file. @throws the last folder's error. */
  keep(results: readonly SpilledResult[]): boolean {
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
        const file = this.#newFile(folder, results[0]?.result.runId ?? '', bytes);
        this.#files.push(file);
        this.#remember(file, results, lines);
        return true;
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal ?? new Error('there is no other folder for a spill');
  }

  /** The result of this workstream; null when it is not here. @throws when its file can't be read any more. */
  get(workstreamId: string): SpilledResult | null {
    const place = this.#places.get(workstreamId);
    if (place === undefined) return null;
    const buffer = Buffer.alloc(place.bytes);
    for (let done = 0; done < buffer.length; ) {
      const read = readSync(place.file.descriptor, buffer, done, buffer.length - done, place.from + done);
      if (read === 0) throw new Error(`${place.file.path} is shorter than it was`);
      done += read;
    }
    return readSpillLine(buffer.toString());
  }

  /** Closes the files; what is in them stays on the disk. */
  close(): void {
    for (const { descriptor } of this.#files) closeSync(descriptor);
    this.#files.length = 0;
    this.#places.clear();
  }

  #remember(file: SpillFile, results: readonly SpilledResult[], lines: readonly Buffer[]): void {
    for (const [index, { result }] of results.entries()) {
      const bytes = lines[index]?.length ?? 0;
      this.#places.set(result.workstreamId, { file, from: file.bytes, bytes });
      file.bytes += bytes;
    }
  }

  /** One that does not stay when nothing can be written to it. Only this user may read it. */
  #newFile(folder: string, runId: string, bytes: Buffer): SpillFile {
    this.#made += 1;
    const number = String(this.#made).padStart(6, '0');
    const name = `${this.#prefix}${runId}-${number}-${randomUUID().slice(0, 8)}.jsonl`;
    const path = join(folder, name);
    if (folder === dirname(this.#database)) makeFolder(folder);
    const file = { path, folder, descriptor: openSync(path, 'wx+', 0o600), bytes: 0 };
    const refusal = appended(file, bytes) ?? namedOnDisk(folder);
    if (refusal === null) return file;
    closeSync(file.descriptor);
    rmSync(path, { force: true });
    throw refusal;
  }
}

/** Appends and waits for the disk. Returns the error that prevents it, with the file as it was; null for none. */
function appended({ descriptor, bytes: length }: SpillFile, bytes: Buffer): Error | null {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(descriptor, bytes, done, bytes.length - done, length + done);
    }
    fsyncSync(descriptor);
    return null;
  } catch (error) {
    cutBack(descriptor, length);
    return asError(error);
  }
}

/** Where not even that is possible, the begin of a line stays, which is told as no result when it is taken in. */
function cutBack(descriptor: number, length: number): void {
  try {
    ftruncateSync(descriptor, length);
  } catch (error) {
    process.emitWarning(asError(error));
  }
}

/** A new file survives a power cut once the folder that names it is on the disk. */
function namedOnDisk(folder: string): Error | null {
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
