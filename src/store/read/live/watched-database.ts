/** The database as one reader watches it for as long as it likes, whatever happens to its file meanwhile. */
import { statSync } from 'node:fs';
import { type Connection, keepPages, statement } from '../../schema/connection.ts';
import { openForReading } from '../../schema/database.ts';
import { StoreError } from '../../schema/store-error.ts';

/** `other`: it is another file than before, or none, or has another schema: nothing that was read of it holds any more. */
export type DatabaseChange = 'none' | 'changed' | 'other';

/** What of the database somebody has seen. */
export interface DatabaseMark {
  /** How often it had been opened, or found missing. */
  opened: number;
  /** How often another connection had been seen to have written to it. */
  written: number;
}

/** Pages that are kept, in KiB. What is read is mostly new. */
const KEPT_KIB = 2_048;

/**
 * Opens the database as soon as there is one, and again where its file was replaced or migrated. Never writes.
 * To look costs a few microseconds where nothing has changed.
 */
export class WatchedDatabase {
  readonly path: string;
  #connection: Connection | null = null;
  #problem: StoreError | null = null;
  #file: string | null = null;
  #version = 0;
  #schema = 0;
  #opened = 0;
  #written = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Null where there is none. @throws StoreError where it can't be read. */
  get connection(): Connection | null {
    if (this.#problem !== null) throw this.#problem;
    return this.#connection;
  }

  /** Looks at it anew. Who looks takes no change from anybody else: each compares with what it has seen itself. */
  look(): void {
    const before = this.#problem;
    try {
      this.#lookAt(fileAt(this.path));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (before === null) this.#opened += 1;
      this.close();
      this.#problem = error;
    }
  }

  /** The database as it was when it was last looked at. */
  get mark(): DatabaseMark {
    return { opened: this.#opened, written: this.#written };
  }

  /** What has happened between a mark and the last look. */
  changeSince({ opened, written }: DatabaseMark): DatabaseChange {
    if (opened !== this.#opened) return 'other';
    return written === this.#written ? 'none' : 'changed';
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#problem = null;
    this.#file = null;
  }

  #lookAt(file: string | null): void {
    if (this.#connection === null && file === null && this.#problem === null) return;
    if (this.#connection === null || file !== this.#file) return this.#open(file);
    const version = numberIn(this.#connection, 'data_version');
    if (version === this.#version) return;
    this.#version = version;
    this.#written += 1;
    // What shows an older database as if it had been migrated would hide what a migration has made since.
    if (numberIn(this.#connection, 'schema_version') !== this.#schema) this.#open(file);
  }

  #open(file: string | null): void {
    const before = this.#connection ?? this.#problem;
    this.close();
    const connection = file === null ? null : openForReading(this.path);
    if (connection !== null) {
      keepPages(connection, KEPT_KIB);
      this.#version = numberIn(connection, 'data_version');
      this.#schema = numberIn(connection, 'schema_version');
    }
    this.#connection = connection;
    this.#file = connection === null ? null : file;
    // Where nothing was and nothing is, or not yet, nothing has changed.
    if (before !== null || connection !== null) this.#opened += 1;
  }
}

/** Prepared once, as this is asked all the time. */
const numberIn = (connection: Connection, pragma: 'data_version' | 'schema_version'): number =>
  Number(statement(connection, `PRAGMA ${pragma}`).pluck().get());

/** Which file is there: by device and inode; null for none. */
function fileAt(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}
