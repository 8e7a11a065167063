/** Joins commits without a checkout. */
import { complaint, GitError, saidYes, splitNul } from '../git.ts';
import { gitRead, type Repository } from '../repository.ts';

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
