import type { AgentResult } from '../../domain/agent-result.ts';
import type { AgentPerformance, ConsolidatedResult, RunSummary } from '../../domain/run-record.ts';
import type { Connection } from '../schema/connection.ts';
import { DEFAULT_DATABASE, openForReading } from '../schema/database.ts';
import { agentPerformances } from './agents.ts';
import { consolidate } from './consolidate.ts';
import { readErrors, type StoredError } from './errors.ts';
import { readResults } from './results.ts';
import { getRun, listRuns } from './runs.ts';

/**
 * The stored runs, for programs. Reads only: it can be used while a run is under way, and where there is no database
 * yet it answers that there are no runs. The file is opened by the first question; close it with `close`.
 *
 * ```ts
 * const database = new ConsolidationDatabase();
 * const [latest] = database.getAllRuns({ limit: 1 });
 * if (latest) console.log(latest.runId, latest.totals.failed);
 * database.close();
 * ```
 *
 * Every method throws a `StoreError` where the database can't be read.
 */
export class ConsolidationDatabase {
  readonly #path: string;
  #connection: Connection | null = null;

  /** @param path of the database. Default: `.state/multi_agent_consolidated.db` in the current folder. */
  constructor(path: string = DEFAULT_DATABASE) {
    this.#path = path;
  }

  /** A run's state, totals, summary and recommendations; null where there is no run of this id. */
  getRunSummary(runId: string): RunSummary | null {
    return this.#ask((connection) => getRun(connection, runId), null);
  }

  /** All runs, the newest first; `limit` at most, `offset` of them left out. */
  getAllRuns(page: { limit?: number; offset?: number } = {}): RunSummary[] {
    return this.#ask((connection) => listRuns(connection, page), []);
  }

  /** The final result of each workstream of a run, in the order in which they arrived. */
  getAgentResults(runId: string): AgentResult[] {
    return this.#ask((connection) => [...readResults(connection, runId)], []);
  }

  /** Every error of a run with its context, in the order in which they arrived. */
  getErrors(runId: string): StoredError[] {
    return this.#ask((connection) => readErrors(connection, runId), []);
  }

  /** What each agent did in a run: counts, times, median and 95th percentile. */
  getAgentPerformance(runId: string): AgentPerformance[] {
    return this.#ask((connection) => agentPerformances(connection, runId), []);
  }

  /** Everything that the report of a run shows; null where there is no run of this id. */
  consolidate(runId: string): ConsolidatedResult | null {
    return this.#ask((connection) => consolidate(connection, runId, this.#path), null);
  }

  /** Closes the file. A later question opens it again. */
  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  /** @param none the answer where there is no database. */
  #ask<T>(query: (connection: Connection) => T, none: T): T {
    this.#connection ??= openForReading(this.#path);
    return this.#connection === null ? none : query(this.#connection);
  }
}
