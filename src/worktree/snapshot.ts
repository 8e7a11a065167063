/** The tree of everything in a worktree, made through a copy of its index, which stays as it is. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../text/error-message.ts';
import { complaint, type GitResult, outputOf, splitNul } from './git.ts';
import { gitIn, type Worktree } from './worktree.ts';
import { passingOverFilters, type WorktreeState } from './worktree-state.ts';

export interface Snapshot {
  tree: string;
  /** Why something is not in the tree; null when all is that git does not ignore. */
  missing: string | null;
  /** Filters that failed; their files are in the tree as they are on the disk. */
  unfiltered: string[];
  /** Submodules, by path. */
  gitlinks: string[];
}

/** From which commit to take what is not there; for worktrees that were being made or removed when they were killed. */
export type Basis = { kind: 'index' } | { kind: 'commit'; commit: string };

type RunGit = (args: readonly string[], input?: string) => Promise<GitResult>;

/**
 * Everything that git does not ignore: staged, unstaged, untracked, in sparse checkouts as well. Not in it: what was
 * brought along, and repositories inside it. With a commit as basis what is missing on the disk counts as unchanged.
 */
export async function takeSnapshot(
  worktree: Worktree,
  basis: Basis,
  look: Pick<WorktreeState, 'embedded' | 'loose'>,
): Promise<Snapshot | { problem: string }> {
  const index = join(worktree.adminDir, `millrace-index-${randomUUID()}`);
  const run: RunGit = (args, input) =>
    gitIn(worktree, args, { env: { GIT_INDEX_FILE: index }, ...(input === undefined ? {} : { input }) });
  try {
    const problem = await fillIndex(worktree, basis, index, run);
    return problem === null ? await writeSnapshot(worktree, basis, look, run) : { problem };
  } catch (error) {
    return { problem: messageOf(error) };
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}

async function fillIndex(
  worktree: Worktree,
  basis: Basis,
  index: string,
  run: RunGit,
): Promise<string | null> {
  if (basis.kind === 'commit') {
    const read = await run(['read-tree', basis.commit]);
    return read.exitCode === 0 ? null : complaint(read);
  }
  const original = join(worktree.adminDir, 'index');
  const { mtimeMs } = await stat(original);
  await copyFile(original, index);
  // A file as young as the index may have changed since it was looked at, and git compares its content. That must
  // hold for the copy too, so its time is the original's, rounded down.
  const seconds = Math.floor(mtimeMs) / 1000;
  await utimes(index, seconds, seconds);
  return null;
}

async function writeSnapshot(
  worktree: Worktree,
  basis: Basis,
  { embedded, loose }: Pick<WorktreeState, 'embedded' | 'loose'>,
  run: RunGit,
): Promise<Snapshot | { problem: string }> {
  const gitlinks = await showHidden(worktree, run);
  // An ignored path may not be named, not even to leave it out.
  const left = [...loose, ...embedded.map((path) => path.replace(/\/$/, ''))];
  const pathspecs = [':/', ...left.map((path) => `:(exclude,top,literal)${path}`)];
  const {
    result: added,
    failed: unfiltered,
    options,
  } = await addAll(basis.kind === 'index' ? '--all' : '--ignore-removal', pathspecs, run);
  if (worktree.brought.length > 0) await forget(worktree.brought, run);
  const written = await run([...options, 'write-tree']);
  if (written.exitCode !== 0) return { problem: complaint(added.exitCode === 0 ? written : added) };
  return {
    tree: written.stdout.trim(),
    missing: added.exitCode === 0 ? null : complaint(added),
    unfiltered,
    gitlinks,
  };
}

/**
 * Adds what it can. A filter that must not fail and does ends `git add` at once; its files are then added as they are,
 * because a file in another form is not lost.
 */
function addAll(
  how: string,
  pathspecs: readonly string[],
  run: RunGit,
): ReturnType<typeof passingOverFilters> {
  const options = ['--sparse', '--ignore-errors', '--pathspec-from-file=-', '--pathspec-file-nul'];
  return passingOverFilters((args) => run(args, pathspecs.join('\0')), ['add', how, ...options]);
}

/** Whoever worked there may have added them, by hand or with all the rest. */
async function forget(brought: readonly string[], run: RunGit): Promise<void> {
  const literal = brought.map((path) => `:(top,literal)${path}`).join('\0');
  const options = ['-r', '-q', '-f', '--cached', '--sparse', '--ignore-unmatch'];
  outputOf(await run(['rm', ...options, '--pathspec-from-file=-', '--pathspec-file-nul'], literal));
}

/**
 * Takes back the marks with which a file's changes are hidden from git, where the file is there. Returns the submodules,
 * which the same list shows.
 */
async function showHidden(worktree: Worktree, run: RunGit): Promise<string[]> {
  const list = await run(['ls-files', '-v', '-s', '-z']);
  const gitlinks: string[] = [];
  const assumed: string[] = [];
  const skipped: string[] = [];
  for (const line of splitNul(outputOf(list))) {
    const path = line.slice(line.indexOf('\t') + 1);
    if (line.startsWith('160000 ', 2)) gitlinks.push(path);
    const [mark = ''] = line;
    if (/[a-z]/.test(mark)) assumed.push(path);
    if (/s/i.test(mark) && existsSync(join(worktree.root, path))) skipped.push(path);
  }
  const take = async (mark: string, paths: readonly string[]): Promise<void> => {
    if (paths.length > 0) outputOf(await run(['update-index', mark, '-z', '--stdin'], paths.join('\0')));
  };
  await take('--no-assume-unchanged', assumed);
  await take('--no-skip-worktree', skipped);
  return gitlinks;
}
