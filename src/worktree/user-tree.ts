/** The tree that Millrace was started in, which no workstream in a worktree is to touch: looked at, never written to. */
import { lstat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { complaint, splitNul } from './git.ts';
import { gitRead, type Repository } from './repository.ts';
import { listed } from './worktree.ts';

/** What is checked out, and what differs from it; or why that is not known. */
type UserLook = TreeStatus | { problem: string };

interface TreeStatus {
  /** Branch and commit, as `git status` says them. */
  head: string;
  /** How each path that differs is, by the path. */
  paths: ReadonlyMap<string, string>;
}

/** Most paths whose content is looked at too. */
const STATS = 1_000;

/** Notices what changed there between one look and the next. */
export class UserTree {
  readonly #repository: Repository;
  readonly #stateFolder: string;
  #last: Promise<UserLook> | null = null;

  constructor(repository: Repository, stateFolder: string) {
    this.#repository = repository;
    this.#stateFolder = stateFolder;
  }

  /** Looks for the first time; does nothing after that. */
  async begin(): Promise<void> {
    this.#last ??= this.#look();
    await this.#last;
  }

  /**
   * What changed since the last look, in a sentence each. Who changed it can't be known: a person, a tool that left its
   * worktree, or a workstream in the shared folder. Each change is told once.
   */
  async changes(): Promise<string[]> {
    const before = this.#last;
    const now = (before ?? Promise.resolve()).then(() => this.#look());
    this.#last = now;
    return before === null ? [] : differences(await before, await now);
  }

  async #look(): Promise<UserLook> {
    const { root } = this.#repository;
    const status = await gitRead(this.#repository, [
      'status',
      '--porcelain=v2',
      '--branch',
      '-z',
      '--no-renames',
      '--ignore-submodules=all',
    ]);
    if (status.exitCode !== 0) return { problem: complaint(status) };
    const lines = splitNul(status.stdout);
    const headers = lines.filter((line) => /^# branch\.(?:oid|head) /.test(line));
    const paths = new Map<string, string>();
    for (const line of lines.filter((one) => !one.startsWith('# '))) {
      const path = line
        .split(' ')
        .slice(line.startsWith('?') ? 1 : line.startsWith('u') ? 10 : 8)
        .join(' ');
      if (overlaps(join(root, path), this.#stateFolder)) continue;
      paths.set(path, paths.size < STATS ? `${line} ${await stamp(join(root, path))}` : line);
    }
    return { head: headers.map((line) => line.split(' ').slice(2).join(' ')).join(' '), paths };
  }
}

async function stamp(path: string): Promise<string> {
  return lstat(path).then(
    (found) => (found.isDirectory() ? 'folder' : `${found.mtimeMs} ${found.size}`),
    () => 'not there',
  );
}

function differences(before: UserLook, now: UserLook): string[] {
  const where = 'in the folder that Millrace was started in';
  if ('problem' in before || 'problem' in now) {
    const problem = 'problem' in now ? now.problem : 'problem' in before ? before.problem : '';
    return [`Whether it changed something ${where} is not known: ${problem}.`];
  }
  const whose = 'If that was not you or another workstream, its tool left its worktree.';
  const notes: string[] = [];
  if (before.head !== now.head)
    notes.push(
      `While it worked, what is checked out ${where} changed from ${before.head} to ${now.head}. ${whose}`,
    );
  const paths = new Set([...before.paths.keys(), ...now.paths.keys()]);
  const changed = [...paths].filter((path) => before.paths.get(path) !== now.paths.get(path));
  // After a commit, or a checkout, all that differs from it is other than before.
  if (notes.length === 0 && changed.length > 0)
    notes.push(`While it worked, files ${where} changed: ${listed(changed)}. ${whose}`);
  return notes;
}

// What the user has not committed, which no worktree has.

/** A sentence where the tree is dirty when the run begins; what is in the state folder does not make it so. */
export async function uncommittedNotes(repository: Repository, stateFolder: string): Promise<string[]> {
  const status = await gitRead(repository, ['status', '--porcelain=v1', '-z', '--no-renames']);
  if (status.exitCode !== 0)
    return [`Whether all was committed when the run began is not known: ${complaint(status)}.`];
  const paths = splitNul(status.stdout)
    .map((line) => line.slice(3))
    .filter((path) => path !== '' && !overlaps(join(repository.root, path), stateFolder));
  if (paths.length === 0) return [];
  return [`Not committed when the run began, so not in its worktree: ${listed(paths)}.`];
}

/** A folder that is all new is one line, and may hold the state folder. */
const overlaps = (path: string, stateFolder: string): boolean =>
  isBelow(stateFolder, path) || isBelow(path, stateFolder);

function isBelow(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below === '' || (below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below));
}
