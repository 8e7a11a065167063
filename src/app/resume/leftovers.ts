import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EarlierResult } from '../../domain/history/earlier-run.ts';
import { redactPath } from '../../secrets/redact-file.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import { messageOf } from '../../text/error-message.ts';
import type { LazyGitWorkspaces } from '../compose/lazy-workspaces.ts';

/** What a killed process of the run left. */
interface Left {
  /** Folder of its logs. */
  logs: string;
  /** Results that stay. */
  kept: readonly EarlierResult[];
  redactor: Redactor;
  workspaces: Pick<LazyGitWorkspaces, 'rescue'>;
}

/**
 * Redacts the logs that the process could not redact any more, and keeps what is in its worktrees before anything is
 * made there. Yields what a person should know of that.
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
    const why = messageOf(error);
    yield {
      level: 'warn',
      text: `What the interrupted run left in worktrees could not be read: ${why}`,
    };
  }
}

/** For one file; a run that is resumed waits for it. */
const EFFORT = { milliseconds: 5_000 };

/**
 * Redacts what a run's workstreams printed, but for those that had ended: theirs was redacted then.
 * @param folder of the run's logs; each file's name begins with its workstream's id and a dot.
 * @returns a sentence for each that could not be.
 */
async function redactLogs(folder: string, ended: ReadonlySet<string>, redactor: Redactor): Promise<string[]> {
  if (redactor.isIdle) return [];
  const sentences: string[] = [];
  for (const name of readdirSync(folder)) {
    if (ended.has(name.split('.', 1)[0] ?? '')) continue;
    sentences.push(...(await redactPath(join(folder, name), redactor, EFFORT)));
  }
  return sentences;
}
