/** Whether the files that a database's path names are still those that a connection has open. */
import {
  type BigIntStats,
  existsSync,
  fstatSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Connection } from '../schema/connection.ts';

/** How the files at the path differ from those that are open. */
export interface FileDifference {
  /**
   * - `gone`: the path names nothing.
   * - `other`: it names another file.
   * - `damaged`: it names the open file, and that was written over or cut off by others.
   * - `log`: the file is the open one, but not its write-ahead log or the index of that.
   */
  kind: 'gone' | 'other' | 'damaged' | 'log';
  /** A clause whose subject is the database, such as "it was removed". */
  what: string;
}

/** The magic string, the page size, and the versions of the format, which no write of SQLite changes here. */
const HEADER_BYTES = 20;

const NS_PER_MS = 1_000_000n;
/** Longer than the resolution of file times: that of FAT is two seconds. */
const TICK_NS = 3_000_000_000n;

/** Where a process sees its own descriptors, on Linux and on macOS and BSD. */
const DESCRIPTORS = ['/proc/self/fd', '/dev/fd'];

interface OpenedFile {
  id: string;
  mode: number;
  size: bigint;
  modified: bigint;
  /** When anything about it was changed, which can't be set to another time, as `modified` can. */
  changed: bigint;
}

/**
 * Compares device and inode of the database, of its write-ahead log and of that log's index, the size, which never
 * falls, and the header. That costs a few system calls.
 *
 * The header is read through the descriptor that SQLite has open: closing one of our own would drop all locks that this
 * process holds on the file (https://sqlite.org/howtocorrupt.html, section 2.2).
 */
export class OpenedFiles {
  /** The rights of the database. */
  readonly mode: number;
  readonly #path: string;
  /** Absolute, without links: SQLite puts the log beside the file itself. */
  readonly #real: string;
  readonly #isWal: boolean;
  readonly #id: string;
  readonly #logs: readonly { path: string; id: string }[];
  #descriptor: number | null;
  #header: string | null;
  #size: bigint;
  #modified: bigint;
  #wasTouched = false;
  /** Change time of the file when its header was last read; null where a later change may have the same time. */
  #headerOf: bigint | null = null;

  /** @param connection from `openDatabase`, which has read or written something. */
  constructor(connection: Connection) {
    this.#path = connection.name;
    this.#real = realpathSync(this.#path);
    this.#isWal = connection.pragma('journal_mode', { simple: true }) === 'wal';
    const { id, mode, size, modified } = seen(statSync(this.#path, { bigint: true }));
    this.mode = mode;
    [this.#id, this.#size, this.#modified] = [id, size, modified];
    this.#logs = this.#logPaths().flatMap((path) => {
      const found = statOf(path);
      return found === null ? [] : [{ path, id: found.id }];
    });
    this.#descriptor = descriptorOf(id);
    this.#header = this.#readHeader();
  }

  /** Whether the files that the path named when this was made are those that the connection opened. */
  get areOpen(): boolean {
    const isKnown = DESCRIPTORS.some((folder) => existsSync(folder));
    return !isKnown || [this.#id, ...this.#logs.map(({ id }) => id)].every((id) => descriptorOf(id) !== null);
  }

  /**
   * Whether another process wrote to the file since it was opened, by its modification time. Another run or a shell may
   * have done so.
   */
  get wasTouched(): boolean {
    return this.#wasTouched;
  }

  /** How the files at the path differ from the open ones; null where they do not. */
  difference(): FileDifference | null {
    const found = statOf(this.#path);
    if (found === null) return { kind: 'gone', what: 'it was removed or moved away' };
    if (found.id !== this.#id) return { kind: 'other', what: 'another file was put in its place' };
    if (found.size < this.#size) return { kind: 'damaged', what: 'it was cut off or written over' };
    if (!this.#hasItsHeader(found)) return { kind: 'damaged', what: 'it was written over' };
    if (this.#logs.some(({ path, id }) => statOf(path)?.id !== id)) {
      return { kind: 'log', what: 'its write-ahead log was removed or replaced' };
    }
    if (found.modified !== this.#modified) this.#wasTouched = true;
    this.#size = found.size;
    this.#modified = found.modified;
    return null;
  }

  /** Remembers size and time after a write of the connection itself, such as a checkpoint. */
  wrote(): void {
    const found = statOf(this.#path);
    if (found === null || found.id !== this.#id || found.size < this.#size) return;
    this.#size = found.size;
    this.#modified = found.modified;
  }

  /** Accepts the current size: another process made the file smaller without damage, as VACUUM does. */
  acceptSize(): void {
    const found = statOf(this.#path);
    if (found?.id === this.#id) this.#size = found.size;
  }

  /** Of the log and its index at the path: those that belong to the open connection. */
  ownLogs(): string[] {
    return this.#logs.filter(({ path, id }) => statOf(path)?.id === id).map(({ path }) => path);
  }

  /** Paths of the log and its index. Empty where there is no write-ahead log. */
  #logPaths(): string[] {
    return this.#isWal ? [`${this.#real}-wal`, `${this.#real}-shm`] : [];
  }

  /** Read only where the file was changed since it was read before. */
  #hasItsHeader({ changed }: OpenedFile): boolean {
    if (changed === this.#headerOf) return true;
    // Two changes within the resolution of file times have the same time.
    const isPast = BigInt(Date.now()) * NS_PER_MS - changed > TICK_NS;
    const isSame = this.#readHeader() === this.#header;
    this.#headerOf = isSame && isPast ? changed : null;
    return isSame;
  }

  /** Null where it can't be read without a descriptor of our own. */
  #readHeader(): string | null {
    if (this.#descriptor === null) return null;
    try {
      const { id } = seen(fstatSync(this.#descriptor, { bigint: true }));
      if (id === this.#id) return headerOf(this.#descriptor);
    } catch {
      // The descriptor was closed with another connection.
    }
    this.#descriptor = descriptorOf(this.#id);
    return this.#descriptor === null ? this.#header : headerOf(this.#descriptor);
  }
}

/** A text that changes when the files at the path do. */
export function fingerprintOf(path: string): string {
  return [dirname(path), path, `${path}-wal`, `${path}-shm`]
    .map((each) => {
      const found = statOf(each);
      return found === null ? '-' : `${found.id} ${found.size} ${found.modified}`;
    })
    .join(', ');
}

function headerOf(descriptor: number): string {
  const bytes = Buffer.alloc(HEADER_BYTES);
  readSync(descriptor, bytes, 0, HEADER_BYTES, 0);
  return bytes.toString('latin1');
}

/** A descriptor that this process has of the file; null where that is not known. */
function descriptorOf(id: string): number | null {
  for (const folder of DESCRIPTORS) {
    try {
      const found = readdirSync(folder)
        .map(Number)
        .find((descriptor) => idOf(descriptor) === id);
      if (found !== undefined) return found;
    } catch {
      // There is no such folder here.
    }
  }
  return null;
}

/** Null for a descriptor that has been closed, such as that of the listing itself. */
function idOf(descriptor: number): string | null {
  try {
    return seen(fstatSync(descriptor, { bigint: true })).id;
  } catch {
    return null;
  }
}

function statOf(path: string): OpenedFile | null {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found === undefined ? null : seen(found);
  } catch {
    // A parent is a file, a loop of links, or can't be entered: the path names nothing.
    return null;
  }
}

const seen = ({ dev, ino, mode, size, mtimeNs, ctimeNs }: BigIntStats): OpenedFile => ({
  id: `${dev}:${ino}`,
  mode: Number(mode) & 0o7777,
  size,
  modified: mtimeNs,
  changed: ctimeNs,
});
