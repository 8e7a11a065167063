/** Records a run even while the database refuses: results are spilled to a file, and imported later. */
import { writeSync } from 'node:fs';
import type { AgentResult } from '../../domain/agent-result.ts';
import type { Json } from '../../domain/json.ts';
import type { Recorder, RunEnd } from '../../domain/recorder.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import { messageOf } from '../../text/error-message.ts';
import { plural } from '../../text/format.ts';
import { HEARTBEAT_MS } from '../read/liveness.ts';
import { setBusyTimeout, USUAL_WAIT_MS } from '../schema/connection.ts';
import { StoreError, storeError } from '../schema/store-error.ts';
import { importSpill, type SpillImport } from '../spill/import-spill.ts';
import { Spill } from '../spill/spill.ts';
import { spillLine } from '../spill/spill-line.ts';
import type { SqliteRecorder } from './recorder.ts';
import type { RunDatabase } from './run-database.ts';
import type { Withdrawal } from './withdraw-results.ts';

export interface FallbackRecorderParts {
  recorder: SqliteRecorder;
  database: RunDatabase;
  runId: string;
  /** Called with what a person must know. */
  notify: (level: 'info' | 'warn' | 'error', text: string) => void;
  /** Aborted with an error that occurred in a timer, where no caller can catch it. */
  failure: AbortController;
  /** Pause before a database that refused is tried again, in milliseconds. Default: 5,000. */
  pauseMs?: number;
  /** How long another process may lock the database before a person is notified, in milliseconds. Default: 2,000. */
  toleratedMs?: number;
  /** Folders for the spill, in the order in which they are tried. Default: those of `spillFolders`. */
  folders?: readonly string[];
}

/** How long each retry waits for another process's lock, in milliseconds. */
const AGAIN_MS = 50;

/** Pause before a locked database is tried again, as long as that was not notified, in milliseconds. */
const LOCKED_PAUSE_MS = 100;

/**
 * The recorder of a run. Once a run has begun, `commit` and `sync` do not fail because of the database: results that
 * it refuses are spilled and on the disk when `commit` returns. The database is tried again after a pause, and the spill
 * is imported as soon as it can be written. Where no file can be written either, results are printed to standard error,
 * stay in memory, and `commit` throws: no further workstream should be started. After `finish` nothing is retried:
 * `commit` and `sync` throw when the database is not in its place.
 */
export class FallbackRecorder implements Recorder {
  readonly #parts: FallbackRecorderParts;
  readonly #spill: Spill;
  readonly #lastResort = new LastResort();
  /** How long to wait for another process's lock where the run can't continue without the database, in milliseconds. */
  readonly #patience: number;
  /** Committed, and perhaps not on the disk yet. */
  #unsynced: AgentResult[] = [];
  #retryTimer: NodeJS.Timeout | null = null;
  readonly #heartbeat: NodeJS.Timeout;
  /** The last refusal of a series; null while the database accepts writes. */
  #refusal: StoreError | null = null;
  /** When the series began, by `performance.now()`. */
  #refusedSince = 0;
  #hasNotified = false;
  /** After that nothing is retried: the caller gets the error of the database. */
  #hasFinished = false;

  constructor(parts: FallbackRecorderParts) {
    this.#parts = parts;
    const { connection } = parts.database;
    this.#spill = new Spill(connection.name, parts.folders);
    this.#patience = Number(connection.pragma('busy_timeout', { simple: true }));
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  get seconds(): number {
    return this.#parts.recorder.seconds;
  }

  take(events: readonly RunEvent[]): void {
    this.#parts.recorder.take(events);
  }

  /** @throws StoreError before the run has begun, and when neither the database nor a file takes results. */
  commit(): void {
    if (this.#retryTimer !== null) return this.#spillPending();
    const { hasBegun } = this.#parts.recorder;
    try {
      this.#commit(hasBegun ? (this.#refusal === null ? USUAL_WAIT_MS : AGAIN_MS) : this.#patience);
    } catch (error) {
      if (!(error instanceof StoreError) || !hasBegun) throw error;
      if (this.#hasFinished) throw this.#final(error);
      this.#spillAndRetry(error);
    }
  }

  /**
   * Takes results back that are in the database.
   * @throws StoreError where it can't be written now; then none is taken back.
   */
  withdraw(withdrawals: readonly Withdrawal[]): void {
    const { recorder, database, runId } = this.#parts;
    this.commit();
    if (this.#refusal !== null) throw this.#refusal;
    recorder.withdraw(runId, withdrawals);
    database.wrote();
  }

  /** @throws StoreError when what was committed is not on the disk and can't be spilled. */
  async sync(): Promise<void> {
    const unsynced = this.#unsynced;
    this.#unsynced = [];
    try {
      await this.#force();
      this.#putBack();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (this.#hasFinished) throw this.#final(error);
      this.#retryLater(error);
      this.#spillResults(unsynced);
    }
  }

  /** A missing log may mean that the database was replaced: that is checked before the sync counts as failed. */
  async #force(): Promise<void> {
    const { recorder, database } = this.#parts;
    try {
      await recorder.sync();
    } catch (error) {
      const before = database.connection;
      if (error instanceof StoreError) this.#putBack();
      if (database.connection === before) throw error;
      await recorder.sync();
    }
  }

  /** Writes everything to the database. @throws StoreError when that is not possible; everything is in a spill then. */
  settle(): void {
    try {
      this.#commit(this.#patience);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#spillAndRetry(error);
      throw this.#final(error);
    }
  }

  finish(end: RunEnd, report?: () => void): void {
    this.settle();
    const { recorder, database } = this.#parts;
    try {
      recorder.finish(end, report);
      database.wrote();
      this.#moved(database.verify());
      this.#hasFinished = true;
    } catch (error) {
      throw error instanceof StoreError ? this.#final(error) : error;
    }
  }

  /** The outputs of those of these workstreams whose results are not in the database yet, by id. */
  unwrittenOutputs(ids: readonly string[]): Record<string, Json> {
    const outputs: Record<string, Json> = {};
    if (this.#refusal === null) return outputs;
    const pending = new Map(
      this.#parts.recorder.pending.map((result) => [result.workstreamId, result] as const),
    );
    for (const id of ids) {
      const found = this.#spill.get(id) ?? pending.get(id);
      if (found !== undefined) outputs[id] = found.metadata.output;
    }
    return outputs;
  }

  /** Stops the timers. The spill stays on the disk, for the next start to import. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#stopRetryTimer();
    this.#spill.close();
    this.#parts.recorder.close();
  }

  /** Skipped while a retry is scheduled, which writes anyway. */
  #beat(): void {
    if (this.#retryTimer !== null) return;
    try {
      this.#parts.recorder.beat();
    } catch (error) {
      if (error instanceof StoreError) this.#retryLater(error);
      else this.#parts.failure.abort(error);
    }
  }

  /** @param wait for another process's lock, in milliseconds at most. */
  #commit(wait: number): void {
    const { recorder, database, runId } = this.#parts;
    this.#putBack();
    setBusyTimeout(database.connection, Math.min(wait, this.#patience));
    const kept = this.#spill.size;
    for (const path of this.#spill.paths) this.#notifyOfImport(importSpill(database.connection, path, runId));
    this.#spill.close();
    const { pending } = recorder;
    recorder.commit();
    database.wrote();
    this.#unsynced.push(...pending);
    this.#recovered(kept);
  }

  /** Restores a database that was removed or replaced. @throws StoreError when that is not possible. */
  #putBack(): void {
    this.#moved(this.#parts.database.putBack());
  }

  #moved(done: string | null): void {
    if (done === null) return;
    const { recorder, database, notify } = this.#parts;
    recorder.moveTo(database.connection);
    notify('warn', done);
  }

  #notifyOfImport(taken: SpillImport): void {
    if (taken.kind === 'unusable')
      this.#parts.notify('error', `The results in ${taken.path} could not be taken in: ${taken.why}.`);
    if (taken.kind !== 'taken-in' || taken.keptAs === null) return;
    this.#parts.notify(
      'error',
      `${plural(taken.unusable, 'result')} could not be taken in and can be found in ${taken.keptAs}.`,
    );
  }

  #spillAndRetry(error: StoreError): void {
    this.#retryLater(error);
    this.#spillPending();
  }

  /** Notifies of the first refusal of a series, unless the database is only locked for a moment; schedules a retry. */
  #retryLater(error: StoreError): void {
    const { pauseMs = 5_000, failure } = this.#parts;
    if (this.#refusal === null) this.#refusedSince = performance.now();
    this.#refusal = error;
    if (!this.#hasNotified && !this.#isTolerated(error)) this.#notifyOf(error);
    this.#stopRetryTimer();
    this.#retryTimer = setTimeout(
      () => {
        this.#retryTimer = null;
        try {
          this.commit();
        } catch (thrown) {
          failure.abort(thrown);
        }
      },
      this.#hasNotified ? pauseMs : LOCKED_PAUSE_MS,
    ).unref();
  }

  #isTolerated({ kind }: StoreError): boolean {
    const { toleratedMs = 2_000 } = this.#parts;
    return kind === 'locked' && performance.now() - this.#refusedSince < toleratedMs;
  }

  #notifyOf(error: StoreError): void {
    this.#hasNotified = true;
    this.#parts.notify('error', `${error.message} Meanwhile results are kept beside it.`);
    this.#notifyOfSpill();
  }

  #notifyOfSpill(): void {
    const path = this.#spill.paths.at(-1);
    if (path !== undefined)
      this.#parts.notify('error', `Results that the database does not take are kept in ${path}.`);
  }

  #recovered(kept: number): void {
    if (this.#refusal === null) return;
    const { database, notify } = this.#parts;
    this.#refusal = null;
    this.#stopRetryTimer();
    if (!this.#hasNotified) return;
    this.#hasNotified = false;
    const taken =
      kept === 0
        ? ''
        : `: ${plural(kept, 'result')} that had been kept beside it ${kept === 1 ? 'is' : 'are'} in it now`;
    notify('info', `The database ${database.connection.name} can be written again${taken}.`);
  }

  /** Moves results that are not committed from memory to the spill. */
  #spillPending(): void {
    const { recorder } = this.#parts;
    const { pending } = recorder;
    this.#spillResults(pending);
    recorder.forget(pending.length);
  }

  #spillResults(results: readonly AgentResult[]): void {
    if (results.length === 0) return;
    try {
      const isNew = this.#spill.keep(results);
      if (isNew && this.#hasNotified) this.#notifyOfSpill();
    } catch (error) {
      this.#lastResort.print(results);
      const why = messageOf(error);
      throw storeError('nowhere', this.#parts.database.connection.name, why);
    }
  }

  /** The error with where the results of the run are and how to continue it. */
  #final(error: StoreError): StoreError {
    const { runId } = this.#parts;
    const isThere = error.kind !== 'run-deleted';
    const { size, paths } = this.#spill;
    const sentences = [error.message];
    if (size > 0) {
      const next = isThere ? `; the next millrace run takes ${size === 1 ? 'it' : 'them'} in` : '';
      sentences.push(
        `${plural(size, 'result')} of ${runId} ${size === 1 ? 'is' : 'are'} kept in ${paths.join(', ')}${next}.`,
      );
    } else if (isThere && error.kind !== 'replaced') {
      sentences.push(
        this.#hasFinished
          ? `All results of ${runId} and its end were written to it, but a power cut may still lose them.`
          : `All results of ${runId} are in it, but not that it ended.`,
      );
    }
    if (isThere) sentences.push(`Then: millrace run --resume ${runId}`);
    return new StoreError(error.kind, sentences.join(' '), error);
  }

  #stopRetryTimer(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
  }
}

const STANDARD_ERROR = 2;

/** Prints results that can't be spilled to standard error, as lines of a spill: saved as a file they can be imported. */
class LastResort {
  readonly #printed = new Set<string>();

  /** Prints each result once. */
  print(results: readonly AgentResult[]): void {
    for (const result of results) {
      const id = result.workstreamId;
      if (this.#printed.has(id)) continue;
      if (!written(spillLine(result))) return;
      this.#printed.add(id);
    }
  }
}

/** False where standard error is closed: the result stays in memory only. */
function written(line: string): boolean {
  const bytes = Buffer.from(line);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(STANDARD_ERROR, bytes, done);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return false;
    }
  }
  return true;
}
