/** From a copy that a run had to make of its database back into the database. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { z } from 'zod';
import type { Connection } from './connection.ts';
import { copyRuns } from './copy-runs.ts';
import { openDatabase } from './database.ts';
import { rows } from './read.ts';
import { isWholeDatabase } from './rescued-copy.ts';
import { asStoreError } from './store-error.ts';
import type { TakenIn } from './take-in.ts';

/**
 * Copies the runs that the database does not have, or has less of. The copy goes once that is on the disk; one that
 * can't be read stays, under another name.
 * @throws StoreError when the database refuses; the copy stays as it is.
 */
export function takeInCopy(connection: Connection, path: string): TakenIn {
  if (!existsSync(path)) return { kind: 'gone', path };
  try {
    if (!isWholeDatabase(path)) {
      const keptAs = `${path}.rejected`;
      renameSync(path, keptAs);
      return { kind: 'taken-in', path, runIds: [], results: 0, unusable: 1, keptAs };
    }
    const runId = runUnderWay(path);
    if (runId !== null) return { kind: 'in-use', path, runId };
    const { runIds, results } = copyRuns(connection, path);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });
    return { kind: 'taken-in', path, runIds, results, unusable: 0, keptAs: null };
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}

const idRow = z.object({ run_id: z.string() });

/** The run that is still writing, and puts the copy in its place itself; null where all of their processes are gone. */
function runUnderWay(path: string): string | null {
  const copy = openDatabase(path);
  try {
    const sql = "SELECT run_id FROM consolidated_runs WHERE state = 'running' LIMIT 1";
    return rows(copy, idRow, sql)[0]?.run_id ?? null;
  } finally {
    copy.close();
  }
}
