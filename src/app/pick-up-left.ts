import type { EarlierResult } from '../domain/earlier-run.ts';
import type { Redactor } from '../support/redactor.ts';
import { redactLogs } from './redact-logs.ts';
import type { LazyWorkspaces } from './workspaces.ts';

/** What a process of the run left that was killed. */
interface Left {
  /** Folder of its logs. */
  logs: string;
  /** Results that stay. */
  kept: readonly EarlierResult[];
  redactor: Redactor;
  workspaces: Pick<LazyWorkspaces, 'rescue'>;
}

/**
 * Redacts the logs that it could not redact any more. Nothing is made in its worktrees, so what it left there is kept
 * before anything else. Says what a person has to know of that.
 */
export async function* pickUpLeft({
  logs,
  kept,
  redactor,
  workspaces,
}: Left): AsyncGenerator<{ level: 'info' | 'warn'; text: string }, void, undefined> {
  const finished = new Set(kept.map((each) => each.workstreamId));
  for (const text of await redactLogs(logs, finished, redactor)) yield { level: 'warn', text };
  try {
    for (const text of await workspaces.rescue()) yield { level: 'info', text };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    yield {
      level: 'warn',
      text: `What the interrupted run left in worktrees could not be looked at: ${why}`,
    };
  }
}
