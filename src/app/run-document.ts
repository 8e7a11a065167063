import type { RunDocument, RunSummary } from '../domain/run-record.ts';
import type { History } from '../store/history.ts';

/** More groups of errors than anyone reads; a bound all the same. */
const PATTERNS = 1_000;

/** The whole of a run as one document. It holds every result: for very large runs query the database instead. */
export function runDocument(history: History, run: RunSummary): RunDocument {
  return {
    version: 1,
    run,
    agents: history.agents(run.runId),
    workstreams: [...history.results(run.runId)],
    errors: history.errorPatterns(run.runId, PATTERNS).shown,
    recommendations: run.recommendations,
  };
}
