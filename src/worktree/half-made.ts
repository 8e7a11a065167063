/** Worktrees whose creation was interrupted: no work was done in them, and git can't handle them as they are. */
import { existsSync } from 'node:fs';
import { readdir, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isGone } from '../os/process-identity.ts';
import type { Repository } from './repository.ts';
import { gitIn, headOf, parseLockReason, readIfThere, type Worktree } from './worktree.ts';

/** Writes what git was about to write, so that it knows the worktree, which it needs to for removing it. */
export async function finishMaking({ adminDir, owner }: Worktree): Promise<void> {
  const files = [
    ['HEAD', `${owner.start}\n`],
    ['commondir', '../..\n'],
  ] as const;
  for (const [name, text] of files) {
    const path = join(adminDir, name);
    if (((await readIfThere(path)) ?? '') === '') await writeFile(path, text);
  }
}

/**
 * Unlocks those of dead processes that have no folder yet, which no command of git lists; git removes them when it
 * next tidies up.
 */
export async function unlockUnknown({ commonDir }: Repository): Promise<void> {
  const all = join(commonDir, 'worktrees');
  if (!existsSync(all)) return;
  for (const name of await readdir(all)) {
    const lock = join(all, name, 'locked');
    const owner = parseLockReason((await readIfThere(lock)) ?? '');
    const isUnknown = ((await readIfThere(join(all, name, 'gitdir'))) ?? '') === '';
    if (owner !== null && isUnknown && isGone(owner.process)) await unlink(lock);
  }
}

/**
 * Makes a worktree's index again from its commit where git can't read it: its files are all there, and nothing else in
 * it can be looked at. The old one stays beside it. Returns whether it did.
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

/** Removes a folder that holds nothing; one that does, or is not there, is left as it is. */
export async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}
