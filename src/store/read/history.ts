import type { AgentResult, FinalStatus } from '../../domain/agent-result.ts';
import type { Json } from '../../domain/json.ts';
import type {
  AgentPerformance,
  ConsolidatedResult,
  ErrorPattern,
  LiveWorkstream,
  RunSummary,
  ShortResult,
} from '../../domain/run-record.ts';
import type { ToolPerformance } from '../../domain/tool-record.ts';
import type { Capped } from '../../domain/capped.ts';
import { shownPath } from '../../text/format.ts';
import { agentPerformances } from './agents.ts';
import type { Connection } from '../schema/connection.ts';
import { consolidate, DEFAULT_CAPS, type ConsolidationCaps } from './consolidate.ts';
import { completedEarlier, knownDurations, type EarlierCompletion } from './durations.ts';
import { errorPatterns, readErrors, type StoredError } from './errors.ts';
import { liveCounts, liveWorkstreams } from './live.ts';
import { outputsOf } from './outputs.ts';
import { toolPerformances } from './tools.ts';
import { readResults } from './results.ts';
import { getRun, latestRunId, listRuns } from './runs.ts';
import { eachShortResult } from './short-results.ts';

/** Which part of a list. */
export interface Page {
  limit: number;
  offset?: number;
}

/** Asks the database; never writes to it. A run whose process has died is shown as interrupted. */
export class History {
  readonly #connection: Connection;
  readonly #path: string;

  /** @param path of the database, as a report names it; below the current folder it is shown relative to it. */
  constructor(connection: Connection, path: string) {
    this.#connection = connection;
    this.#path = shownPath(process.cwd(), path);
  }

  /** A run; null where there is none of this id. */
  getRun(runId: string): RunSummary | null {
    return getRun(this.#connection, runId);
  }

  /** Runs, the newest first. */
  listRuns({ limit, offset = 0 }: Page): RunSummary[] {
    return listRuns(this.#connection, limit, offset);
  }

  /** The newest run; null where there is none. */
  latestRunId(): string | null {
    return latestRunId(this.#connection);
  }

  /**
   * The results of a run in the order in which they arrived, one by one. While it is under way nothing else can be
   * written through the same connection.
   */
  results(runId: string, status: FinalStatus | null = null): IterableIterator<AgentResult> {
    return readResults(this.#connection, runId, status);
  }

  /** The same without what is long: outputs, tests, steps. */
  shortResults(runId: string): IterableIterator<ShortResult> {
    return eachShortResult(this.#connection, runId);
  }

  /** Every error of a run, in the order in which they arrived. */
  errors(runId: string): StoredError[] {
    return readErrors(this.#connection, runId);
  }

  /** Errors of a run grouped into those that are one error, the most frequent first. */
  errorPatterns(runId: string, limit: number): Capped<ErrorPattern> {
    return errorPatterns(this.#connection, runId, limit);
  }

  /** What each agent did, also those that got nothing to do. */
  agents(runId: string): AgentPerformance[] {
    return agentPerformances(this.#connection, runId);
  }

  /** What each tool did, by tool and model. */
  tools(runId: string): ToolPerformance[] {
    return toolPerformances(this.#connection, runId);
  }

  /** Workstreams without a final row; running ones first. */
  live(runId: string, limit: number): Capped<LiveWorkstream> {
    return liveWorkstreams(this.#connection, runId, limit);
  }

  /** How many workstreams without a final row are in each state. */
  liveCounts(runId: string): Record<LiveWorkstream['status'], number> {
    return liveCounts(this.#connection, runId);
  }

  /** Seconds that each workstream took when it last completed; ids without history are left out. */
  durations(ids: readonly string[]): Map<string, number> {
    return knownDurations(this.#connection, ids);
  }

  /** When each workstream last completed, and as what definition; ids that never did are left out. */
  completedEarlier(ids: readonly string[]): Map<string, EarlierCompletion> {
    return completedEarlier(this.#connection, ids);
  }

  /**
   * The output of each of these workstreams in this run, or, for those that are no part of it, in the run in which
   * they last completed; null for one that gave none.
   */
  outputs(runId: string, ids: readonly string[]): Record<string, Json> {
    return outputsOf(this.#connection, runId, ids);
  }

  /** Everything that a report shows of a run; null where there is none of this id. */
  consolidate(runId: string, caps: ConsolidationCaps = DEFAULT_CAPS): ConsolidatedResult | null {
    return consolidate(this.#connection, runId, this.#path, caps);
  }
}
