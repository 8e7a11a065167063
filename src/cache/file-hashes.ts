/**
 * Hashes of files, each computed once as long as the file stays as it is. A file counts as unchanged by device, inode,
 * size, time of modification and time of status change, as in git's index; and as in git a hash is not remembered of a
 * file that was changed so shortly before it was read that a change after that might have left its times the same
 * ("racy", https://git-scm.com/docs/racy-git).
 */
import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { readChecked, writeChecked } from './checked-file.ts';

/** A regular file as it is now. */
export interface FileContent {
  /** In hexadecimal. */
  sha256: string;
  bytes: number;
  /** Permission bits. */
  mode: number;
}

/** Why something can't be decided, as a clause. */
export class Undecidable extends Error {
  override name = 'Undecidable';
}

/** A folder where a file was to be looked at. */
export class FolderFound extends Undecidable {}

/** A file whose times are at most this much older than its reading may change without another time: FAT has two seconds. */
const RACY_MS = 2_000;

/** Larger files are read in pieces, so that nothing else waits for them. */
const SMALL_BYTES = 128 * 1024;
const PIECE_BYTES = 1024 * 1024;

/** Most files that are remembered. */
const MOST_REMEMBERED = 200_000;

/** Path, stamp and hash of each. */
const storedSchema = z.object({
  version: z.literal(1),
  files: z.array(z.tuple([z.string(), z.string(), z.string()])),
});

interface Remembered {
  stamp: string;
  sha256: string;
}

export class FileHashes {
  readonly #file: string;
  /** Those that may be used in later runs; null before they were read. */
  #remembered: Map<string, Remembered> | null = null;
  #hasChanged = false;
  /** What was looked at since `forget`. */
  #current = new Map<string, FileContent | null>();

  /** @param file where hashes are remembered between runs. */
  constructor(file: string) {
    this.#file = file;
  }

  /** To be called where files may have changed. */
  forget(): void {
    // What is being read now is noted in the earlier one, which is not read any more.
    this.#current = new Map();
  }

  /**
   * The content of the file at a path, links followed; null where there is nothing.
   * @throws Undecidable where something else is there, or it can't be read.
   */
  contentOf(path: string): FileContent | null | Promise<FileContent> {
    const current = this.#current.get(path);
    if (current !== undefined) return current;
    const stats = statsOf(path);
    if (stats === null) {
      this.#current.set(path, null);
      return null;
    }
    const known = this.#known().get(path);
    if (known !== undefined && known.stamp === stampOf(stats))
      return noted(this.#current, path, stats, known.sha256);
    return stats.size <= SMALL_BYTES ? this.#readSmall(path) : this.#readLarge(path);
  }

  /** The content of the file at a path where that is known; null otherwise: `contentOf` reads it, or says what is there. */
  knownContentOf(path: string): FileContent | null {
    const current = this.#current.get(path);
    if (current !== undefined) return current;
    const known = this.#known().get(path);
    if (known === undefined) return null;
    let stats: Stats | undefined;
    try {
      stats = statSync(path, { throwIfNoEntry: false });
    } catch {
      // It is in a folder that can't be entered, for example.
      return null;
    }
    if (stats === undefined || !stats.isFile() || known.stamp !== stampOf(stats)) return null;
    return noted(this.#current, path, stats, known.sha256);
  }

  /** Remembers all hashes for later runs. What can't be written is computed again. */
  save(): void {
    if (!this.#hasChanged || this.#remembered === null) return;
    const all = [...this.#remembered].slice(-MOST_REMEMBERED);
    const files = all.map(([path, { stamp, sha256 }]) => [path, stamp, sha256]);
    try {
      writeChecked(this.#file, { version: 1, files });
      this.#hasChanged = false;
    } catch {
      // The disk is full or read-only: nothing but time is lost by it.
    }
  }

  #known(): Map<string, Remembered> {
    if (this.#remembered === null) {
      const files = readChecked(this.#file, storedSchema)?.files ?? [];
      this.#remembered = new Map(files.map(([path, stamp, sha256]) => [path, { stamp, sha256 }]));
    }
    return this.#remembered;
  }

  #readSmall(path: string): FileContent {
    const current = this.#current;
    const begin = Date.now();
    try {
      const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stats = fstatSync(descriptor);
        const bytes = Buffer.alloc(stats.size);
        const length = readSync(descriptor, bytes, 0, stats.size, 0);
        const sha256 = hash('sha256', bytes.subarray(0, length));
        this.#remember(path, stats, begin, sha256);
        return noted(current, path, stats, sha256);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  async #readLarge(path: string): Promise<FileContent> {
    const current = this.#current;
    const begin = Date.now();
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stats = await file.stat();
        const sum = createHash('sha256');
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        for (;;) {
          const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
          if (bytesRead === 0) break;
          sum.update(piece.subarray(0, bytesRead));
        }
        const sha256 = sum.digest('hex');
        this.#remember(path, stats, begin, sha256);
        return noted(current, path, stats, sha256);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  #remember(path: string, stats: Stats, begin: number, sha256: string): void {
    if (!stats.isFile()) throw new Undecidable(`${path} is no file any more`);
    if (Math.max(stats.mtimeMs, stats.ctimeMs) < begin - RACY_MS) {
      const known = this.#known();
      // The last is the one that was used last.
      known.delete(path);
      known.set(path, { stamp: stampOf(stats), sha256 });
      this.#hasChanged = true;
    }
  }
}

function noted(
  current: Map<string, FileContent | null>,
  path: string,
  { size, mode }: Stats,
  sha256: string,
): FileContent {
  const content = { sha256, bytes: size, mode: mode & 0o777 };
  current.set(path, content);
  return content;
}

const stampOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;

/** Null for nothing. */
function statsOf(path: string): Stats | null {
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
  if (stats === undefined) return null;
  if (stats.isDirectory()) throw new FolderFound(`${path} is a folder`);
  if (!stats.isFile()) throw new Undecidable(`${path} is no regular file`);
  return stats;
}

function unreadable(path: string, error: unknown): Undecidable {
  if (error instanceof Undecidable) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new Undecidable(`${path} can't be read (${code})`);
}
