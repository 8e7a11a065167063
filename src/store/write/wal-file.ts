import { closeSync, fdatasync, fdatasyncSync, openSync, realpathSync } from 'node:fs';
import type { Connection } from '../schema/connection.ts';
import { asStoreError } from '../schema/store-error.ts';

/** After so many milliseconds the main thread syncs itself: workstreams may fill libuv's threads for seconds. */
const PATIENCE_MS = 100;

/**
 * Forces a database's write-ahead log to the disk without making the main thread wait for it, which is what SQLite's
 * `synchronous = FULL` does after each commit on the thread that commits. Together with `synchronous = NORMAL`, under
 * which SQLite itself syncs around each checkpoint and each new log header, a commit followed by `sync` survives a
 * power cut just as it does under FULL (https://sqlite.org/pragma.html#pragma_synchronous).
 */
export class WalFile {
  readonly #database: string;
  readonly #isWal: boolean;
  #descriptor: number | null = null;

  constructor(connection: Connection) {
    this.#database = connection.name;
    this.#isWal = connection.pragma('journal_mode', { simple: true }) === 'wal';
  }

  /** Resolves when all that was committed before is on the disk. Rejects with a `StoreError`. */
  async sync(): Promise<void> {
    // Where WAL mode is not available, SQLite syncs each commit.
    if (!this.#isWal) return;
    try {
      await syncFile(this.#open());
    } catch (error) {
      throw asStoreError(error, this.#database);
    }
  }

  /** The same, with the main thread waiting. Throws a `StoreError`. */
  syncNow(): void {
    if (!this.#isWal) return;
    try {
      fdatasyncSync(this.#open());
    } catch (error) {
      throw asStoreError(error, this.#database);
    }
  }

  /** SQLite holds no lock on this file, so closing it releases none. */
  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  /** The file is there once something was committed, and as long as the connection is open. */
  #open(): number {
    this.#descriptor ??= openSync(walPath(this.#database), 'r+');
    return this.#descriptor;
  }
}

/** SQLite puts it beside the file itself, wherever links to that may be. */
export const walPath = (database: string): string => `${realpathSync(database)}-wal`;

function syncFile(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const impatience = setTimeout(() => {
      try {
        fdatasyncSync(descriptor);
        resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    }, PATIENCE_MS);
    fdatasync(descriptor, (error) => {
      clearTimeout(impatience);
      if (error === null) resolve();
      else reject(error);
    });
  });
}
