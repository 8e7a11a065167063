import type { RunSummary } from '../domain/run-record.ts';

/** The command that goes on with a run, as lines; none where everything completed or is under way. */
export function next({ runId, state, totals }: Pick<RunSummary, 'runId' | 'state' | 'totals'>): string[] {
  if (state === 'interrupted') return [`Go on with: millrace run --resume ${runId}`];
  if (state === 'ended' && totals.failed > 0) return [`Try again with: millrace run --retry-failed ${runId}`];
  return [];
}
