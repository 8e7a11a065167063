/** The database of a run: its connection, and the check that its path still names the file that is written. */
import { chmodSync, existsSync, lstatSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pause } from '../../os/pause.ts';
import { messageOf } from '../../text/error-message.ts';
import { plural } from '../../text/format.ts';
import { countOf } from '../read/rows.ts';
import type { Connection } from '../schema/connection.ts';
import { openDatabase, openForReading } from '../schema/database.ts';
import { asStoreError, StoreError, storeError } from '../schema/store-error.ts';
import { spillPrefix } from '../spill/spill-places.ts';
import { copyRuns } from './copy-runs.ts';
import { type FileDifference, fingerprintOf, OpenedFiles } from './opened-files.ts';
import { isWholeDatabase, rescueCopy } from './rescued-copy.ts';

/** While a database is restored the main thread must not wait long for another process's lock. */
const RESTORING = { busyTimeoutMs: 1_000 };

/** A database that was opened to be written, with the files that its path named at that moment. */
export interface OpenedDatabase {
  path: string;
  connection: Connection;
  files: OpenedFiles;
  /** Of the names of copies. Found before a link that leads to the database may be pointed elsewhere. */
  prefix: string;
}

/** Opens the database of a run, whose id is claimed through the connection. @throws StoreError as `openDatabase` does. */
export function openForRun(path: string): OpenedDatabase {
  const connection = openDatabase(path);
  return { path, connection, prefix: spillPrefix(path), files: new OpenedFiles(connection) };
}

/**
 * Detects that other processes removed, replaced or damaged the files at the path, and restores what the open connection
 * can still read:
 *
 * - where there is no file, the database is written back;
 * - where there is another whole database, such as a backup, the runs that it lacks are copied into it;
 * - what is no database any more is kept beside it under another name.
 */
export class RunDatabase {
  readonly #path: string;
  readonly #runId: string;
  readonly #makeFolder: () => void;
  readonly #prefix: string;
  #connection: Connection;
  #files: OpenedFiles;
  /** Copies of all that the connection can read; nothing is written through it once there are any. */
  #copies: string[] = [];

  /**
   * @param runId of the run that is written, by which copies are named.
   * @param makeFolder makes the folder of the database again, where it is missing.
   */
  constructor(opened: OpenedDatabase, parts: { runId: string; makeFolder: () => void }) {
    this.#path = opened.path;
    this.#prefix = opened.prefix;
    this.#connection = opened.connection;
    this.#files = opened.files;
    this.#runId = parts.runId;
    this.#makeFolder = parts.makeFolder;
  }

  /** Changes when `putBack` restores the database. */
  get connection(): Connection {
    return this.#connection;
  }

  /**
   * Restores the database where its files were removed, replaced or damaged. Cheap where they were not.
   * @returns what was done, in sentences for a person; null for nothing.
   * @throws StoreError of the kind `replaced`, which says where everything is.
   */
  putBack(): string | null {
    const difference = this.#files.difference();
    if (difference === null) {
      // The files were moved back.
      if (this.#copies.length > 0) this.#dropCopies();
      return null;
    }
    if (difference.kind === 'damaged' && this.#isStillWhole()) return null;
    return this.#tryToRestore(difference);
  }

  /** To be called after each write, so that own checkpoints are not taken for writes of other processes. */
  wrote(): void {
    this.#files.wrote();
  }

  /** The same as `putBack`, after the last write: where others wrote to the file, all of it is read as well. */
  verify(): string | null {
    const done = this.putBack();
    if (!this.#files.wasTouched || this.#hasEverything()) return done;
    return this.#tryToRestore({ kind: 'damaged', what: 'it was written over' });
  }

  /** Does the slow part of closing, so that the files are checked as late as possible. */
  prepareToClose(): void {
    try {
      this.#connection.pragma('wal_checkpoint(PASSIVE)');
      this.wrote();
    } catch (thrown) {
      const error = asStoreError(thrown, this.#path);
      // What can't be moved into the file now stays in its log.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  /** @returns what happened to the files while they were closed, in a sentence for a person; null for nothing. */
  close(): string | null {
    this.#connection.close();
    const difference = this.#files.difference();
    // The last connection that closes a database removes its log.
    if (difference === null || difference.kind === 'log') return null;
    return `The database ${this.#path} is not the file any more that this run wrote: ${difference.what} while the run closed it.`;
  }

  /** A file may have become smaller because of VACUUM in a shell. */
  #isStillWhole(): boolean {
    if (!isWholeDatabase(this.#path)) return false;
    this.#files.acceptSize();
    return this.#files.difference() === null;
  }

  /** Whether what the path names is whole, and has the results of this run that the connection sees. */
  #hasEverything(): boolean {
    if (!isWholeDatabase(this.#path)) return false;
    const sql = 'SELECT COUNT(*) AS n FROM agent_results WHERE run_id = ?';
    const there = openForReading(this.#path);
    if (there === null) return false;
    try {
      return countOf(there, sql, this.#runId) >= countOf(this.#connection, sql, this.#runId);
    } finally {
      there.close();
    }
  }

  #tryToRestore(difference: FileDifference): string {
    try {
      return this.#restore(difference);
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
      throw this.#refusal(difference, asStoreError(error, this.#path));
    }
  }

  #restore(found: FileDifference): string {
    waitUntilQuiet(this.#path);
    const place = linkedTo(this.#path);
    const copy = this.#copyBeside(place, this.#folderProblem());
    this.#keepOthersOut();
    // Another run may have put it back meanwhile.
    const now = this.#files.difference();
    const difference = now === null || found.kind === 'damaged' ? found : now;
    for (const log of this.#files.ownLogs()) rmSync(log, { force: true });
    const isOther = difference.kind === 'other' && lstatSync(place).isFile();
    const done =
      isOther && isWholeDatabase(place) ? this.#addTo(copy) : this.#replace(difference, place, copy);
    this.#dropCopies();
    return `The database ${this.#path} was not the file any more that this run had opened: ${difference.what}. ${done}`;
  }

  /**
   * Other runs that have the same files open restore them at the same time. All of them still have these files open, so a
   * transaction on them lets one run at a time do it; it ends with the connection.
   */
  #keepOthersOut(): void {
    try {
      this.#connection.exec('BEGIN IMMEDIATE');
    } catch (thrown) {
      const error = asStoreError(thrown, this.#path);
      // What was written over takes no transaction, and the others can't write to it either.
      if (!(error instanceof StoreError) || error.kind === 'locked') throw error;
    }
  }

  #dropCopies(): void {
    for (const copy of this.#copies) rmSync(copy, { force: true });
    this.#copies = [];
  }

  /** Why the database's folder can't be made; null where it exists. A copy can be kept elsewhere even so. */
  #folderProblem(): string | null {
    try {
      this.#makeFolder();
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** A copy in the same folder, which can be renamed. @throws StoreError where it had to be made elsewhere. */
  #copyBeside(place: string, problem: string | null): string {
    const known = this.#copies.find((copy) => dirname(copy) === dirname(place) && existsSync(copy));
    if (known !== undefined) return known;
    // This is retried until it succeeds: one copy elsewhere is enough.
    const hasOne = this.#copies.some((each) => existsSync(each));
    const refusal = storeError('unwritable', this.#path, problem ?? 'no file can be written beside it');
    if (hasOne && problem !== null) throw refusal;
    const folders = hasOne ? [dirname(place)] : undefined;
    const copy = rescueCopy(this.#connection, `${this.#prefix}${this.#runId}`, folders);
    this.#copies.push(copy);
    if (dirname(resolve(copy)) !== dirname(resolve(place))) throw refusal;
    return copy;
  }

  /** For a path that names another whole database, such as a backup or one that another run has restored. */
  #addTo(copy: string): string {
    const connection = openDatabase(this.#path, RESTORING);
    try {
      const { runIds, results } = copyRuns(connection, copy);
      this.#switchTo(connection);
      return `What is there now is whole, so the runs that it did not have were added to it: ${runIds.join(', ')}, with ${plural(results, 'result')}.`;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #replace({ kind }: FileDifference, place: string, copy: string): string {
    const aside = kind === 'log' || kind === 'gone' ? null : setAside(place);
    for (const log of [`${place}-wal`, `${place}-shm`]) rmSync(log, { force: true });
    chmodSync(copy, this.#files.mode);
    renameSync(copy, place);
    this.#switchTo(openDatabase(this.#path, RESTORING));
    const kept = aside === null ? '' : ` What was there before is no whole database and is kept as ${aside}.`;
    return `Everything that was in it has been written back.${kept}`;
  }

  /** Closing the old connection changes nothing at the path, because its own files are not there any more. */
  #switchTo(connection: Connection): void {
    const files = new OpenedFiles(connection);
    if (!files.areOpen) {
      connection.close();
      throw storeError('unwritable', this.#path, 'it was replaced again while it was opened');
    }
    const before = this.#connection;
    this.#connection = connection;
    this.#files = files;
    before.close();
  }

  #refusal({ what }: FileDifference, error: unknown): unknown {
    if (!(error instanceof StoreError)) return error;
    const copies = this.#copies.filter((copy) => existsSync(copy));
    const where =
      copies.length === 0
        ? 'No copy of what it held could be made.'
        : `Everything that it held is in ${copies.join(', ')}; the next millrace run takes it in.`;
    return storeError(
      'replaced',
      this.#path,
      `${what}, and it can't be restored (${error.message}) ${where}`,
    );
  }
}

/** How long the files must not change, and how long to wait for that at most, in milliseconds. */
const QUIET = { step: 20, steps: 5, most: 400 } as const;

/** `rm -r` removes one file after another, and would remove files that are restored in the middle of that. */
function waitUntilQuiet(path: string): void {
  let last = '';
  for (let waited = 0, quiet = 0; quiet < QUIET.steps && waited < QUIET.most; waited += QUIET.step) {
    const now = fingerprintOf(path);
    quiet = now === last ? quiet + 1 : 0;
    last = now;
    pause(QUIET.step);
  }
}

/** The path behind all symbolic links, also where the last one is broken. */
function linkedTo(path: string): string {
  let place = path;
  for (let links = 0; links < 40 && isLink(place); links += 1) {
    place = resolve(dirname(place), readlinkSync(place));
  }
  return place;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    // A parent of the path is not a folder.
    return false;
  }
}

/** Returns the name under which the file is kept now; null for an empty one, or none. */
function setAside(place: string): string | null {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined || found.size === 0) return null;
  const stamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  for (let number = 1; ; number += 1) {
    const aside = `${place}.replaced-${stamp}${number === 1 ? '' : `-${number}`}`;
    if (existsSync(aside)) continue;
    renameSync(place, aside);
    return aside;
  }
}
