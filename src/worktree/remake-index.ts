import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gitIn, headOf, type Worktree } from './worktree.ts';

/**
 * Makes a worktree's index again from its commit where git can't read it: its files are all there, and nothing else in
 * it can be looked at. The old one stays beside it. Says whether it did.
 * @param problem git's complaint.
 */
export async function remakeIndex(worktree: Worktree, problem: string): Promise<boolean> {
  if (!/\bindex\b/i.test(problem)) return false;
  const index = join(worktree.adminDir, 'index');
  const commit = (await headOf(worktree)) ?? worktree.owner.start;
  await rename(index, `${index}-unreadable`);
  // Everything that worked there has ended, by itself or not.
  await rm(`${index}.lock`, { force: true });
  return (await gitIn(worktree, ['read-tree', commit])).exitCode === 0;
}
