/** Every workstream of a folder, with what became of it over all runs and what to do next. */
import type { Merge } from '../../domain/changes.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { type LastVerdict, lastVerdicts } from '../../store/read/merges.ts';
import { commitsInHead } from '../../worktree/merging/earlier-merge.ts';
import { findRepository } from '../../worktree/repository.ts';
import { withDatabase } from '../history.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { prepare } from '../prepare.ts';

/** `not run` where no run has a result of it. */
type BacklogVerdict = 'completed' | 'failed' | 'skipped' | 'not run' | 'broken';

/** A line of the backlog. Times are ISO 8601 in UTC. */
export interface BacklogEntry {
  id: string;
  title: string;
  verdict: BacklogVerdict;
  /** Why it did not complete; null where it did. */
  reason: string | null;
  explanation: string | null;
  /** The run of that result, and when it ended; null where there is none. */
  run: string | null;
  at: string | null;
  branch: string | null;
  /** What became of its work; `in-your-branch` where the branch that is checked out has it; null where nothing is merged. */
  merge: Merge['status'] | 'in-your-branch' | null;
  /** The workstream with which it conflicts or breaks a test, and that test; null for none. */
  partner: string | null;
  failingTest: string | null;
  /** US dollars over all runs; null where none is known. */
  costUsd: number | null;
  /** In how many runs it has a result. */
  runs: number;
  /** Whether its definition is another one than then. */
  isChanged: boolean;
  /** The command to go on with; null where nothing is to be done. */
  next: string | null;
}

/**
 * In the order of the plan.
 * @throws Refusal with exit code 2 for a folder that can't be used, 3 for a database that can't be read, 4 where there are
 * no workstreams.
 */
export async function backlog(options: RunOptions, paths: Paths): Promise<BacklogEntry[]> {
  const { plan } = prepare(options, paths);
  const ids = [...plan.workstreams, ...plan.broken].map(({ id }) => id);
  const verdicts = withDatabase(paths.database, (connection) =>
    connection === null ? new Map<string, LastVerdict>() : lastVerdicts(connection, ids),
  );
  const merged = await mergedCommits(paths.cwd, [...verdicts.values()]);
  return [
    ...plan.workstreams.map((workstream) => entryOf(workstream, verdicts.get(workstream.id) ?? null, merged)),
    ...plan.broken.map(
      ({ id, title, failure }): BacklogEntry => ({
        ...EMPTY,
        id,
        title,
        verdict: 'broken',
        reason: failure.reason,
        next: 'millrace validate',
      }),
    ),
  ];
}

const EMPTY = {
  reason: null,
  explanation: null,
  run: null,
  at: null,
  branch: null,
  merge: null,
  partner: null,
  failingTest: null,
  costUsd: null,
  runs: 0,
  isChanged: false,
};

/** The commits of results that the branch which is checked out has; none without git. */
async function mergedCommits(cwd: string, verdicts: readonly LastVerdict[]): Promise<ReadonlySet<string>> {
  const heads = verdicts.flatMap(({ head }) => head ?? []);
  if (heads.length === 0) return new Set();
  const repository = await findRepository(cwd);
  return 'why' in repository ? new Set() : commitsInHead(repository, heads);
}

function entryOf(
  { id, title, hash }: Workstream,
  last: LastVerdict | null,
  merged: ReadonlySet<string>,
): BacklogEntry {
  if (last === null) return { ...EMPTY, id, title, verdict: 'not run', next: runCommand(id) };
  const isChanged = last.definition_hash !== null && last.definition_hash !== hash;
  const isIn = last.head !== null && last.merge !== null && merged.has(last.head);
  const merge = isIn ? 'in-your-branch' : (last.merge?.status ?? null);
  return {
    id,
    title,
    verdict: last.status === 'completed' || last.status === 'skipped' ? last.status : 'failed',
    reason: last.reason,
    explanation: last.explanation,
    run: last.run_id,
    at: last.at,
    branch: last.branch,
    merge,
    partner: last.merge?.partner ?? last.merge?.conflictsWith[0] ?? null,
    failingTest: last.merge?.failingTest ?? null,
    costUsd: last.cost_usd,
    runs: last.runs,
    isChanged,
    next: nextOf(id, last, merge, isChanged),
  };
}

const runCommand = (id: string): string => `millrace run ${id}`;

function nextOf(
  id: string,
  { status, run_id: run, branch, merge: last }: LastVerdict,
  merge: BacklogEntry['merge'],
  isChanged: boolean,
): string | null {
  if (status !== 'completed' || isChanged) return runCommand(id);
  switch (merge) {
    case null:
    case 'in-your-branch':
    case 'nothing-to-merge':
      return null;
    case 'merged':
      return `git merge ${last?.branch ?? ''}`;
    case 'pending':
      return `millrace run --resume ${run}`;
    case 'mergeable':
    case 'outside-scope':
      return branch === null ? null : `git merge ${branch}`;
    case 'conflict':
    case 'breaks-tests':
    case 'failed':
      return runCommand(id);
  }
}
