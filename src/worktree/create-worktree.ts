/** Makes a worktree for one attempt. */
import { existsSync } from 'node:fs';
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Failure } from '../domain/failure.ts';
import { messageOf } from '../text/error-message.ts';
import { complaint, withoutLimits } from './git.ts';
import { removeIfEmpty } from './half-made.ts';
import { gitWrite, oneByOne, type Repository } from './repository.ts';
import { gitIn, lockReason, readAdminDir, type Worktree, type WorktreeOwner } from './worktree.ts';

/** Where the worktrees of all runs are. */
const worktreesFolder = (stateFolder: string): string => join(stateFolder, 'worktrees');

/**
 * A worktree at `owner.start`, on no branch, locked from its first moment with its owner as the reason. Git registers
 * one at a time, which is quick; their files are written side by side.
 * @param commit that is checked out in it; `owner.start` by default.
 */
export async function createWorktree(
  repository: Repository,
  stateFolder: string,
  owner: WorktreeOwner,
  commit = owner.start,
): Promise<Worktree | Failure> {
  try {
    const folder = await runFolder(stateFolder, owner.runId);
    const root = freePath(join(folder, `${owner.workstreamId}-${owner.attempt}`));
    const added = await gitWrite(repository, addArguments(root, owner));
    if (added.exitCode !== 0) return failure(complaint(added));
    const worktree = { root, adminDir: await readAdminDir(root), owner, brought: [] };
    const filled = await gitIn(worktree, ['reset', '--hard', '--quiet', '--no-recurse-submodules', commit]);
    if (filled.exitCode === 0) return worktree;
    await discardWorktree(repository, root);
    return failure(`Its files could not be checked out: ${complaint(filled)}.`);
  } catch (error) {
    return failure(messageOf(error));
  }
}

/** Removes a worktree of which nothing is to be kept, and the run's folder with the last. Where that fails, `millrace worktrees prune` finds it. */
export async function discardWorktree(repository: Repository, root: string): Promise<void> {
  await withoutLimits(async () => {
    await gitWrite(repository, ['worktree', 'remove', '--force', '--force', '--', root]);
    await oneByOne(repository, () => removeIfEmpty(dirname(root)));
  });
}

const failure = (detail: string): Failure => ({ reason: 'workspace-error', detail });

const addArguments = (root: string, owner: WorktreeOwner): string[] => [
  'worktree',
  'add',
  '--detach',
  '--no-checkout',
  '--lock',
  '--reason',
  lockReason(owner),
  '--',
  root,
  owner.start,
];

/**
 * The state folder may be in the user's tree; `git add` must not see what is below it then. The run's own
 * folder is made by git with the first worktree in it, and goes with the last.
 */
async function runFolder(stateFolder: string, runId: string): Promise<string> {
  const all = worktreesFolder(stateFolder);
  await mkdir(all, { recursive: true });
  const ignore = join(all, '.gitignore');
  if (!existsSync(ignore)) await writeFile(ignore, '*\n');
  return join(await realpath(all), runId);
}

/** A run that was killed and is resumed may have left one of the same name. */
function freePath(path: string): string {
  let free = path;
  for (let number = 2; existsSync(free); number += 1) free = `${path}-again-${number}`;
  return free;
}
