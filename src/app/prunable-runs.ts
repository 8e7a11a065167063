import type { RunSummary } from '../domain/run-record.ts';

/** Which runs are old. */
export interface PruneLimits {
  /** Only those that ended longer ago than this; null for any age. */
  olderThanSeconds: number | null;
  /** How many of the newest are left alone whatever their age; null for none. */
  keep: number | null;
  /** Whether their rows go too, and with them what can be done with the runs. */
  runs: boolean;
}

export interface Choice {
  /** Runs whose things are to be removed. */
  runs: RunSummary[];
  /** Those of them that completed: nothing goes on with them. */
  complete: RunSummary[];
  /** Ids of all old runs, also of those that stay because they can be resumed. */
  old: Set<string>;
  kept: { runId: string; why: string }[];
  /** When the first run began that is not old. */
  before: Date;
}

/**
 * Divides runs, the newest first. One that is under way is never old; an interrupted one keeps what it takes to resume
 * it for as long as it has its rows.
 */
export function chooseRuns(all: readonly RunSummary[], limits: PruneLimits, now: Date): Choice {
  const { olderThanSeconds, keep, runs: withRows } = limits;
  const limit = olderThanSeconds === null ? now.getTime() : now.getTime() - olderThanSeconds * 1000;
  const choice: Choice = { runs: [], complete: [], old: new Set(), kept: [], before: new Date(limit) };
  for (const [index, run] of all.entries()) {
    const { runId, state, totals } = run;
    const at = Date.parse(run.endedAt ?? run.resumedAt ?? run.createdAt);
    if (state === 'running' || index < (keep ?? 0) || !(at < limit)) {
      const began = Date.parse(run.createdAt);
      if (began < choice.before.getTime()) choice.before = new Date(began);
      continue;
    }
    choice.old.add(runId);
    if (state === 'interrupted' && !withRows) {
      choice.kept.push({ runId, why: 'it was interrupted and can be resumed; --runs removes it' });
      continue;
    }
    choice.runs.push(run);
    if (state === 'ended' && totals.completed === totals.workstreams) choice.complete.push(run);
  }
  return choice;
}
