/** Brings files that git ignores from the user's tree into a worktree: `.env`, installed dependencies. */
import { constants } from 'node:fs';
import { cp, lstat, mkdir, realpath, symlink } from 'node:fs/promises';
import { dirname, join, posix, sep } from 'node:path';
import picomatch from 'picomatch';
import { glob } from 'tinyglobby';
import { messageOf } from '../text/error-message.ts';
import type { Repository } from './repository.ts';
import { type Worktree, writeBrought } from './worktree.ts';

/** Paths or globs, relative to the folder Millrace was started in. */
export interface IgnoredFilePatterns {
  copy: readonly string[];
  link: readonly string[];
}

interface Item {
  /** Relative to the root, with `/`. */
  path: string;
  how: 'copy' | 'link';
}

/** The files to bring, found once a run, and a sentence for each that can't be brought. */
export interface IgnoredFiles {
  items: readonly Item[];
  notes: readonly string[];
}

/** Finds what the patterns name. What is in `stateFolder` is never brought. */
export async function findIgnoredFiles(
  repository: Repository,
  { copy, link }: IgnoredFilePatterns,
  stateFolder: string,
): Promise<IgnoredFiles> {
  const notes: string[] = [];
  const items = new Map<string, Item>();
  for (const [how, patterns] of [['copy', copy] as const, ['link', link] as const]) {
    for (const pattern of patterns) {
      for (const path of await matches(repository, pattern, stateFolder)) {
        if (isOutside(path)) notes.push(`"${pattern}" is outside the repository and was not brought along.`);
        else if (!items.has(path)) items.set(path, { path, how });
      }
    }
  }
  return { items: outermost([...items.values()]), notes };
}

async function matches(repository: Repository, pattern: string, stateFolder: string): Promise<string[]> {
  const folder = join(repository.root, repository.prefix);
  if (!picomatch.scan(pattern).isGlob) {
    const path = posix.join(repository.prefix, pattern).replace(/\/$/, '');
    return isOutside(path) || (await isThere(join(repository.root, path))) ? [path] : [];
  }
  const found = await glob(pattern, {
    cwd: folder,
    dot: true,
    onlyFiles: false,
    expandDirectories: false,
    followSymbolicLinks: false,
    ignore: ['**/.git', '**/.git/**', `${picomatchLiteral(stateFolder)}/**`],
  });
  return found.map((path) => posix.join(repository.prefix, path).replace(/\/$/, ''));
}

const isOutside = (path: string): boolean =>
  path === '' || path === '.' || path === '..' || path.startsWith('../') || posix.isAbsolute(path);

/** A path as a pattern that matches only itself. */
export const picomatchLiteral = (path: string): string =>
  path.replaceAll(sep, '/').replaceAll(/[\\*?[\]{}()!+@|^$]/g, String.raw`\$&`);

/** Without what is inside another item. */
function outermost(items: readonly Item[]): Item[] {
  const paths = new Set(items.map(({ path }) => path));
  return items.filter(({ path }) => {
    for (let above = posix.dirname(path); above !== '.'; above = posix.dirname(above))
      if (paths.has(above)) return false;
    return true;
  });
}

/**
 * Copies and links what is not in the worktree already, which tracked files are. Returns what was brought and a
 * sentence for each that could not be.
 */
export async function copyIgnoredFiles(
  repository: Repository,
  worktree: Worktree,
  { items, notes }: IgnoredFiles,
): Promise<{ brought: string[]; notes: string[] }> {
  const problems = [...notes];
  const wanted: Item[] = [];
  for (const item of items) {
    const there = await isThere(join(worktree.root, item.path));
    if (there) problems.push(`${item.path} is in the commit it started from and was not brought along.`);
    else wanted.push(item);
  }
  const brought = wanted.map(({ path }) => path);
  if (brought.length > 0) await writeBrought(worktree.adminDir, brought);
  for (const item of wanted) {
    const problem = await bring(repository, worktree, item);
    if (problem !== null) problems.push(`${item.path} could not be brought along: ${problem}.`);
  }
  return { brought, notes: problems };
}

async function bring({ root }: Repository, worktree: Worktree, { path, how }: Item): Promise<string | null> {
  const from = join(root, path);
  const to = join(worktree.root, path);
  try {
    await mkdir(dirname(to), { recursive: true });
    // A folder of the worktree may be a tracked link that leads out of it.
    const folder = await realpath(dirname(to));
    if (folder !== worktree.root && !folder.startsWith(worktree.root + sep))
      return 'its folder is outside the worktree';
    if (how === 'link') await symlink(from, to);
    else await copyTree(from, to);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Copies unchanged: links stay links, times are kept, and blocks are shared where the file system can. */
async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    errorOnExist: true,
    force: false,
    mode: constants.COPYFILE_FICLONE,
  });
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
