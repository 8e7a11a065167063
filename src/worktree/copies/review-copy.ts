/** A copy of what an attempt left, for a reviewer: nothing that is done in it counts. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Changes } from '../../domain/changes.ts';
import { firstOf } from '../../text/cut-text.ts';
import { discardWorktree } from '../create-worktree.ts';
import { outputOf, splitNul } from '../git.ts';
import { gitRead, type Repository } from '../repository.ts';
import { gitIn, type Worktree } from '../worktree.ts';

/** An open copy. */
export interface OpenCopy {
  /** The folder to work in. */
  folder: string;
  /** Removes it. Returns the tracked files that are not as they were. */
  discard(): Promise<string[]>;
}

/** @param worktree at the commit that is reviewed; nothing of it is kept. */
export async function copyIn(repository: Repository, worktree: Worktree): Promise<OpenCopy> {
  const folder = join(worktree.root, repository.prefix);
  await mkdir(folder, { recursive: true });
  return {
    folder,
    discard: async () => {
      const changed = await changedFiles(worktree);
      await discardWorktree(repository, worktree.root);
      return changed;
    },
  };
}

/** Tracked files that differ from the commit that was checked out; none where git can't tell. */
async function changedFiles({ owner, ...worktree }: Worktree): Promise<string[]> {
  const diff = await gitIn(worktree, ['diff', '--name-only', '-z', '--no-ext-diff', owner.start, '--']);
  return diff.exitCode === 0 ? splitNul(diff.stdout) : [];
}

/** Most changed lines and files of which the text is read. */
const MOST_LINES = 5_000;
const MOST_FILES = 200;

/** A change as text, as far as it is short. */
export interface ChangeText {
  /** As `git diff` prints it. */
  diff: string;
  /** Whether something of the change is not in it. */
  isCut: boolean;
}

/** @param length most characters. @throws GitError where git can't tell */
export async function textOfChange(
  repository: Repository,
  { files, base, head }: Changes,
  length: number,
): Promise<ChangeText> {
  if (base === null || head === null) return { diff: '', isCut: files.length > 0 };
  const shown: string[] = [];
  let lines = 0;
  for (const { path, from, linesAdded, linesRemoved } of files.slice(0, MOST_FILES)) {
    lines += (linesAdded ?? 0) + (linesRemoved ?? 0);
    if (lines > MOST_LINES) break;
    shown.push(...(from === null ? [path] : [from, path]).map((each) => literal(repository, each)));
  }
  if (shown.length === 0) return { diff: '', isCut: files.length > 0 };
  const options = ['--no-color', '--no-ext-diff', '--no-textconv', '--find-renames'];
  const text = outputOf(await gitRead(repository, ['diff', ...options, base, head, '--', ...shown]));
  const diff = firstOf(text, length);
  return { diff, isCut: lines > MOST_LINES || files.length > MOST_FILES || diff.length < text.length };
}

const literal = ({ prefix }: Repository, path: string): string => `:(top,literal)${join(prefix, path)}`;
