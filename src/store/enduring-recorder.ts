/** Records a run although the database may refuse: what it does not take is kept beside it, and taken in later. */
import type { Json } from '../domain/json.ts';
import type { Recorder, RunEnd } from '../domain/recorder.ts';
import type { RunEvent } from '../domain/run-event.ts';
import { plural } from '../support/plural.ts';
import type { Connection } from './connection.ts';
import { LastResort } from './last-resort.ts';
import type { SqliteRecorder } from './recorder.ts';
import { Spill } from './spill.ts';
import type { SpilledResult } from './spill-line.ts';
import { StoreError, storeError } from './store-error.ts';
import { takeIn, type TakenIn } from './take-in.ts';

export interface EnduringParts {
  recorder: SqliteRecorder;
  connection: Connection;
  runId: string;
  /** Told what a person must know. */
  tell: (level: 'info' | 'error', text: string) => void;
  /** Told of an error that the clock met, since there is no caller to throw it to. */
  fail: (error: unknown) => void;
  /** How long a database that refused is left alone, in milliseconds. Default: 5,000. */
  pauseMs?: number;
  /** Folders for the spill, the first first. Default: those of `spillFolders`. */
  folders?: readonly string[];
}

/** The main thread must not wait long for a lock each time it tries, in milliseconds. */
const SHORT_WAIT_MS = 50;

/**
 * The recorder of a run. Once a run has begun, `commit` and `sync` do not fail because of the database: results that
 * it refuses go to a spill and are on the disk when `commit` returns. The database is tried again after a pause, and
 * takes in the spill as soon as it can. Where no file can be written either, results go to standard error, stay in
 * memory, and `commit` throws: then it is better to begin nothing more.
 */
export class EnduringRecorder implements Recorder {
  readonly #parts: EnduringParts;
  readonly #spill: Spill;
  readonly #lastResort = new LastResort();
  readonly #patience: unknown;
  /** Committed, and perhaps not on the disk yet. */
  #unsynced: SpilledResult[] = [];
  #clock: NodeJS.Timeout | null = null;
  #refusal: StoreError | null = null;

  constructor(parts: EnduringParts) {
    this.#parts = parts;
    this.#spill = new Spill(parts.connection.name, parts.folders);
    this.#patience = parts.connection.pragma('busy_timeout', { simple: true });
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
    try {
      this.#commit();
    } catch (error) {
      if (!(error instanceof StoreError) || !this.#parts.recorder.hasBegun) throw error;
      this.#refused(error);
    }
  }

  /** @throws StoreError when what was committed is not on the disk, and no file takes it. */
  async sync(): Promise<void> {
    const unsynced = this.#unsynced;
    this.#unsynced = [];
    try {
      await this.#parts.recorder.sync();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#trouble(error);
      this.#keep(unsynced);
    }
  }

  /** Puts everything into the database. @throws StoreError when that is not possible; nothing is lost by that. */
  settle(): void {
    this.#parts.connection.pragma(`busy_timeout = ${Number(this.#patience)}`);
    try {
      this.#commit();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#refused(error);
      throw this.#final(error);
    }
  }

  finish(end: RunEnd, report?: () => void): void {
    this.settle();
    try {
      this.#parts.recorder.finish(end, report);
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

  /** Stops the clock. What is in the spill stays there, for the next start to take in. */
  close(): void {
    this.#stopClock();
    this.#spill.close();
    this.#parts.recorder.close();
  }

  #commit(): void {
    const { recorder, connection, runId } = this.#parts;
    const kept = this.#spill.size;
    for (const path of this.#spill.paths) this.#complainOf(takeIn(connection, path, runId));
    this.#spill.close();
    const { pending } = recorder;
    recorder.commit();
    this.#unsynced.push(...pending);
    this.#recovered(kept);
  }

  #complainOf(taken: TakenIn): void {
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

  /** The first of a series is told; the clock tries again. */
  #trouble(error: StoreError): void {
    const { connection, pauseMs, fail, tell } = this.#parts;
    if (this.#refusal === null) {
      tell('error', `${error.message} Meanwhile results are kept beside it.`);
      connection.pragma(`busy_timeout = ${SHORT_WAIT_MS}`);
    }
    this.#refusal = error;
    this.#stopClock();
    this.#clock = setTimeout(() => {
      this.#clock = null;
      try {
        this.commit();
      } catch (thrown) {
        fail(thrown);
      }
    }, pauseMs ?? 5_000).unref();
  }

  #recovered(kept: number): void {
    if (this.#refusal === null) return;
    const { connection, tell } = this.#parts;
    this.#refusal = null;
    this.#stopClock();
    connection.pragma(`busy_timeout = ${Number(this.#patience)}`);
    const taken =
      kept === 0
        ? ''
        : `: ${plural(kept, 'result')} that had been kept beside it ${kept === 1 ? 'is' : 'are'} in it now`;
    tell('info', `The database ${connection.name} can be written again${taken}.`);
  }

  /** What waits for its commit goes to the spill, and out of memory. */
  #putAside(): void {
    const { recorder } = this.#parts;
    const { pending } = recorder;
    this.#keep(pending);
    recorder.forget(pending.length);
  }

  #keep(results: readonly SpilledResult[]): void {
    if (results.length === 0) return;
    try {
      const isNew = this.#spill.keep(results);
      if (isNew)
        this.#parts.tell(
          'error',
          `Results that the database does not take are kept in ${this.#spill.paths.at(-1)}.`,
        );
    } catch (error) {
      this.#lastResort.print(results);
      const why = error instanceof Error ? error.message : String(error);
      throw storeError('nowhere', this.#parts.connection.name, why);
    }
  }

  /** What a person has to know who finds the run unrecorded. */
  #final(error: StoreError): StoreError {
    const { runId } = this.#parts;
    const where =
      this.#spill.size === 0
        ? `All results of ${runId} are in it, but not that it ended.`
        : `${plural(this.#spill.size, 'result')} of ${runId} ${this.#spill.size === 1 ? 'is' : 'are'} kept in ${this.#spill.paths.join(', ')}; the next millrace run takes ${this.#spill.size === 1 ? 'it' : 'them'} in.`;
    return new StoreError(
      error.kind,
      `${error.message} ${where} Then: millrace run --resume ${runId}`,
      error,
    );
  }

  #stopClock(): void {
    if (this.#clock !== null) clearTimeout(this.#clock);
    this.#clock = null;
  }
}
