/** Moves what is in a spill into the database. */
import { closeSync, constants, existsSync, readSync, renameSync, rmSync } from 'node:fs';
import { z } from 'zod';
import type { AgentResult } from '../../domain/agent-result.ts';
import { openRegular, UnusableFile } from '../../os/regular-file.ts';
import { firstRow, rows } from '../read/rows.ts';
import { textCell } from '../schema/cells.ts';
import { type Connection, statement } from '../schema/connection.ts';
import { openDatabase } from '../schema/database.ts';
import { asStoreError } from '../schema/store-error.ts';
import { copyRuns } from '../write/copy-runs.ts';
import { settlePatterns } from '../write/patterns.ts';
import { prepareStatements, RECOUNT, type Statements } from '../write/recorder-statements.ts';
import { isWholeDatabase } from '../write/rescued-copy.ts';
import { WalFile } from '../write/wal-file.ts';
import { writeResults } from '../write/write-results.ts';
import { readSpillLine } from './spill-line.ts';

/** How the import of a spill ended. */
export type SpillImport =
  | {
      kind: 'taken-in';
      path: string;
      runIds: string[];
      /** Results that the database did not have. */
      results: number;
      /** Lines that are no result, or one of a run that is not in the database. */
      unusable: number;
      /** Where the file is now; null where it could be removed, because the database has all of it. */
      keptAs: string | null;
    }
  /** Its run is under way, and imports it itself. */
  | { kind: 'in-use'; path: string; runId: string }
  /** It is a folder, a pipe or the like; it stays. */
  | { kind: 'unusable'; path: string; why: string }
  /** Another process has imported it meanwhile. */
  | { kind: 'gone'; path: string };

const BATCH = 500;
const CHUNK_BYTES = 1 << 20;
const MOST_CHUNKS = 256;

/**
 * Imports a spill. A process that dies meanwhile leaves the file, and importing it again doubles nothing: a result that
 * the database has is kept. The file is removed once all of it is on the disk; with a line that can't be used it is
 * renamed instead.
 * @param ownRun the run that this process writes itself; others that are under way are left alone.
 * @throws StoreError when the database refuses; the file stays as it is.
 */
export function importSpill(connection: Connection, path: string, ownRun: string | null = null): SpillImport {
  try {
    return new ImportOfLines(connection, path, ownRun).all();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'gone', path };
    if (error instanceof UnusableFile) return { kind: 'unusable', path, why: error.message };
    throw asStoreError(error, connection.name);
  }
}

const stateRow = z.object({ state: textCell });

class ImportOfLines {
  readonly #connection: Connection;
  readonly #path: string;
  readonly #ownRun: string | null;
  readonly #statements: Statements;
  /** By the runs that lines name; undefined for one that is not in the database. */
  readonly #states = new Map<string, string | null | undefined>();
  #results = 0;
  #unusable = 0;

  constructor(connection: Connection, path: string, ownRun: string | null) {
    this.#connection = connection;
    this.#path = path;
    this.#ownRun = ownRun;
    this.#statements = prepareStatements(connection);
  }

  all(): SpillImport {
    let batch: AgentResult[] = [];
    for (const line of linesOf(this.#path)) {
      const spilled = readSpillLine(line);
      const runId = spilled?.runId ?? null;
      if (runId !== null && this.#isUnderWay(runId)) return { kind: 'in-use', path: this.#path, runId };
      if (spilled === null || runId === null || this.#stateOf(runId) === undefined) this.#unusable += 1;
      else batch.push(spilled);
      if (batch.length < BATCH) continue;
      this.#write(batch);
      batch = [];
    }
    this.#write(batch);
    this.#settle();
    const keptAs = this.#putAway();
    const runIds = [...this.#states].flatMap(([runId, state]) => (state === undefined ? [] : [runId]));
    return {
      kind: 'taken-in',
      path: this.#path,
      runIds,
      results: this.#results,
      unusable: this.#unusable,
      keptAs,
    };
  }

  #stateOf(runId: string): string | null | undefined {
    if (!this.#states.has(runId)) {
      const sql = 'SELECT state FROM consolidated_runs WHERE run_id = ?';
      this.#states.set(runId, firstRow(this.#connection, stateRow, sql, runId)?.state);
    }
    return this.#states.get(runId);
  }

  #isUnderWay(runId: string): boolean {
    return runId !== this.#ownRun && this.#stateOf(runId) === 'running';
  }

  #write(batch: readonly AgentResult[]): void {
    if (batch.length === 0) return;
    this.#connection
      .transaction(() => {
        for (const result of batch) {
          if (this.#isThere(result.runId, result.workstreamId)) continue;
          writeResults(this.#statements, [result]);
          this.#results += 1;
        }
      })
      .immediate();
  }

  #isThere(runId: string, workstreamId: string): boolean {
    const sql = 'SELECT 1 FROM agent_results WHERE run_id = ? AND workstream_id = ? AND attempts IS NOT NULL';
    return statement(this.#connection, sql).get(runId, workstreamId) !== undefined;
  }

  /** Counts the runs' totals again, and takes their new shapes into the patterns. */
  #settle(): void {
    this.#connection
      .transaction(() => {
        for (const [run, state] of this.#states) {
          if (state === undefined) continue;
          statement(this.#connection, `UPDATE consolidated_runs SET ${RECOUNT} WHERE run_id = @run`).run({
            run,
          });
        }
      })
      .immediate();
    for (const [run, state] of this.#states) if (state !== undefined) settlePatterns(this.#connection, run);
  }

  #putAway(): string | null {
    const wal = new WalFile(this.#connection);
    try {
      wal.syncNow();
    } finally {
      wal.close();
    }
    if (this.#unusable === 0) {
      rmSync(this.#path, { force: true });
      return null;
    }
    const keptAs = `${this.#path}.rejected`;
    renameSync(this.#path, keptAs);
    return keptAs;
  }
}

/** The lines of a file one by one, without their ends; what follows the last line end is one as well. */
function* linesOf(path: string): Generator<string, void, undefined> {
  const descriptor = openRegular(path, { flags: constants.O_RDONLY });
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let parts: Buffer[] = [];
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1 && end < read; end = chunk.indexOf(10, from)) {
        yield Buffer.concat([...parts, chunk.subarray(from, end)]).toString();
        parts = [];
        from = end + 1;
      }
      if (from < read) parts.push(Buffer.from(chunk.subarray(from, read)));
      // No result is as long: such a line counts as unusable, and its end is not kept in memory.
      if (parts.length > MOST_CHUNKS) parts = parts.slice(0, 1);
    }
    if (parts.length > 0) yield Buffer.concat(parts).toString();
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Imports a copy that a run had to make of its database: the runs that the database does not have, or has less of. The
 * copy is removed once they are on the disk; one that can't be read is renamed.
 * @throws StoreError when the database refuses; the copy stays as it is.
 */
export function importCopy(connection: Connection, path: string): SpillImport {
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

/** A run of the copy that is under way, and puts the copy in place itself; null for none. */
function runUnderWay(path: string): string | null {
  const copy = openDatabase(path);
  try {
    const sql = "SELECT run_id FROM consolidated_runs WHERE state = 'running' LIMIT 1";
    return rows(copy, idRow, sql)[0]?.run_id ?? null;
  } finally {
    copy.close();
  }
}
