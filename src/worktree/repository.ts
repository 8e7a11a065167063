/** The user's repository: found once a run, written to by one call at a time. */
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { realpath, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Checkout } from '../domain/history/history.ts';
import { allowance, complaint, type GitCall, type GitResult, git, lockOf } from './git.ts';
import { isRefLockOf } from './names.ts';

export interface Repository {
  /** Absolute folder of the work tree in which Millrace was started, without symbolic links. */
  root: string;
  /** Absolute folder that all work trees share. */
  commonDir: string;
  /** The folder Millrace was started in, below `root`, with `/`; empty for `root` itself. */
  prefix: string;
  /** The commit that was checked out when it was found. */
  head: string;
  /** As `git --version` says, major and minor. */
  version: [number, number];
}

/** The first version with `merge-tree --write-tree`. */
export const OLDEST_GIT: Repository['version'] = [2, 38];

/** Why there is no repository to work with. */
export interface NoRepository {
  /** Whether the folder is in one all the same, which git can't use as it is. */
  inside: boolean;
  /** In a few words. */
  why: string;
}

export const NO_COMMIT = 'the repository has no commit yet: make a first one';

/** Finds the repository that `cwd` is in, or says why there is none to work with. */
export async function findRepository(cwd: string): Promise<Repository | NoRepository> {
  const found = await askGit(cwd);
  return typeof found === 'string' ? { inside: isInRepository(cwd), why: found } : found;
}

/** Whether a folder is in a repository, by what is on the disk: also one that git refuses or can't read. */
export function isInRepository(cwd: string): boolean {
  const above = (process.env['GIT_CEILING_DIRECTORIES'] ?? '').split(':');
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const isBare = ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(folder, name)));
    if (isBare || existsSync(join(folder, '.git'))) return true;
    if (dirname(folder) === folder || above.includes(dirname(folder))) return false;
  }
}

async function askGit(cwd: string): Promise<Repository | string> {
  const ask = (...args: string[]): Promise<GitResult> => git(args, { cwd });
  const [top, common, head, version] = await Promise.all([
    ask('rev-parse', '--show-toplevel'),
    ask('rev-parse', '--path-format=absolute', '--git-common-dir'),
    ask('rev-parse', '--verify', '--quiet', 'HEAD^{commit}'),
    ask('--version'),
  ]);
  if (version.exitCode !== 0) return complaint(version);
  if (top.exitCode !== 0) return complaint(top);
  if (head.exitCode === 1) return NO_COMMIT;
  if (head.exitCode !== 0) return complaint(head);
  if (common.exitCode !== 0) return complaint(common);
  const root = await realpath(withoutNewline(top.stdout));
  return {
    root,
    commonDir: await realpath(withoutNewline(common.stdout)),
    prefix: relative(root, await realpath(cwd)).replaceAll(sep, '/'),
    head: head.stdout.trim(),
    version: numbers(version.stdout),
  };
}

/** Whether a version of git is at least another. */
export function isAtLeast([major, minor]: Repository['version'], [a, b]: Repository['version']): boolean {
  return major > a || (major === a && minor >= b);
}

function numbers(text: string): Repository['version'] {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}

/** A path may end in spaces or line ends of its own; git adds one. */
const withoutNewline = (text: string): string => (text.endsWith('\n') ? text.slice(0, -1) : text);

/** What another process that works in the same repository leads to, for a moment. */
const LOCKED = /\.lock': File exists|could not lock config file/;

/** Longest that a call may take for which others wait. */
const WRITE_SECONDS = 120;

/** 20 ms, 40 ms … 640 ms, then a second each time: 6 seconds in all at most. */
const PAUSES = [20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000];

const queues = new Map<string, Promise<unknown>>();

/**
 * A call that writes to what all work trees share (refs, worktrees, configuration). One at a time within this process;
 * where another process has the lock it is tried again, at most ten times.
 */
export async function gitWrite(
  repository: Repository,
  args: readonly string[],
  call: Partial<GitCall> = {},
): Promise<GitResult> {
  const { root, commonDir } = repository;
  const attempt = (): Promise<GitResult> => git(args, { cwd: root, seconds: WRITE_SECONDS, ...call });
  return oneByOne(repository, () => withRetries(attempt, commonDir));
}

/** Does something while no call of this process writes to the repository, nor makes or removes a worktree. */
export async function oneByOne<T>({ commonDir }: Repository, work: () => Promise<T>): Promise<T> {
  const before = queues.get(commonDir) ?? Promise.resolve();
  const result = Promise.race([before, whenOver()]).then(work);
  // Whoever waits waits for the end of it, however that is, and of those before it.
  const ended = Promise.allSettled([before, result]);
  queues.set(commonDir, ended);
  try {
    return await result;
  } finally {
    if (queues.get(commonDir) === ended) queues.delete(commonDir);
  }
}

/** Rejects when the work that this is part of may not go on: it need not wait for others any longer. */
function whenOver(): Promise<never> {
  const over = allowance()?.over;
  return new Promise((_, reject) => {
    const end = (): void =>
      reject(new Error(`Waiting for git in another workstream ${String(over?.reason)}`));
    if (over?.aborted === true) end();
    else over?.addEventListener('abort', end, { once: true });
  });
}

async function withRetries(attempt: () => Promise<GitResult>, commonDir: string): Promise<GitResult> {
  let result = await attempt();
  for (const milliseconds of PAUSES) {
    if (result.exitCode === 0 || !LOCKED.test(result.stderr)) break;
    // Not all who wait at the same moment.
    if (!(await removeStale(lockOf(result), commonDir)))
      await pause(milliseconds / 2 + randomInt(milliseconds));
    result = await attempt();
  }
  return result;
}

/**
 * Removes a lock that is known to be stale: on a ref of the run that this work is for. Only one process at a time has a
 * run, and its writes are made one at a time, so a git process that was killed left it. Any other may be in use.
 */
async function removeStale(lock: string | null, commonDir: string): Promise<boolean> {
  const runId = allowance()?.runId ?? null;
  if (lock === null || runId === null || !isRefLockOf(runId, relative(commonDir, lock))) return false;
  await rm(lock, { force: true });
  return true;
}

/** A call that only reads, or adds objects, which needs no lock. */
export function gitRead(
  repository: Repository,
  args: readonly string[],
  call: Partial<GitCall> = {},
): Promise<GitResult> {
  return git(args, { cwd: repository.root, ...call });
}

/** How long git may look for changes: a repository may be huge, and on a slow disk. */
const CHECKOUT_SECONDS = 10;

/** Commit and branch, in one call. */
const CHECKED_OUT = ['rev-parse', 'HEAD', '--abbrev-ref', 'HEAD'];

/** Files that git does not know say nothing about the commit, and to look for them takes longest. */
const CHANGES = ['status', '--porcelain', '--untracked-files=no', '--no-renames'];

/**
 * What is checked out in the work tree or the bare repository that a folder is in; null where it is in none, where
 * there is no commit yet, and where git can't be started or refuses. Never rejects, and takes 10 s at most.
 * @param enough once it is aborted, what is not known yet is left unknown.
 */
export async function readCheckout(cwd: string, enough: AbortSignal): Promise<Checkout | null> {
  if (!isInRepository(cwd)) return null;
  const ask = (args: readonly string[]) => git(args, { cwd, seconds: CHECKOUT_SECONDS, signal: enough });
  const [head, changes] = await Promise.all([ask(CHECKED_OUT), ask(CHANGES)]);
  const [commit = '', branch = ''] = head.stdout.split('\n');
  if (head.exitCode !== 0 || commit === '') return null;
  return {
    commit,
    // Git's word for no branch.
    branch: branch === 'HEAD' || branch === '' ? null : branch,
    isDirty: changes.exitCode === 0 ? changes.stdout !== '' : null,
  };
}
