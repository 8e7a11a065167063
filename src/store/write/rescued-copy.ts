/** A copy of everything that an open connection can read, made when its files are not the ones in place any more. */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Connection } from '../schema/connection.ts';
import { asStoreError, StoreError } from '../schema/store-error.ts';
import { spillFolders } from '../spill/spill-places.ts';

/**
 * Writes the copy into the first folder that takes it: whole and on the disk when this returns. It has the name of a
 * spill, so that the next run takes it in if this one dies.
 * @param connection still reads what was removed or replaced at its path.
 * @param prefix of the name: that of the database's spills, and the run.
 * @param folders default: those for spills.
 * @throws the last folder's error, or SQLite's where the connection can't read everything itself.
 */
export function rescueCopy(
  connection: Connection,
  prefix: string,
  folders: readonly string[] = spillFolders(connection.name),
): string {
  let refusal: unknown = null;
  for (const folder of folders) {
    const path = join(folder, `${prefix}-${randomUUID().slice(0, 8)}.db`);
    const unfinished = `${path}.part`;
    try {
      connection.prepare('VACUUM INTO ?').run(unfinished);
      if (!isWholeDatabase(unfinished)) throw new Error(`the copy ${unfinished} is damaged`);
      forceToDisk(unfinished);
      renameSync(unfinished, path);
      return path;
    } catch (error) {
      refusal = error;
      removeIfThere(unfinished);
    }
  }
  throw refusal;
}

function removeIfThere(path: string): void {
  if (existsSync(path)) rmSync(path);
}

/**
 * Whether the path names a database of which SQLite can read everything; an empty one is.
 * @throws StoreError where that can't be found out.
 */
export function isWholeDatabase(path: string): boolean {
  let connection: Connection | null = null;
  try {
    connection = new Database(path, { fileMustExist: true, timeout: 1_000 });
    return connection.pragma('quick_check(1)', { simple: true }) === 'ok';
  } catch (thrown) {
    const error = asStoreError(thrown, path);
    if (error instanceof StoreError && error.kind === 'not-a-database') return false;
    throw error;
  } finally {
    connection?.close();
  }
}

/** Only this user may read the copy until it replaces the database. */
function forceToDisk(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fchmodSync(descriptor, 0o600);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
