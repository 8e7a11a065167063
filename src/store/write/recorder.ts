import { performance } from 'node:perf_hooks';
import type { AgentResult } from '../../domain/agent-result.ts';
import type { Checkout } from '../../domain/history/history.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Recorder, RunEnd } from '../../domain/recorder.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import { ownIdentity } from '../../os/process-identity.ts';
import { writeSummary } from '../read/summary-json.ts';
import { type Connection, statement } from '../schema/connection.ts';
import { asStoreError, storeError } from '../schema/store-error.ts';
import { writeAgentCounts } from './agent-counts.ts';
import { dropLocks } from './end-run.ts';
import { EventBatch, type RunStarted, type ToolParking } from './event-batch.ts';
import { dropKeptWork, writeKeptWork } from './kept-work.ts';
import { dropPlan, writePlan } from './plan-rows.ts';
import { prepareStatements, type Statements } from './recorder-statements.ts';
import { restartRun, resumeSession, type SessionTakeover } from './resume-session.ts';
import { WalFile } from './wal-file.ts';
import { type Withdrawal, withdrawResults } from './withdraw-results.ts';
import { writeResults } from './write-results.ts';

/** What a run was started with. */
export interface Origin {
  /** So that it can be resumed with the same. */
  options: JsonObject | null;
  /** The run whose failures it tries again; null for none. */
  retryOf: string | null;
  /** The name that it shares with others of its kind; null for none. */
  label: string | null;
  /** Where it takes requests while it is under way; null where it takes none. Default: null. */
  controlSocket?: string | null;
}

const UNKNOWN: Origin = { options: null, retryOf: null, label: null };

/**
 * Writes one run. Each `commit` is one transaction: it is kept as a whole, or, when it throws a `StoreError`, not at
 * all, and what it held is kept for the next one.
 */
export class SqliteRecorder implements Recorder {
  #connection: Connection;
  #statements: Statements;
  readonly #identity = ownIdentity();
  #wal: WalFile;
  /** Of earlier connections; a `sync` of one may not have ended. */
  readonly #walsBefore: WalFile[] = [];
  #batch = new EventBatch();
  /** Workstreams that have a row because they are in hand. */
  readonly #inHand = new Set<string>();
  #runId: string | null = null;
  #milliseconds = 0;

  /** @param connection from `openDatabase`; stays open. */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.#statements = prepareStatements(connection);
    this.#wal = new WalFile(connection);
  }

  get seconds(): number {
    return this.#milliseconds / 1000;
  }

  /** Continues with another connection, to a database that has everything that was committed. */
  moveTo(connection: Connection): void {
    this.#walsBefore.push(this.#wal);
    this.#connection = connection;
    this.#statements = prepareStatements(connection);
    this.#wal = new WalFile(connection);
  }

  /**
   * Reserves the id of a run that is about to start; false when another run has it. Of two processes that ask for the
   * same id at the same moment one gets it.
   */
  claim(runId: string, at: string, origin: Origin = UNKNOWN): boolean {
    return this.#write(
      () => this.#statements.claim.run(this.#runRow(runId, at, 0, null, origin)).changes === 1,
    );
  }

  /** Takes over an interrupted run to resume it; false when another process has taken it over since it was read. */
  reopen(taking: SessionTakeover): boolean {
    return this.#write(() => resumeSession(this.#connection, taking, this.#identity));
  }

  take(events: readonly RunEvent[]): void {
    const from = performance.now();
    for (const event of events) {
      if (event.type === 'run-started') this.#runId = event.runId;
      this.#batch.add(event);
    }
    this.#milliseconds += performance.now() - from;
  }

  commit(): void {
    const batch = this.#batch;
    if (batch.isEmpty) return;
    this.#write(() => this.#writeBatch(batch));
    this.#noteInHand(batch);
    this.#batch = new EventBatch();
  }

  /** Takes committed results back, in a transaction of its own. */
  withdraw(runId: string, withdrawals: readonly Withdrawal[]): void {
    this.#write(() => withdrawResults(this.#connection, runId, withdrawals));
  }

  sync(): Promise<void> {
    return this.#wal.sync();
  }

  /** Writes the heartbeat of the run's process. */
  beat(): void {
    const runId = this.#runId;
    if (runId !== null) this.#write(() => void this.#statements.heartbeat.run(runId));
  }

  /** Whether the start of the run is in the database. */
  get hasBegun(): boolean {
    return this.#runId !== null && this.#batch.started === null;
  }

  /** Results that are not committed yet, in the order in which they arrived. */
  get pending(): readonly AgentResult[] {
    return [...this.#batch.results];
  }

  /** Drops the first of the pending results, which are stored elsewhere. */
  forget(count: number): void {
    this.#batch.forget(count);
  }

  /** Closes the files that `sync` uses. The connection stays open. */
  close(): void {
    for (const wal of [...this.#walsBefore, this.#wal]) wal.close();
  }

  finish(end: RunEnd, report: () => void = () => undefined): void {
    this.commit();
    this.#write(() => {
      if (end.state === 'ended') {
        dropPlan(this.#connection, end.runId);
        dropKeptWork(this.#connection, end.runId);
      }
      dropLocks(this.#connection, end.runId);
      const { changes } = this.#statements.finish.run({
        run: end.runId,
        state: end.state,
        at: end.at,
        exitCode: end.summary.exitCode,
        summary: writeSummary(end.summary),
        recommendations: JSON.stringify(end.recommendations),
      });
      if (changes === 0) throw storeError('run-deleted', this.#connection.name, end.runId);
      report();
    });
  }

  #write<T>(work: () => T): T {
    const from = performance.now();
    try {
      return this.#connection.transaction(work).immediate();
    } catch (error) {
      throw asStoreError(error, this.#connection.name);
    } finally {
      this.#milliseconds += performance.now() - from;
    }
  }

  #writeBatch(batch: EventBatch): void {
    if (batch.started !== null) this.#writeStart(batch.started);
    const runId = this.#runId;
    if (runId === null) throw new Error('nothing can be recorded before the run has started');
    if (batch.checkout !== null) this.#writeCheckout(runId, batch.checkout);
    this.#writeInHand(runId, batch);
    writeResults(this.#statements, batch.results);
    this.#writeMerges(runId, batch);
    writeAgentCounts(this.#connection, runId, batch.scalings);
    writeParkings(this.#connection, runId, batch.parkings);
    writeKeptWork(this.#connection, runId, batch.keptWork);
    if (batch.results.length > 0) this.#addTotals(runId, batch);
  }

  #writeMerges(runId: string, { merges }: EventBatch): void {
    for (const [id, merge] of merges) {
      const { status, partner, failingTest } = merge;
      this.#statements.merge.run(status, partner, failingTest, JSON.stringify(merge), runId, id);
    }
  }

  #writeCheckout(runId: string, { commit, branch, isDirty }: Checkout): void {
    const dirty = isDirty === null ? null : Number(isDirty);
    this.#statements.checkout.run(commit, branch, dirty, runId);
  }

  #writeInHand(runId: string, { inHand, progress, results }: EventBatch): void {
    for (const [id, taken] of inHand) {
      if (taken === null) this.#release(runId, id);
      else this.#statements.inHand.run(runId, id, taken.agentId, taken.since, taken.attempt);
    }
    for (const [id, { fraction, activity }] of progress) {
      this.#statements.progress.run(fraction, activity, runId, id);
    }
    for (const { workstreamId } of results) this.#release(runId, workstreamId);
  }

  /** Most workstreams have their result before a row says that they are in hand. */
  #release(runId: string, id: string): void {
    if (this.#inHand.has(id)) this.#statements.outOfHand.run(runId, id);
  }

  #noteInHand({ inHand, results }: EventBatch): void {
    for (const [id, taken] of inHand) {
      if (taken === null) this.#inHand.delete(id);
      else this.#inHand.add(id);
    }
    for (const { workstreamId } of results) this.#inHand.delete(workstreamId);
  }

  #writeStart(started: RunStarted): void {
    if (!this.#begin(started)) throw storeError('run-exists', this.#connection.name);
    writePlan(this.#statements, started);
  }

  #begin(started: RunStarted): boolean {
    if (started.resumed !== null) return restartRun(this.#connection, started, this.#identity);
    const { runId, at, total, agents } = started;
    return this.#statements.start.run(this.#runRow(runId, at, total, agents, UNKNOWN)).changes > 0;
  }

  #addTotals(runId: string, { results }: EventBatch): void {
    const counts = { completed: 0, failed: 0, skipped: 0 };
    let errors = 0;
    let warnings = 0;
    for (const result of results) {
      counts[result.status] += 1;
      if (result.status === 'failed') errors += result.errors.length;
      warnings += result.warnings.length;
    }
    const { completed, failed, skipped } = counts;
    const { changes } = this.#statements.totals.run(completed, failed, skipped, errors, warnings, runId);
    if (changes === 0) throw storeError('run-deleted', this.#connection.name, runId);
  }

  #runRow(run: string, at: string, total: number, agents: readonly string[] | null, origin: Origin) {
    const names = agents === null ? null : JSON.stringify(agents);
    const options = origin.options === null ? null : JSON.stringify(origin.options);
    const { retryOf, label, controlSocket = null } = origin;
    return {
      run,
      at,
      total,
      agents: agents?.length ?? null,
      names,
      options,
      retryOf,
      label,
      controlSocket,
      ...this.#identity,
    };
  }
}

const PARK = `
INSERT INTO parked_tools (run_id, tool, class, why, source, parked_at, until) VALUES (?, ?, ?, ?, ?, ?, ?)`;

/** Whichever run parked it: tools wait for all runs of a database. */
const RESUME = 'UPDATE parked_tools SET resumed_at = ? WHERE tool = ? AND resumed_at IS NULL';

/** Writes which tools wait for their usage limits and which work again, in the order of the events. */
function writeParkings(connection: Connection, runId: string, events: readonly ToolParking[]): void {
  for (const event of events) {
    if (event.type === 'tool-resumed') statement(connection, RESUME).run(event.at, event.tool);
    else if (event.parkedBy === null) {
      const { tool, class: kind, why, source, at, until } = event;
      statement(connection, PARK).run(runId, tool, kind, why.toWellFormed(), source, at, until);
    }
  }
}
