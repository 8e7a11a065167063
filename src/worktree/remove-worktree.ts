/** Removes a worktree whose content is kept. */
import { lstat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../text/error-message.ts';
import { removingFile } from './capture.ts';
import { complaint } from './git.ts';
import { removeIfEmpty } from './half-made.ts';
import { gitWrite, oneByOne, type Repository } from './repository.ts';
import { displaced, readIfThere, type Worktree } from './worktree.ts';

/**
 * Removes a worktree, its lock included, after everything in it was found to be in `kept`. Links are removed, not
 * followed. It stays locked, and so recognisable, until it is gone. Returns null, or why it is still there.
 */
export async function removeWorktree(
  repository: Repository,
  worktree: Worktree,
  kept: string,
): Promise<string | null> {
  const elsewhere = await displaced(worktree.root);
  if (elsewhere !== null) return elsewhere;
  try {
    await writeFile(removingFile(worktree.adminDir), kept);
    const dotGit = await lstat(join(worktree.root, '.git')).catch(() => null);
    if (dotGit?.isDirectory() === true)
      return 'a repository was made in it, whose own commits may be nowhere else';
    await restoreDotGit(worktree);
  } catch (error) {
    return messageOf(error);
  }
  // Given twice it means: although it is locked.
  const removed = await gitWrite(repository, [
    'worktree',
    'remove',
    '--force',
    '--force',
    '--',
    worktree.root,
  ]);
  if (removed.exitCode !== 0) return complaint(removed);
  // The run may have other worktrees, and may be about to make one.
  await oneByOne(repository, () => removeIfEmpty(dirname(worktree.root)));
  return null;
}

/** Removing that was cut short may have taken it first, and without it git removes nothing. */
async function restoreDotGit({ root, adminDir }: Worktree): Promise<void> {
  const path = join(root, '.git');
  try {
    if ((await readIfThere(path)) === null) await writeFile(path, `gitdir: ${adminDir}\n`, { flag: 'wx' });
  } catch (error) {
    // Gone as a whole, which git can handle.
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'ENOENT') throw error;
  }
}
