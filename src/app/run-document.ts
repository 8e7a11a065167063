import type { RunComparison } from '../domain/history/history.ts';
import type { EventOf } from '../domain/run-event.ts';
import type { ConsolidatedResult } from '../domain/run-record.ts';
import { type DocumentSource, documentHead } from '../report/document.ts';
import { consolidate, DEFAULT_CAPS } from '../store/read/consolidate.ts';
import { pageResults } from '../store/read/page-results.ts';
import { failurePatterns } from '../store/read/patterns.ts';
import { readResults, resultTexts } from '../store/read/results.ts';
import type { Connection } from '../store/schema/connection.ts';
import { type LookedBack, lookBack } from './comparison.ts';

/** Most groups of errors in a document that is printed. */
const PATTERNS = 1_000;

/** A stored run as reports take it; null where there is none of this id. */
export function storedDocument(
  connection: Connection,
  runId: string,
  database: string,
): DocumentSource | null {
  const result = consolidate(connection, runId, database, { ...DEFAULT_CAPS, patterns: PATTERNS });
  return result === null ? null : documentOf(connection, lookBack(connection, result));
}

/** The same for a run that has just been read. */
export const documentOf = (connection: Connection, { result, comparison }: LookedBack): DocumentSource => ({
  head: documentHead(result, comparison),
  workstreams: () => readResults(connection, result.run.runId),
  workstreamTexts: () => resultTexts(connection, result.run.runId),
  patterns: () => failurePatterns(connection, result.run.runId),
  pageResults: (most) => pageResults(connection, result.run.runId, most),
});

/** The results of a run, and where they are. */
export interface RunResult {
  runId: string;
  /** 0 every workstream completed, 1 some did not, 3 results or the report are not there, 130 and the like when interrupted. */
  exitCode: number;
  consolidated: ConsolidatedResult;
  /** With the run before it that ran the same; null where there is none, or the run is very large. */
  comparison: RunComparison | null;
  /** Absolute path of the Markdown report; null when it could not be written. */
  reportPath: string | null;
  /** The same of the HTML page; null also when none was wanted. */
  pagePath: string | null;
  /** Why one of them could not be written; the results are in the database all the same. */
  reportProblem: string | null;
  /** Why the database does not have every result of the run; null where it has. */
  recordProblem: string | null;
  /** Absolute path of the database. */
  databasePath: string;
}

/** The event of its end. */
export const runEnded = (result: RunResult): EventOf<'run-ended'> => ({
  type: 'run-ended',
  runId: result.runId,
  at: new Date().toISOString(),
  exitCode: result.exitCode,
  totals: result.consolidated.run.totals,
  report: result.reportPath,
  page: result.pagePath,
  database: result.databasePath,
});
