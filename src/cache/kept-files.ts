/**
 * The contents of files that workstreams made, by their SHA-256, each once. Whoever reads one computes its hash while it
 * is copied: what was damaged meanwhile is never put in place.
 */
import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, realpathSync, renameSync, rmSync, type Stats, statSync, utimesSync } from 'node:fs';
import { copyFile, type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../os/folder.ts';
import { type FileHashes, Undecidable } from './file-hashes.ts';

export const keptFileSchema = z.object({
  /** Relative to the project, with `/` between its parts. */
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number(),
  /** Permission bits. */
  mode: z.number(),
});
/** A file of a kept result. */
export type KeptFile = z.infer<typeof keptFileSchema>;

const PIECE_BYTES = 1024 * 1024;
/** What no result names may belong to one that another run is about to keep. */
const UNNAMED_MS = 60 * 60 * 1000;

export class KeptFiles {
  readonly #folder: string;
  readonly #project: string;
  readonly #hashes: FileHashes;

  /**
   * @param folder made when it is needed.
   * @param project absolute folder: no file outside of it is written.
   */
  constructor(folder: string, project: string, hashes: FileHashes) {
    this.#folder = folder;
    this.#project = project;
    this.#hashes = hashes;
  }

  /**
   * Keeps the content of a file, which has this hash.
   * @throws Undecidable where it has another one by now or is none, or the file system's error.
   */
  async keep(path: string, sha256: string): Promise<KeptFile> {
    const source = join(this.#project, path);
    const stats = lstatSync(source, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isFile()) throw new Undecidable(`${path} is no regular file`);
    this.#within(source);
    const kept = { path, sha256, bytes: stats.size, mode: stats.mode & 0o777 };
    const blob = this.#blob(sha256);
    if (sizeOf(blob) === stats.size && noteUse(blob)) return kept;
    makeFolder(dirname(blob), 0o700);
    const copied = await this.#copy(source, blob, { mode: 0o600, sha256 });
    if (!copied) throw new Undecidable(`${path} was changed after it had been made`);
    return kept;
  }

  /**
   * Puts files in place that are not there as they were.
   * @returns the paths of those that were.
   * @throws Undecidable where the content of one is missing or damaged, or its place is not in the project, or the file
   * system's error. Some may be in place then.
   */
  async restore(files: readonly KeptFile[]): Promise<string[]> {
    const restored: string[] = [];
    for (const file of files) {
      if (await this.#isInPlace(file)) continue;
      await this.#put(file);
      restored.push(file.path);
    }
    return restored;
  }

  async #isInPlace({ path, sha256, mode }: KeptFile): Promise<boolean> {
    const target = join(this.#project, path);
    if (lstatSync(target, { throwIfNoEntry: false })?.isFile() !== true) return false;
    this.#within(target);
    const content = await this.#hashes.contentOf(target);
    return content !== null && content.sha256 === sha256 && content.mode === mode;
  }

  async #put({ path, sha256, mode, bytes }: KeptFile): Promise<void> {
    const target = join(this.#project, path);
    if (isAbsolute(path) || path.split('/').includes('..'))
      throw new Undecidable(`${path} is not in the folder of the project`);
    const blob = this.#blob(sha256);
    if (sizeOf(blob) !== bytes) throw new Undecidable(`the kept content of ${path} is missing`);
    this.#within(target);
    makeFolder(dirname(target));
    this.#within(target);
    if (await this.#copy(blob, target, { mode, sha256 })) return void noteUse(blob);
    rmSync(blob, { force: true });
    throw new Undecidable(`the kept content of ${path} was damaged`);
  }

  /** A folder on the way may be a link. */
  #within(path: string): void {
    const project = realpathSync(this.#project);
    let folder = dirname(path);
    while (lstatSync(folder, { throwIfNoEntry: false }) === undefined) folder = dirname(folder);
    const real = realpathSync(folder);
    if (real !== project && !real.startsWith(project.endsWith(sep) ? project : project + sep))
      throw new Undecidable(`${path} leads out of the folder of the project`);
  }

  /** Bytes of all contents. */
  async size(): Promise<number> {
    let size = 0;
    for (const { stats } of await this.#all()) size += stats.size;
    return size;
  }

  /**
   * Removes contents that no result names, but not those of the last hour.
   * @returns their paths and sizes.
   */
  async removeUnnamed(isNamed: (sha256: string) => boolean, dryRun: boolean): Promise<number[]> {
    const oldest = Date.now() - UNNAMED_MS;
    const removed: number[] = [];
    for (const { path, name, stats } of await this.#all()) {
      if (isNamed(name) || stats.mtimeMs > oldest) continue;
      if (!dryRun) await rm(path, { force: true });
      removed.push(stats.size);
    }
    return removed;
  }

  async #all(): Promise<{ path: string; name: string; stats: Stats }[]> {
    const all: { path: string; name: string; stats: Stats }[] = [];
    const folders = (await namesIn(this.#folder)).map((shard) => join(this.#folder, shard));
    // What a process that was killed had not finished is in the folder itself.
    for (const folder of [this.#folder, ...folders]) {
      for (const name of await namesIn(folder)) {
        const path = join(folder, name);
        const stats = await stat(path).catch(() => null);
        if (stats?.isFile() === true) all.push({ path, name, stats });
      }
    }
    return all;
  }

  /**
   * Copies a file if it has this hash: to a file of the cache, which then takes the place of the target at once. A link
   * at the target is replaced, not followed.
   * @returns whether it has.
   */
  async #copy(
    from: string,
    to: string,
    { mode, sha256 }: { mode: number; sha256: string },
  ): Promise<boolean> {
    const unfinished = join(this.#folder, `${randomBytes(8).toString('hex')}.tmp`);
    const source = await open(from, 'r');
    try {
      const target = await open(unfinished, 'wx', 0o600);
      try {
        if ((await pour(source, target)) !== sha256) return false;
        await target.chmod(mode);
      } finally {
        await target.close();
      }
      await moveFile(unfinished, to);
      return true;
    } finally {
      await source.close();
      rmSync(unfinished, { force: true });
    }
  }

  #blob(sha256: string): string {
    return join(this.#folder, sha256.slice(0, 2), sha256);
  }
}

/** Returns the hash of what was copied. */
async function pour(source: FileHandle, target: FileHandle): Promise<string> {
  const sum = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await source.read(piece, 0, PIECE_BYTES, null);
    if (bytesRead === 0) return sum.digest('hex');
    const bytes = piece.subarray(0, bytesRead);
    sum.update(bytes);
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await target.write(bytes, done);
      done += bytesWritten;
    }
  }
}

/** Also to another file system, where the cache is on one of its own. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    const beside = join(dirname(to), `.${basename(from)}`);
    try {
      await copyFile(from, beside);
      renameSync(beside, to);
    } finally {
      rmSync(beside, { force: true });
    }
  }
}

const sizeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.size ?? null;

/** The time of change says when it was used last. Returns false where it has gone. */
export function noteUse(path: string): boolean {
  const now = Date.now() / 1000;
  try {
    utimesSync(path, now, now);
    return true;
  } catch {
    return false;
  }
}

/** None where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
