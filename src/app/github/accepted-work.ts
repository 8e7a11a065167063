/** The accepted work of a run that pull requests are of. */
import type { AgentResult } from '../../domain/agent-result.ts';
import type { RunSummary } from '../../domain/run-record.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { environmentRedactor } from '../../secrets/find-secrets.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import { readResults } from '../../store/read/results.ts';
import { getRun, latestRunId } from '../../store/read/runs.ts';
import { type LinkKind, linksOf } from '../../store/write/published.ts';
import { oneLine } from '../../text/printable.ts';
import { idOfRun, withDatabase } from '../history.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { prepare } from '../prepare.ts';
import { redactPrepared } from '../redact-prepared.ts';
import { Refusal } from '../refusal.ts';

/** A workstream that completed and left commits. */
export interface AcceptedWork {
  result: AgentResult;
  /** The commit that holds all of it. */
  commit: string;
}

export interface AcceptedRun {
  run: RunSummary;
  works: AcceptedWork[];
  /** Why completed work is not proposed, in a sentence each. */
  left: string[];
}

/**
 * Of the run of this name; of the newest without one.
 * @throws Refusal with exit code 4 where there is none, and where no work of it was accepted.
 */
export function acceptedWork(paths: Paths, name: string | null): AcceptedRun {
  return withDatabase(paths.database, (connection) => {
    const newest = connection === null ? null : latestRunId(connection);
    if (connection === null || newest === null)
      throw new Refusal(4, `There are no runs in ${paths.database}. Start one with: millrace run`);
    const runId = name === null ? newest : idOfRun(connection, name);
    const run = getRun(connection, runId);
    if (run === null) throw new Refusal(4, `There is no run ${runId}. See: millrace runs`);
    const works: AcceptedWork[] = [];
    const left: string[] = [];
    for (const result of readResults(connection, runId)) {
      const { changes } = result.metadata;
      const isWork = result.status === 'completed' && changes !== null && changes.commits.length > 0;
      if (!isWork || changes.head === null) continue;
      const why = whyNotProposed(result);
      if (why === null) works.push({ result, commit: changes.head });
      else left.push(why);
    }
    if (works.length === 0 && left.length > 0)
      throw new Refusal(4, `No work of ${runId} can be proposed. ${left.join(' ')}`);
    if (works.length === 0)
      throw new Refusal(
        4,
        `No work of ${runId} was accepted that is in commits: only a workstream with a worktree leaves some. See: millrace show ${runId}`,
      );
    return { run, works, left };
  });
}

/** What makes tests fail, or was not tested, is proposed to nobody. */
function whyNotProposed({ workstreamId, metadata: { merge } }: AcceptedWork['result']): string | null {
  if (merge?.status === 'breaks-tests')
    return `The work of ${workstreamId} is not proposed: ${oneLine(merge.detail, 300)}.`;
  if (merge?.status === 'pending')
    return `The work of ${workstreamId} is not proposed: the run ended before its merge was tested.`;
  return null;
}

/** Where a pull request of the whole run is pushed to, or of one workstream. */
export const pullBranch = (subject: string): string => `millrace-pr/${subject}`;

/** The numbers on GitHub that are known, by the id of a workstream or a run. */
export const numbersOf = (paths: Paths, repository: string, kind: LinkKind): Map<string, number> =>
  withDatabase(paths.database, (connection) =>
    connection === null ? new Map<string, number>() : linksOf(connection, repository, kind),
  );

/** The workstreams as they are defined now, by id, and what is redacted of them. */
export interface DefinedNow {
  definitions: ReadonlyMap<string, Workstream>;
  redactor: Redactor;
}

/** A folder that can't be used has no definitions: what a run did is known without them. */
export function definedNow(options: RunOptions, paths: Paths): DefinedNow {
  try {
    const { redactor, prepared } = redactPrepared(prepare(options, paths), options, paths);
    return { definitions: new Map(prepared.plan.workstreams.map((each) => [each.id, each])), redactor };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { definitions: new Map(), redactor: environmentRedactor(options.project.redact) };
  }
}
