/** Records a run although the database may refuse: what it does not take is kept beside it, and taken in later. */
import type { Json } from '../../domain/json.ts';
import type { Recorder, RunEnd } from '../../domain/recorder.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import { plural } from '../../text/format.ts';
import { HEARTBEAT_MS } from '../read/liveness.ts';
import { setBusyTimeout, USUAL_WAIT_MS } from '../schema/connection.ts';
import { StoreError, storeError } from '../schema/store-error.ts';
import { importSpill, type SpillImport } from '../spill/import-spill.ts';
import type { StoredResult } from '../schema/result-table.ts';
import { spillLine } from '../spill/spill-line.ts';
import { Spill } from '../spill/spill.ts';
import type { SqliteRecorder } from './recorder.ts';
import type { RunDatabase } from './run-database.ts';
import { writeSync } from 'node:fs';

export interface FallbackRecorderParts {
  recorder: SqliteRecorder;
  database: RunDatabase;
  runId: string;
  /** Told what a person must know. */
  tell: (level: 'info' | 'warn' | 'error', text: string) => void;
  /** Aborted with an error that a timer met, since there is no caller to throw it to. */
  failure: AbortController;
  /** How long a database that refused is left alone, in milliseconds. Default: 5,000. */
  pauseMs?: number;
  /** How long another process may keep the database locked before a person is told, in milliseconds. Default: 2,000. */
  toleratedMs?: number;
  /** Folders for the spill, the first first. Default: those of `spillFolders`. */
  folders?: readonly string[];
}

/** How long the database is waited for each time that it is tried again, in milliseconds. */
const AGAIN_MS = 50;

/** How long a database that is locked is left alone as long as nothing was told of that, in milliseconds. */
const LOCKED_PAUSE_MS = 100;

/**
 * The recorder of a run. Once a run has begun, `commit` and `sync` do not fail because of the database: results that
 * it refuses go to a spill and are on the disk when `commit` returns. The database is tried again after a pause, and
 * takes in the spill as soon as it can. Where no file can be written either, results go to standard error, stay in
 * memory, and `commit` throws: then it is better to begin nothing more. After `finish` there is no later: `commit` and
 * `sync` throw when the database is not in its place.
 */
export class FallbackRecorder implements Recorder {
  readonly #parts: FallbackRecorderParts;
  readonly #spill: Spill;
  readonly #lastResort = new LastResort();
  /** How long the database is waited for where the run could not go on without it, in milliseconds. */
  readonly #patience: number;
  /** Committed, and perhaps not on the disk yet. */
  #unsynced: StoredResult[] = [];
  #clock: NodeJS.Timeout | null = null;
  readonly #heart: NodeJS.Timeout;
  /** The last of a series; null while the database takes what it is given. */
  #refusal: StoreError | null = null;
  /** When the series began, by `performance.now()`. */
  #refusedSince = 0;
  #hasTold = false;
  /** After that nothing is tried again: what the database can't keep is an error of whoever asks. */
  #hasFinished = false;

  constructor(parts: FallbackRecorderParts) {
    this.#parts = parts;
    const { connection } = parts.database;
    this.#spill = new Spill(connection.name, parts.folders);
    this.#patience = Number(connection.pragma('busy_timeout', { simple: true }));
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  get seconds(): number {
    return this.#parts.recorder.seconds;
  }

  /** While the database is left alone there is no reason to commit: the clock does so. */
  get hasLeft(): boolean {
    return this.#clock === null && this.#parts.recorder.hasLeft;
  }

  take(event: RunEvent): void {
    this.#parts.recorder.take(event);
  }

  /** @throws StoreError before the run has begun, and when neither the database nor a file takes results. */
  commit(): void {
    if (this.#clock !== null) return this.#putAside();
    const { hasBegun } = this.#parts.recorder;
    try {
      this.#commit(hasBegun ? (this.#refusal === null ? USUAL_WAIT_MS : AGAIN_MS) : this.#patience);
    } catch (error) {
      if (!(error instanceof StoreError) || !hasBegun) throw error;
      if (this.#hasFinished) throw this.#final(error);
      this.#refused(error);
    }
  }

  /** @throws StoreError when what was committed is not on the disk, and no file takes it. */
  async sync(): Promise<void> {
    const unsynced = this.#unsynced;
    this.#unsynced = [];
    try {
      await this.#force();
      this.#putBack();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (this.#hasFinished) throw this.#final(error);
      this.#trouble(error);
      this.#keep(unsynced);
    }
  }

  /** A log that is not found says little: whether the path leads elsewhere by now is looked at first. */
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

  /** Puts everything into the database. @throws StoreError when that is not possible; nothing is lost by that. */
  settle(): void {
    try {
      this.#commit(this.#patience);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#refused(error);
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

  /** What those of these workstreams gave whose results the database does not have yet. */
  outputsAside(ids: readonly string[]): Record<string, Json> {
    const outputs: Record<string, Json> = {};
    if (this.#refusal === null) return outputs;
    const pending = new Map(
      this.#parts.recorder.pending.map((each) => [each.result.workstreamId, each] as const),
    );
    for (const id of ids) {
      const found = this.#spill.get(id) ?? pending.get(id);
      if (found !== undefined) outputs[id] = found.result.metadata.output;
    }
    return outputs;
  }

  /** Stops the clocks. What is in the spill stays there, for the next start to take in. */
  close(): void {
    clearInterval(this.#heart);
    this.#stopClock();
    this.#spill.close();
    this.#parts.recorder.close();
  }

  /** While the database is left alone, the clock finds out whether it can be written. */
  #beat(): void {
    if (this.#clock !== null) return;
    try {
      this.#parts.recorder.beat();
    } catch (error) {
      if (error instanceof StoreError) this.#trouble(error);
      else this.#parts.failure.abort(error);
    }
  }

  /** @param wait how long at most for another process's lock, in milliseconds. */
  #commit(wait: number): void {
    const { recorder, database, runId } = this.#parts;
    this.#putBack();
    setBusyTimeout(database.connection, Math.min(wait, this.#patience));
    const kept = this.#spill.size;
    for (const path of this.#spill.paths) this.#complainOf(importSpill(database.connection, path, runId));
    this.#spill.close();
    const { pending } = recorder;
    recorder.commit();
    database.wrote();
    this.#unsynced.push(...pending);
    this.#recovered(kept);
  }

  /** What was committed is where the database's path leads, or this throws. */
  #putBack(): void {
    this.#moved(this.#parts.database.putBack());
  }

  #moved(done: string | null): void {
    if (done === null) return;
    const { recorder, database, tell } = this.#parts;
    recorder.moveTo(database.connection);
    tell('warn', done);
  }

  #complainOf(taken: SpillImport): void {
    if (taken.kind === 'unusable')
      this.#parts.tell('error', `The results in ${taken.path} could not be taken in: ${taken.why}.`);
    if (taken.kind !== 'taken-in' || taken.keptAs === null) return;
    this.#parts.tell(
      'error',
      `${plural(taken.unusable, 'result')} could not be taken in and can be found in ${taken.keptAs}.`,
    );
  }

  #refused(error: StoreError): void {
    this.#trouble(error);
    this.#putAside();
  }

  /** The first of a series is told, unless others only write at the same time; the clock tries again. */
  #trouble(error: StoreError): void {
    const { pauseMs = 5_000, failure } = this.#parts;
    if (this.#refusal === null) this.#refusedSince = performance.now();
    this.#refusal = error;
    if (!this.#hasTold && !this.#isTolerated(error)) this.#tellOf(error);
    this.#stopClock();
    this.#clock = setTimeout(
      () => {
        this.#clock = null;
        try {
          this.commit();
        } catch (thrown) {
          failure.abort(thrown);
        }
      },
      this.#hasTold ? pauseMs : LOCKED_PAUSE_MS,
    ).unref();
  }

  #isTolerated({ kind }: StoreError): boolean {
    const { toleratedMs = 2_000 } = this.#parts;
    return kind === 'locked' && performance.now() - this.#refusedSince < toleratedMs;
  }

  #tellOf(error: StoreError): void {
    this.#hasTold = true;
    this.#parts.tell('error', `${error.message} Meanwhile results are kept beside it.`);
    this.#tellOfSpill();
  }

  #tellOfSpill(): void {
    const path = this.#spill.paths.at(-1);
    if (path !== undefined)
      this.#parts.tell('error', `Results that the database does not take are kept in ${path}.`);
  }

  #recovered(kept: number): void {
    if (this.#refusal === null) return;
    const { database, tell } = this.#parts;
    this.#refusal = null;
    this.#stopClock();
    if (!this.#hasTold) return;
    this.#hasTold = false;
    const taken =
      kept === 0
        ? ''
        : `: ${plural(kept, 'result')} that had been kept beside it ${kept === 1 ? 'is' : 'are'} in it now`;
    tell('info', `The database ${database.connection.name} can be written again${taken}.`);
  }

  /** What waits for its commit goes to the spill, and out of memory. */
  #putAside(): void {
    const { recorder } = this.#parts;
    const { pending } = recorder;
    this.#keep(pending);
    recorder.forget(pending.length);
  }

  #keep(results: readonly StoredResult[]): void {
    if (results.length === 0) return;
    try {
      const isNew = this.#spill.keep(results);
      if (isNew && this.#hasTold) this.#tellOfSpill();
    } catch (error) {
      this.#lastResort.print(results);
      const why = error instanceof Error ? error.message : String(error);
      throw storeError('nowhere', this.#parts.database.connection.name, why);
    }
  }

  /** What a person has to know who finds the run unrecorded. */
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

  #stopClock(): void {
    if (this.#clock !== null) clearTimeout(this.#clock);
    this.#clock = null;
  }
}

const STANDARD_ERROR = 2;

/** Results that no file takes, as lines on standard error: saved as a spill, they can be taken in. */
class LastResort {
  readonly #printed = new Set<string>();

  /** Prints each result once. */
  print(results: readonly StoredResult[]): void {
    for (const result of results) {
      const id = result.result.workstreamId;
      if (this.#printed.has(id)) continue;
      if (!written(spillLine(result))) return;
      this.#printed.add(id);
    }
  }
}

/** False where nobody reads it any more. Nothing is left to be done then: the result stays in memory. */
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
