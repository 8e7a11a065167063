import type { EventOf } from '../domain/run-event.ts';
import type { ConsolidatedResult, RunDocument, RunSummary } from '../domain/run-record.ts';
import { agentPerformances } from '../store/read/agents.ts';
import { errorPatterns } from '../store/read/errors.ts';
import { readResults } from '../store/read/results.ts';
import type { Connection } from '../store/schema/connection.ts';

/** Most groups of errors in a document. */
const PATTERNS = 1_000;

/** The whole of a run as one document. It holds every result: for very large runs query the database instead. */
export function runDocument(connection: Connection, run: RunSummary): RunDocument {
  return {
    version: 1,
    run,
    agents: agentPerformances(connection, run.runId),
    workstreams: [...readResults(connection, run.runId)],
    errors: errorPatterns(connection, run.runId, PATTERNS).shown,
    recommendations: run.recommendations,
  };
}

/** The results of a run, and where they are. */
export interface RunResult {
  runId: string;
  /** 0 every workstream completed, 1 some did not, 3 results or the report are not there, 130 and the like when interrupted. */
  exitCode: number;
  consolidated: ConsolidatedResult;
  /** Absolute path of the Markdown report; null when it could not be written. */
  reportPath: string | null;
  /** Why it could not; the results are in the database all the same. */
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
  database: result.databasePath,
});
