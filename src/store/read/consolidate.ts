/** Reads everything that a report shows of a run. */
import type { ConsolidatedResult } from '../../domain/run-record.ts';
import { shownPath } from '../../text/format.ts';
import type { Connection } from '../schema/connection.ts';
import { agentCounts } from '../write/agent-counts.ts';
import { agentPerformances, hostPerformances } from './agents.ts';
import { competitions, retried, reviews } from './attempts.ts';
import { changedFiles, commits, warnings } from './changes.ts';
import { errorPatterns } from './errors.ts';
import { parkedInRun } from './live/parked-tools.ts';
import { mergedWork } from './merges.ts';
import { shownOutputs } from './outputs.ts';

import { outputFiles, shownResults, shownSeries } from './results-table.ts';

import { getRun } from './runs.ts';
import { resourceUse, shortResults, type TimelineCaps, timeline } from './short-results.ts';
import { caseTotals, failedCases, testNotes, testTotals } from './tests.ts';
import { toolPerformances, toolTasks } from './tools.ts';

/** How many entries each list of a consolidated result may show. */
export interface ConsolidationCaps {
  patterns: number;
  failures: number;
  merges: number;
  retried: number;
  tasks: number;
  skipped: number;
  warnings: number;
  /** Of files, and of commits. */
  files: number;
  outputs: number;
  /** Of what workstreams reserved and used. */
  resources: number;
  /** Of failed tests, of failed cases, and of manual checks. */
  tests: number;
  timeline: TimelineCaps;
  /** Of how many agents there were. */
  agentCounts: number;
}

export const DEFAULT_CAPS: ConsolidationCaps = {
  patterns: 100,
  failures: 200,
  merges: 100,
  retried: 100,
  tasks: 200,
  skipped: 50,
  warnings: 50,
  files: 100,
  outputs: 50,
  resources: 500,
  tests: 100,
  timeline: { all: 500, failures: 200, longest: 50 },
  agentCounts: 100,
};

/**
 * Everything that a report shows of a run, read in one transaction so that its numbers belong together; null where
 * there is no run of this id. Lists are cut to `caps`, their totals are exact.
 * @param database path of the database; the result names it relative to the current folder where it is below that.
 */
export function consolidate(
  connection: Connection,
  runId: string,
  database: string,
  caps: ConsolidationCaps = DEFAULT_CAPS,
): ConsolidatedResult | null {
  const read = (): ConsolidatedResult | null => {
    const run = getRun(connection, runId);
    if (run === null) return null;
    const agents = agentPerformances(connection, runId);
    const hosts = hostPerformances(connection, runId, agents);
    return {
      run,
      agents,
      ...(hosts.length === 0 ? {} : { hosts }),
      scaling: agentCounts(connection, runId, caps.agentCounts),
      tools: toolPerformances(connection, runId),
      merges: mergedWork(connection, runId, caps.merges),
      competitions: competitions(connection, runId, caps.retried),
      reviews: reviews(connection, runId, caps.retried),
      tasks: toolTasks(connection, runId, caps.tasks),
      retried: retried(connection, runId, caps.retried),
      parked: parkedInRun(connection, runId, run.endedAt),
      patterns: errorPatterns(connection, runId, caps.patterns),
      failures: shortResults(connection, runId, 'failed', caps.failures),
      skipped: shortResults(connection, runId, 'skipped', caps.skipped),
      warnings: warnings(connection, runId, caps.warnings),
      tests: testTotals(connection, runId),
      testCases: caseTotals(connection, runId),
      failedTests: testNotes(connection, runId, 'failed', caps.tests),
      failedCases: failedCases(connection, runId, caps.tests),
      manualChecks: testNotes(connection, runId, 'manual', caps.tests),
      files: changedFiles(connection, runId, caps.files),
      commits: commits(connection, runId, caps.files),
      outputs: shownOutputs(connection, runId, caps.outputs),
      results: shownResults(connection, runId),
      series: shownSeries(connection, runId),
      outputFiles: outputFiles(connection, runId, caps.files),
      resources: resourceUse(connection, runId, caps.resources),
      timeline: timeline(connection, runId, caps.timeline),
      database: shownPath(process.cwd(), database),
    };
  };
  return connection.transaction(read).deferred();
}
