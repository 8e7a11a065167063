/** Merges work into the run's own branch, without a checkout. */
import type { Merge } from '../domain/changes.ts';
import { messageOf } from '../text/error-message.ts';
import { IDENTITY, makeCommit } from './commit.ts';
import { complaint, GitError, outputOf, saidYes, splitNul } from './git.ts';
import { listRefs } from './kept-refs.ts';
import { branchRef, mergedBranch, mergedRef, predictedRef } from './names.ts';
import { gitRead, gitWrite, type Repository } from './repository.ts';
import { relativeTo } from './tree-changes.ts';
import type { WorktreeOwner } from './worktree.ts';

/** How often it starts again because git failed, or another process moved the branch meanwhile. */
const TRIES = 5;

/** What is to be merged. */
export interface MergeSource {
  owner: Pick<WorktreeOwner, 'runId' | 'workstreamId' | 'agentId' | 'attempt'>;
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
 * Merges with compare and swap: the run's branch moves from the commit that was merged with to the merge, or not at all. It
 * begins at `base`. Callers ensure that a run merges one at a time; where another process moved it, it starts again.
 */
export async function mergeWork(repository: Repository, base: string, work: MergeSource): Promise<Merge> {
  const { runId } = work.owner;
  const branch = branchRef(mergedBranch(runId));
  const instead = mergedRef(runId);
  try {
    const refs = await listRefs(repository, instead);
    if (refs.length === 0) return await mergeInto(repository, base, work, branch);
  } catch (error) {
    if (!(error instanceof Error && NO_ROOM.test(error.message))) throw error;
  }
  return { ...(await mergeInto(repository, base, work, instead)), branch: instead };
}

/** Git's message for a ref below another one, below a file that is no ref, or above others. */
const NO_ROOM = /exists; cannot create|non-directory in the way|unable to resolve reference '[^']+'$/m;

/**
 * Predicts a merge without a branch: a ref of Millrace's holds what would have been merged before, also for a
 * run that is resumed.
 */
export async function predictMerge(repository: Repository, base: string, work: MergeSource): Promise<Merge> {
  const result = await mergeInto(repository, base, work, predictedRef(work.owner.runId));
  const status = result.status === 'merged' ? 'mergeable' : result.status;
  return { ...result, status, branch: '', commit: null };
}

/** @throws GitError where git fails again and again */
async function mergeInto(
  repository: Repository,
  base: string,
  work: MergeSource,
  ref: string,
): Promise<Merge> {
  let problem = '';
  for (let attempt = 0; attempt < TRIES && !NO_ROOM.test(problem); attempt += 1) {
    try {
      return await mergeOnce(repository, base, work, ref);
    } catch (error) {
      problem = messageOf(error);
    }
  }
  throw new GitError(`Its work is kept, and could not be merged into ${ref}: ${problem}`);
}

async function mergeOnce(
  repository: Repository,
  base: string,
  work: MergeSource,
  ref: string,
): Promise<Merge> {
  const [tip] = await listRefs(repository, ref);
  const checkedOutIn = tip?.checkedOutIn ?? null;
  if (checkedOutIn !== null)
    return notMerged(work.owner.runId, 'failed', `the run's branch is checked out in ${checkedOutIn}`);
  const result = await mergeOnto(repository, base, tip?.commit ?? base, work);
  if (result.commit !== null) await moveRef(repository, ref, result.commit, tip?.commit ?? null);
  return result;
}

/** Makes the merge of `work` with `tip`; nothing points to it yet. */
async function mergeOnto(
  repository: Repository,
  base: string,
  tip: string,
  { owner, commit, changed }: MergeSource,
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
  if ('problem' in made) throw new GitError(made.problem);
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
  const range = ['log', '--first-parent', '--reverse', `--format=${trailer}`, '--stdin', `${base}..${tip}`];
  const literal = files.map((file) => `:(top,literal)${file}`);
  // There may be more than a program takes as arguments, which only names with a line end have to be.
  const input = ['--', ...literal.filter((path) => !path.includes('\n')), ''].join('\n');
  const inArguments = literal.filter((path) => path.includes('\n'));
  const log = await gitRead(repository, [...range, '--', ...inArguments], { input });
  return [
    ...new Set(
      outputOf(log)
        .split('\n')
        .filter((line) => line !== ''),
    ),
  ];
}

/** @throws GitError where it did not move: also because another process has moved it */
async function moveRef(
  repository: Repository,
  ref: string,
  commit: string,
  before: string | null,
): Promise<void> {
  const line = before === null ? `create ${ref} ${commit}` : `update ${ref} ${commit} ${before}`;
  outputOf(await gitWrite(repository, ['update-ref', '--stdin'], { env: IDENTITY, input: `${line}\n` }));
}

// Merges two commits without a checkout.

/** The tree of both, the files in conflict (relative to the root), or why they are not to be merged. */
export type MergedTrees =
  | { kind: 'merged'; tree: string }
  | { kind: 'conflict'; files: string[] }
  | { kind: 'failed'; problem: string };

/** @throws GitError where git can't tell */
export async function mergeTrees(repository: Repository, ours: string, theirs: string): Promise<MergedTrees> {
  const result = await gitRead(repository, [
    'merge-tree',
    '--write-tree',
    '-z',
    '--name-only',
    '--no-messages',
    ours,
    theirs,
  ]);
  const [tree, ...files] = splitNul(result.stdout);
  if (result.exitCode === 0 && tree !== undefined) return { kind: 'merged', tree };
  if (result.exitCode === 1 && tree !== undefined) return { kind: 'conflict', files: [...new Set(files)] };
  const problem = complaint(result);
  if (!problem.includes('unrelated histories')) throw new GitError(problem);
  return { kind: 'failed', problem };
}

/** Whether everything in `commit` is in `of` too. @throws GitError where git can't tell */
export async function isAncestor(repository: Repository, commit: string, of: string): Promise<boolean> {
  if (commit === of) return true;
  return saidYes(await gitRead(repository, ['merge-base', '--is-ancestor', commit, of]));
}
