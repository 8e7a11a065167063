/** Takes work into the run's own branch, without a checkout. */
import type { Merge } from '../domain/changes.ts';
import { IDENTITY, makeCommit } from './commit.ts';
import { complaint } from './git.ts';
import { listRefs } from './kept-refs.ts';
import type { Owner } from './lock-reason.ts';
import { isAncestor, mergeTrees } from './merge-trees.ts';
import { branchRef, mergedBranch, predictedRef } from './names.ts';
import { gitRead, gitWrite, type Repository } from './repository.ts';
import { relativeTo } from './tree-changes.ts';

/** How often it starts again because another process moved the branch meanwhile. */
const TRIES = 5;

/** What is to be merged. */
export interface Work {
  owner: Pick<Owner, 'runId' | 'workstreamId' | 'agentId' | 'attempt'>;
  /** The commit that holds it; null where there is none. */
  commit: string | null;
  /** Whether it differs from its start. */
  changed: boolean;
}

/** A merge that did not happen. */
export const notMerged = (runId: string, status: Merge['status'], detail: string): Merge => ({
  status,
  branch: mergedBranch(runId),
  commit: null,
  conflictsWith: [],
  files: [],
  detail,
});

/**
 * Merges with compare and swap: the branch moves from the commit that was merged with to the merge, or not at all. It
 * begins at `base`. Callers see to it that a run merges one at a time; another process is met by starting again.
 */
export function mergeWork(repository: Repository, base: string, work: Work): Promise<Merge> {
  return mergeInto(repository, base, work, branchRef(mergedBranch(work.owner.runId)));
}

/**
 * What merging would give, without a branch: a ref of Millrace's holds what would have been merged before, also for a
 * run that is resumed.
 */
export async function predictMerge(repository: Repository, base: string, work: Work): Promise<Merge> {
  const result = await mergeInto(repository, base, work, predictedRef(work.owner.runId));
  const status = result.status === 'merged' ? 'mergeable' : result.status;
  return { ...result, status, branch: '', commit: null };
}

async function mergeInto(repository: Repository, base: string, work: Work, ref: string): Promise<Merge> {
  const { runId } = work.owner;
  let problem = '';
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const [tip] = await listRefs(repository, ref);
    const checkedOutIn = tip?.checkedOutIn ?? null;
    if (checkedOutIn !== null)
      return notMerged(runId, 'failed', `the run's branch is checked out in ${checkedOutIn}`);
    const result = await mergeOnto(repository, base, tip?.commit ?? base, work);
    if (result.status !== 'merged' || result.commit === null) return result;
    const moved = await moveRef(repository, ref, result.commit, tip?.commit ?? null);
    if (moved === null) return result;
    problem = moved;
  }
  return notMerged(runId, 'failed', problem);
}

/** Makes the merge of `work` with `tip`; nothing points to it yet. */
async function mergeOnto(
  repository: Repository,
  base: string,
  tip: string,
  { owner, commit, changed }: Work,
): Promise<Merge> {
  const { runId, workstreamId, agentId, attempt } = owner;
  if (commit === null) return notMerged(runId, 'failed', 'what it changed is not known');
  if (!changed || (await isAncestor(repository, commit, tip)))
    return notMerged(runId, 'nothing-to-merge', '');
  const merged = await mergeTrees(repository, tip, commit);
  if (merged.kind === 'failed') return notMerged(runId, 'failed', merged.problem);
  if (merged.kind === 'conflict') {
    const conflictsWith = await whoTouched(repository, base, tip, merged.files);
    const files = merged.files.map((path) => relativeTo(repository.prefix, path));
    return { ...notMerged(runId, 'conflict', ''), conflictsWith, files };
  }
  const made = await makeCommit(repository, {
    tree: merged.tree,
    parents: [tip, commit],
    subject: `Merge ${workstreamId}`,
    trailers: { Run: runId, Workstream: workstreamId, Agent: agentId, Attempt: attempt },
  });
  if ('problem' in made) return notMerged(runId, 'failed', made.problem);
  return { ...notMerged(runId, 'merged', ''), commit: made.commit };
}

/** The workstreams whose merges changed one of the files, in the order of their merging. */
async function whoTouched(
  repository: Repository,
  base: string,
  tip: string,
  files: readonly string[],
): Promise<string[]> {
  const trailer = '%(trailers:key=Millrace-Workstream,valueonly,separator=%x2C)';
  const range = ['log', '--first-parent', '--reverse', `--format=${trailer}`, `${base}..${tip}`, '--'];
  const log = await gitRead(repository, [...range, ...files.map((file) => `:(top,literal)${file}`)]);
  return [...new Set(log.stdout.split('\n').filter((line) => line !== ''))];
}

/** Null when it moved, git's complaint when it did not. */
async function moveRef(
  repository: Repository,
  ref: string,
  commit: string,
  before: string | null,
): Promise<string | null> {
  const line = before === null ? `create ${ref} ${commit}` : `update ${ref} ${commit} ${before}`;
  const moved = await gitWrite(repository, ['update-ref', '--stdin'], { env: IDENTITY, input: `${line}\n` });
  return moved.exitCode === 0 ? null : complaint(moved);
}
