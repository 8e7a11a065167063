/**
 * The results that were used last, of all workstreams, in one file: where nothing has changed, one file is read instead
 * of one for each. It is a copy with a checksum, and decides nothing: an entry counts only as long as the file that it
 * was copied from has not been replaced or removed. What is missing here, or all of it where the index is damaged or of
 * another version, is read from the files. Times that are too coarse to show that a result was replaced can do no more
 * than have the earlier one taken over, which was computed from the very same things.
 */
import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { packageVersion } from '../os/package-version.ts';
import { replaceFile } from '../os/replace-file.ts';

/** Larger ones cost less to read than to copy. */
const MOST_ENTRY_BYTES = 64 * 1024;
const MOST_BYTES = 128 * 1024 * 1024;
/** It is written again when this share of it would be new: to write all costs more than to read a few files. */
const NEW_SHARE = 1 / 20;

const VERSION = packageVersion();

interface Indexed {
  /** Of the file that it was copied from. */
  stamp: string;
  /** Of the fingerprint. */
  key: string;
  /** JSON. */
  entry: Buffer;
}

/** The second line, after the checksum of all that follows it; then the entries, one after the other. */
interface Head {
  folder: string | null;
  /** With the bytes of each. */
  entries: [id: string, stamp: string, key: string, bytes: number][];
}

/** @typeParam T what JSON keeps as it is. */
export class ResultIndex<T> {
  readonly #file: string;
  readonly #folder: string;
  readonly #placeOf: (id: string) => string;
  /** By id; null before it was read. */
  #entries: Map<string, Indexed> | null = null;
  /** Of the folder when each entry was a copy of what is in it; null where that is not known. */
  #folderStamp: string | null = null;
  /** Whether the folder was looked at since `forget`. */
  #isCurrent = false;
  #new = 0;
  #bytes = 0;

  /**
   * @param file of the index.
   * @param folder that has the files of the workstreams, and nothing else.
   * @param placeOf the path of the file of a workstream, by id. It is only ever replaced as a whole.
   */
  constructor(file: string, folder: string, placeOf: (id: string) => string) {
    this.#file = file;
    this.#folder = folder;
    this.#placeOf = placeOf;
  }

  /** To be called where files may have changed. */
  forget(): void {
    this.#isCurrent = false;
  }

  /** What was put in for this key; null also where the file of the workstream is another one by now. */
  find(id: string, key: string): T | null {
    const known = this.#all().get(id);
    if (known?.key !== key) return null;
    // As long as no file was put into the folder, or removed, each is the one that it was.
    if (!this.#isFolderAsItWas() && known.stamp !== stampAt(this.#placeOf(id))) return null;
    const value: T = JSON.parse(known.entry.toString());
    return value;
  }

  /** @param stamp of the file of its workstream, no later than `entry` was read from it. */
  put(id: string, stamp: string, key: string, entry: T): void {
    const bytes = Buffer.from(JSON.stringify(entry));
    if (bytes.length > MOST_ENTRY_BYTES) return;
    const all = this.#all();
    this.#bytes += bytes.length - (all.get(id)?.entry.length ?? 0);
    all.delete(id);
    if (this.#bytes > MOST_BYTES) return void (this.#bytes -= bytes.length);
    // It may be of another file than the one that is there now.
    this.#folderStamp = null;
    all.set(id, { stamp, key, entry: bytes });
    this.#new += 1;
  }

  /** Replaces the file at once. What can't be written is read from the files of the workstreams. */
  save(): void {
    if (this.#entries === null || this.#new <= this.#entries.size * NEW_SHARE) return;
    this.#new = 0;
    const folder = stampAt(this.#folder);
    const entries = [...this.#entries].filter(([id, { stamp }]) => stamp === stampAt(this.#placeOf(id)));
    const head: Head = {
      folder: folder === stampAt(this.#folder) ? folder : null,
      entries: entries.map(([id, { stamp, key, entry }]) => [id, stamp, key, entry.length]),
    };
    const parts = [Buffer.from(`${JSON.stringify(head)}\n`), ...entries.map(([, { entry }]) => entry)];
    const content = Buffer.concat(parts);
    const checksum = Buffer.from(`${hash('sha256', content)} ${VERSION}\n`);
    try {
      replaceFile(this.#file, Buffer.concat([checksum, content]), { mode: 0o600, durable: false });
    } catch {
      // The disk is full or read-only: nothing but time is lost by it.
    }
  }

  #isFolderAsItWas(): boolean {
    if (this.#folderStamp === null) return false;
    if (!this.#isCurrent && stampAt(this.#folder) !== this.#folderStamp) this.#folderStamp = null;
    this.#isCurrent = true;
    return this.#folderStamp !== null;
  }

  #all(): Map<string, Indexed> {
    if (this.#entries === null) {
      const { folder, entries } = read(this.#file);
      this.#folderStamp = folder;
      this.#entries = entries;
      for (const { entry } of entries.values()) this.#bytes += entry.length;
    }
    return this.#entries;
  }
}

/** Another one for each file that is put in a place, and where the entries of a folder change; null where it can't be seen. */
export function stampAt(path: string): string | null {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch {
    // Most often there is none. Whatever it is: nothing is taken from the index then.
    return null;
  }
}

/** No entries where it is not as this version wrote it. */
function read(file: string): { folder: string | null; entries: Map<string, Indexed> } {
  const entries = new Map<string, Indexed>();
  try {
    const all = readFileSync(file);
    const first = all.indexOf('\n') + 1;
    const [checksum, version] = all.toString('latin1', 0, first - 1).split(' ');
    const content = all.subarray(first);
    if (version !== VERSION || hash('sha256', content) !== checksum) return { folder: null, entries };
    let offset = content.indexOf('\n') + 1;
    const head: Head = JSON.parse(content.toString('utf8', 0, offset));
    for (const [id, stamp, key, bytes] of head.entries) {
      entries.set(id, { stamp, key, entry: content.subarray(offset, offset + bytes) });
      offset += bytes;
    }
    return { folder: head.folder, entries };
  } catch {
    // There is none, or it can't be read.
    return { folder: null, entries };
  }
}
