/** Worktrees whose making was cut short: nobody has worked in them, and git can't handle them as they are. */
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isGone } from '../support/process-identity.ts';
import { parseLockReason } from './lock-reason.ts';
import type { Repository } from './repository.ts';
import { readIfThere, type Worktree } from './worktree.ts';

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
