import type { ConsolidatedResult } from '../domain/run-record.ts';

/** What a run left behind. */
export interface RunResult {
  runId: string;
  /** 0 every workstream completed, 1 some did not, 130 and the like when interrupted. */
  exitCode: number;
  consolidated: ConsolidatedResult;
  /** Absolute path of the Markdown report. */
  reportPath: string;
  /** Absolute path of the database. */
  databasePath: string;
}
