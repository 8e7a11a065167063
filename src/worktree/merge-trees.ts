/** Merges two commits without a checkout. */
import { complaint, splitNul } from './git.ts';
import { gitRead, type Repository } from './repository.ts';

/** The tree of both, the files in conflict (relative to the root), or what else is wrong. */
export type MergedTrees =
  | { kind: 'merged'; tree: string }
  | { kind: 'conflict'; files: string[] }
  | { kind: 'failed'; problem: string };

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
  return { kind: 'failed', problem: complaint(result) };
}

/** Whether everything in `commit` is in `of` too. */
export async function isAncestor(repository: Repository, commit: string, of: string): Promise<boolean> {
  if (commit === of) return true;
  return (await gitRead(repository, ['merge-base', '--is-ancestor', commit, of])).exitCode === 0;
}
