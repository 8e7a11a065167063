/** The locks of a run against other runs of the same database. */
import { z } from 'zod';
import { type HeldLock, keepsFrom, type LockRequest, type LockTable } from '../../domain/run-lock.ts';
import type { ProcessIdentity } from '../../os/process-identity.ts';
import { isWriterGone, PROCESS_COLUMNS, processOf, processShape } from '../read/liveness.ts';
import { rows } from '../read/rows.ts';
import { type Connection, setBusyTimeout, statement, USUAL_WAIT_MS } from '../schema/connection.ts';
import { asStoreError, StoreError } from '../schema/store-error.ts';
import { NOW } from './recorder-statements.ts';

const lockRow = z
  .object({
    run_id: z.string(),
    workstream_id: z.string(),
    kind: z.enum(['busy', 'alone', 'group', 'scope']),
    name: z.string(),
    state: z.string(),
    ...processShape,
  })
  .transform((row) => ({
    lock: {
      runId: row.run_id,
      workstreamId: row.workstream_id,
      kind: row.kind,
      name: row.name,
      isLeft: isWriterGone(row),
    },
    isHeld: row.state === 'running' || isWriterGone(row),
    process: processOf(row),
  }));

/** The locks of other runs that have not ended. The next run that begins marks one that was killed as interrupted. */
const OTHERS = `
SELECT run_id, workstream_id, kind, name, state, ${PROCESS_COLUMNS}
FROM run_locks CROSS JOIN consolidated_runs USING (run_id) WHERE run_id <> ? AND state IN ('running', 'interrupted')`;

const TAKE = `
INSERT OR IGNORE INTO run_locks (run_id, workstream_id, kind, name, since)
VALUES (?, ?, ?, ?, ${NOW})`;

const RELEASE = 'DELETE FROM run_locks WHERE run_id = ? AND workstream_id = ?';

/** Of a process that has died. A run that was resumed since has another one. */
const RELEASE_LEFT = `
DELETE FROM run_locks WHERE run_id = (SELECT run_id FROM consolidated_runs WHERE run_id = ? AND pid = ? AND pid_started IS ?)`;

/** The id in `workstream_id` for the lock of the run itself. */
const RUN_ITSELF = '';

export interface RunLocksParts {
  database: { readonly connection: Connection };
  runId: string;
  /** Called with what a person must know. */
  notify: (level: 'warn', text: string) => void;
}

/**
 * A lock is taken in the transaction that checks what other runs hold. Where the database can't be written, locks of
 * others still count as far as it can be read, and others do not see those of this run: it continues, because a full
 * disk is no reason for a run to stop, and notifies once.
 */
export class RunLocks implements LockTable {
  readonly #parts: RunLocksParts;
  /** Workstreams whose locks could not be released yet. */
  readonly #toRelease = new Set<string>();
  /** Runs whose process was killed and left nothing running, each with that process. */
  readonly #released = new Map<string, ProcessIdentity>();
  #hasNotified = false;

  constructor(parts: RunLocksParts) {
    this.#parts = parts;
  }

  take(request: LockRequest): HeldLock | null {
    const { workstreamId, alone, conflictGroups, paths } = request;
    const locks: [kind: HeldLock['kind'], name: string][] = paths.map((path) => ['scope', path]);
    for (const group of conflictGroups) locks.push(['group', group]);
    if (alone) locks.push(['alone', '']);
    return this.#takeAll(request, (take) => {
      for (const [kind, name] of locks) take(workstreamId, kind, name);
      if (!alone) take(RUN_ITSELF, 'busy', '');
    });
  }

  takeBusy(): HeldLock | null {
    const request = { workstreamId: RUN_ITSELF, alone: false, conflictGroups: [], paths: [] };
    return this.#takeAll(request, (take) => take(RUN_ITSELF, 'busy', ''));
  }

  release(workstreamId: string): void {
    this.#toRelease.add(workstreamId);
    this.#attempt(() => this.#releaseAll());
  }

  releaseBusy(): void {
    this.release(RUN_ITSELF);
  }

  isHeld({ runId, workstreamId, kind, name }: HeldLock): boolean {
    const sql = `${OTHERS} AND run_id = ? AND workstream_id = ? AND kind = ? AND name = ?`;
    const found = this.#attempt(
      () => rows(this.#connection, lockRow, sql, this.#parts.runId, runId, workstreamId, kind, name),
      'reading',
    );
    return found?.some(({ lock, isHeld }) => isHeld && !lock.isLeft) ?? false;
  }

  /** The process of another run that has died and still holds locks; null where there is none. */
  leftBy(runId: string): ProcessIdentity | null {
    const sql = `${OTHERS} AND run_id = ?`;
    const found = this.#attempt(
      () => rows(this.#connection, lockRow, sql, this.#parts.runId, runId),
      'reading',
    );
    return found?.find(({ lock }) => lock.isLeft)?.process ?? null;
  }

  /** Releases the locks of another run whose process has died, once nothing that it started is running. */
  releaseLeft(runId: string, process: ProcessIdentity): void {
    this.#released.set(runId, process);
    this.#attempt(() => statement(this.#connection, RELEASE_LEFT).run(runId, process.pid, process.started));
  }

  get #connection(): Connection {
    return this.#parts.database.connection;
  }

  #takeAll(
    request: LockRequest,
    write: (take: (workstreamId: string, kind: HeldLock['kind'], name: string) => void) => void,
  ): HeldLock | null {
    const { runId } = this.#parts;
    const taken = this.#attempt(() => {
      this.#releaseAll();
      const held = this.#blocking(request);
      if (held !== null) return { held };
      const insert = statement(this.#connection, TAKE);
      write((workstreamId, kind, name) => void insert.run(runId, workstreamId, kind, name));
      return { held };
    });
    if (taken !== null) return taken.held;
    return this.#attempt(() => ({ held: this.#blocking(request) }), 'reading')?.held ?? null;
  }

  /** The lock of another run that prevents this; null for none. */
  #blocking(request: LockRequest): HeldLock | null {
    const others = rows(this.#connection, lockRow, OTHERS, this.#parts.runId);
    return (
      others.find((other) => other.isHeld && keepsFrom(other.lock, request) && !this.#isReleased(other))
        ?.lock ?? null
    );
  }

  #isReleased({ lock, process }: z.infer<typeof lockRow>): boolean {
    const released = this.#released.get(lock.runId);
    return lock.isLeft && released?.pid === process?.pid && released?.started === process?.started;
  }

  #releaseAll(): void {
    for (const workstreamId of this.#toRelease) {
      statement(this.#connection, RELEASE).run(this.#parts.runId, workstreamId);
    }
    this.#toRelease.clear();
  }

  /** In one transaction; null where the database refuses. */
  #attempt<T>(work: () => T, mode: 'writing' | 'reading' = 'writing'): T | null {
    const toRelease = [...this.#toRelease];
    try {
      if (mode === 'reading') return work();
      setBusyTimeout(this.#connection, USUAL_WAIT_MS);
      return this.#connection.transaction(work).immediate();
    } catch (thrown) {
      for (const workstreamId of toRelease) this.#toRelease.add(workstreamId);
      const error = asStoreError(thrown, this.#connection.name);
      if (!(error instanceof StoreError)) throw error;
      if (mode === 'writing' && !this.#hasNotified) {
        this.#hasNotified = true;
        this.#parts.notify(
          'warn',
          `${error.message} Until it takes them, other runs do not see what this one has locked (conflict_group, files_scope, parallel_ok).`,
        );
      }
      return null;
    }
  }
}
