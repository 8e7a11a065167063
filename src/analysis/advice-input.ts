import type { ConsolidatedResult, RunSummary } from '../domain/run-record.ts';

/** What recommendations are made from: the part of a consolidated result that is known before they are stored. */
export type AdviceInput = Pick<
  ConsolidatedResult,
  'agents' | 'merges' | 'patterns' | 'failures' | 'skipped' | 'manualChecks' | 'timeline'
> & { run: Pick<RunSummary, 'runId' | 'state' | 'totals' | 'executionSummary'> };
