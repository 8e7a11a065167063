/** The user's repository: found once a run, written to by one call at a time. */
import { randomInt } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { complaint, git, type GitCall, type GitResult } from './git.ts';

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

/** Finds the repository that `cwd` is in, or says in a sentence why there is none to work with. */
export async function findRepository(cwd: string): Promise<Repository | string> {
  const ask = (...args: string[]): Promise<GitResult> => git(args, { cwd });
  const [top, common, head, version] = await Promise.all([
    ask('rev-parse', '--show-toplevel'),
    ask('rev-parse', '--path-format=absolute', '--git-common-dir'),
    ask('rev-parse', '--verify', '--quiet', 'HEAD^{commit}'),
    ask('--version'),
  ]);
  if (version.exitCode !== 0) return complaint(version);
  if (top.exitCode !== 0) return complaint(top);
  if (head.exitCode !== 0) return 'the repository has no commit yet';
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
  return oneByOne(repository, () => withRetries(() => git(args, { cwd: repository.root, ...call })));
}

/** Does something while no call of this process writes to the repository, nor makes or removes a worktree. */
export async function oneByOne<T>({ commonDir }: Repository, work: () => Promise<T>): Promise<T> {
  const before = queues.get(commonDir) ?? Promise.resolve();
  const result = before.then(work);
  // Whoever waits waits for the end of it, however that is.
  const ended = result.catch(() => undefined);
  queues.set(commonDir, ended);
  try {
    return await result;
  } finally {
    if (queues.get(commonDir) === ended) queues.delete(commonDir);
  }
}

async function withRetries(attempt: () => Promise<GitResult>): Promise<GitResult> {
  let result = await attempt();
  for (const milliseconds of PAUSES) {
    if (result.exitCode === 0 || !LOCKED.test(result.stderr)) break;
    // Not all who wait at the same moment.
    await pause(milliseconds / 2 + randomInt(milliseconds));
    result = await attempt();
  }
  return result;
}

/** A call that only reads, or adds objects, which needs no lock. */
export function gitRead(
  repository: Repository,
  args: readonly string[],
  call: Partial<GitCall> = {},
): Promise<GitResult> {
  return git(args, { cwd: repository.root, ...call });
}
