/** Opens the database: for writing, which one connection of a process does, or for reading only. */
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { makeFolder } from '../../os/folder.ts';
import { pause } from '../../os/pause.ts';
import { markDeadRuns } from '../write/end-run.ts';
import { reshapeErrors } from '../write/reshape.ts';
import { walPath } from '../write/wal-file.ts';
import { addFunctions, type Connection } from './connection.ts';
import { isEmpty, migrate, refuseNewer, viewAsLatestSchema } from './migrate.ts';
import { asStoreError, StoreError, storeError } from './store-error.ts';

/** Path of the database when no other is named. */
export const DEFAULT_DATABASE = '.state/multi_agent_consolidated.db';

export interface OpenOptions {
  /** How long to wait for another process's lock, in milliseconds. Default: 10,000. */
  busyTimeoutMs?: number;
}

/**
 * Opens the database for writing. Makes the folder and the file where they are missing, migrates a database of an
 * older version or of the older system, and marks runs whose process died as interrupted. A commit survives the death
 * of the process, and a power cut once `SqliteRecorder.sync` has resolved. Throws a `StoreError`.
 */
export function openDatabase(path: string, { busyTimeoutMs = 10_000 }: OpenOptions = {}): Connection {
  const deadline = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      return openToWrite(path, busyTimeoutMs);
    } catch (error) {
      const isLocked = error instanceof StoreError && error.kind === 'locked';
      if (!isLocked || performance.now() >= deadline) throw error;
      pause(PAUSE_MS);
    }
  }
}

/**
 * SQLite refuses at once, whatever timeout it has, where several processes turn a new database to WAL at the same time
 * or another one is just closing the last connection to it.
 */
function openToWrite(path: string, busyTimeoutMs: number): Connection {
  return open(path, () => {
    makeFolder(dirname(path), 0o700);
    makePrivate(path);
    const connection = new Database(untrimmed(path), { timeout: busyTimeoutMs });
    return prepare(connection, () => {
      refuseNewer(connection);
      const mode = connection.pragma('journal_mode = WAL', { simple: true });
      connection.pragma(`synchronous = ${mode === 'wal' ? 'NORMAL' : 'FULL'}`);
      connection.pragma('foreign_keys = ON');
      migrate(connection);
      reshapeErrors(connection);
      markDeadRuns(connection);
    });
  });
}

const PAUSE_MS = 5;

/**
 * Opens the database for reading; null where there is none, or nothing in it yet. Changes no byte of it and leaves no
 * file behind; a database of an older version is shown as if it had been migrated. Throws a `StoreError`.
 */
export function openForReading(path: string, options: OpenOptions = {}): Connection | null {
  if (isMissing(path)) return null;
  return open(path, () => {
    const timeout = options.busyTimeoutMs ?? 10_000;
    try {
      // Not `readonly`: such a connection can't remove the -wal and -shm files that it has to make.
      return prepareForReading(new Database(untrimmed(path), { fileMustExist: true, timeout }));
    } catch (error) {
      if (!isWriteProtected(error) || hasUncheckpointed(path)) throw error;
      return prepareForReading(new Database(readImage(path)));
    }
  });
}

/**
 * A place that can't be looked at may have a database, so it is not missing; behind links that lead in a circle there can
 * be none. @throws StoreError for a place that can't be looked at.
 */
function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOOP') return true;
    throw asStoreError(error, path);
  }
}

/** Only this user may read a new database; SQLite makes the files beside it with the same permissions. */
function makePrivate(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
}

/** better-sqlite3 trims a path: one that begins with a space is made to begin with `./`. */
const untrimmed = (path: string): string => (/^\s/.test(path) ? `./${path}` : path);

/** Null, and closed, where nothing is in it yet. */
function prepareForReading(connection: Connection): Connection | null {
  prepare(connection, () => {
    if (isEmpty(connection)) return void connection.close();
    refuseNewer(connection);
    connection.pragma('cache_size = -262144');
    viewAsLatestSchema(connection);
    connection.pragma('query_only = ON');
  });
  return connection.open ? connection : null;
}

/** Closes the connection when it can't be set up. */
function prepare(connection: Connection, setUp: () => void): Connection {
  try {
    addFunctions(connection);
    setUp();
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function open<T extends Connection | null>(path: string, opener: () => T): T {
  try {
    if (existsSync(path) && statSync(path).isDirectory()) {
      throw storeError('not-a-database', path, 'it is a folder');
    }
    if (existsSync(path) && !statSync(path).isFile()) {
      throw storeError('not-a-database', path, 'it is a pipe, socket or device');
    }
    return opener();
  } catch (error) {
    throw asStoreError(error, path);
  }
}

const isWriteProtected = (error: unknown): boolean =>
  error instanceof Database.SqliteError && /^SQLITE_(READONLY|CANTOPEN)/.test(error.code);

/** Whether the -wal file has rows that the database file does not have yet. */
const hasUncheckpointed = (path: string): boolean =>
  (statSync(walPath(path), { throwIfNoEntry: false })?.size ?? 0) > 0;

/**
 * The file in memory, with its header changed from WAL to a mode that needs no further file: the only way to read a
 * database in a folder that can't be written.
 */
function readImage(path: string): Buffer {
  const image = readFileSync(path);
  image.fill(1, 18, 20);
  return image;
}
