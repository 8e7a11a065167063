/** The worktrees of Millrace that a repository has, of any run. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeOf } from '../os/folder.ts';
import { isGone } from '../os/process-identity.ts';
import { outputOf, splitNul } from './git.ts';
import { keptOf } from './kept-refs.ts';
import { attemptRef } from './names.ts';
import { gitRead, type Repository } from './repository.ts';
import { takeSnapshot } from './snapshot.ts';
import {
  headOf,
  parseLockReason,
  readBrought,
  readIfThere,
  type Worktree,
  type WorktreeOwner,
} from './worktree.ts';
import { inspectWorktree } from './worktree-state.ts';

/** A worktree of Millrace. */
export interface LeftOver {
  worktree: Worktree;
  /** False only when its process is known to be gone. */
  alive: boolean;
}

/** One entry of `git worktree list`. */
interface Listed {
  root: string;
  owner: WorktreeOwner;
}

/**
 * All of them. Those whose git folder can't be found are left out: git itself prunes them.
 * @throws GitError where they can't be listed
 */
export async function listWorktrees(repository: Repository): Promise<LeftOver[]> {
  const list = await gitRead(repository, ['worktree', 'list', '--porcelain', '-z']);
  const found: LeftOver[] = [];
  for (const { root, owner } of outputOf(list).split('\0\0').flatMap(parse)) {
    const adminDir = await adminDirOf(repository, root);
    if (adminDir === null) continue;
    const brought = await readBrought(adminDir);
    found.push({ worktree: { root, adminDir, owner, brought }, alive: !isGone(owner.process) });
  }
  return found;
}

function parse(entry: string): Listed[] {
  const lines = splitNul(entry);
  const value = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  const owner = parseLockReason(value('locked'));
  return owner === null ? [] : [{ root: value('worktree'), owner }];
}

/** From git's own folders: the workstream may have changed the `.git` in its worktree. */
async function adminDirOf({ commonDir }: Repository, root: string): Promise<string | null> {
  const all = join(commonDir, 'worktrees');
  for (const name of await readdir(all)) {
    const pointer = await readIfThere(join(all, name, 'gitdir'));
    if (pointer?.trimEnd() === join(root, '.git')) return join(all, name);
  }
  return null;
}

/** What a person wants to know of a worktree before removing it. */
export interface Inspection {
  /** Bytes of its own files; what is linked into it is not counted. */
  sizeBytes: number;
  /** Whether something in it is in no commit that is kept; null when that can't be known. */
  uncommitted: boolean | null;
}

/** Inspects without changing anything in the worktree or any ref. */
export async function inspect(repository: Repository, worktree: Worktree): Promise<Inspection> {
  const [sizeBytes, uncommitted] = await Promise.all([
    sizeOf(worktree.root),
    isUncommitted(repository, worktree),
  ]);
  return { sizeBytes, uncommitted };
}

async function isUncommitted(repository: Repository, worktree: Worktree): Promise<boolean | null> {
  const { runId, workstreamId, attempt } = worktree.owner;
  const look = await inspectWorktree(worktree);
  if ('problem' in look) return null;
  if (look.embedded.length > 0 || look.submodules.length > 0) return true;
  const name = attemptRef(runId, workstreamId, attempt);
  const kept = (await keptOf(repository, runId, workstreamId)).find((ref) => ref.name === name);
  const head = await headOf(worktree);
  if (kept === undefined) return look.dirty || head !== worktree.owner.start;
  if (!look.dirty) return head !== kept.commit;
  const snapshot = await takeSnapshot(worktree, { kind: 'index' }, look);
  return 'problem' in snapshot ? null : snapshot.missing !== null || snapshot.tree !== kept.tree;
}
