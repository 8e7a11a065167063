/** One worktree of Millrace's, and how git is told to work in it. */
import { existsSync } from 'node:fs';
import { lstat, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ProcessIdentity } from '../os/process-identity.ts';
import { plural } from '../text/format.ts';
import { oneLine } from '../text/printable.ts';
import { type GitCall, type GitResult, git, saidYes, splitNul } from './git.ts';

export interface Worktree {
  /** Absolute folder of its files. */
  root: string;
  /** Absolute folder in which git keeps its HEAD and its index. */
  adminDir: string;
  owner: WorktreeOwner;
  /** What was copied or linked into it, relative to `root` with `/`: never a change. */
  brought: readonly string[];
}

/**
 * Runs git in a worktree. The repository is found without the worktree's `.git` file, which a workstream may have
 * removed or replaced.
 */
export function gitIn(
  { root, adminDir }: Pick<Worktree, 'root' | 'adminDir'>,
  args: readonly string[],
  { env = {}, ...call }: Pick<GitCall, 'env' | 'input'> = {},
): Promise<GitResult> {
  return git(args, { cwd: root, env: { GIT_DIR: adminDir, GIT_WORK_TREE: root, ...env }, ...call });
}

/** The commit that is checked out in it; null where there is none. @throws GitError where git can't tell */
export async function headOf(worktree: Pick<Worktree, 'root' | 'adminDir'>): Promise<string | null> {
  const head = await gitIn(worktree, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  return saidYes(head) ? head.stdout.trim() : null;
}

/** Where git keeps what belongs to the worktree at `root`. @throws where its `.git` can't be read */
export async function readAdminDir(root: string): Promise<string> {
  const text = await readFile(join(root, '.git'), 'utf8');
  return resolve(root, text.replace(/^gitdir: /, '').replace(/\n$/, ''));
}

/**
 * Why the folder is not the one that was made: it was replaced by a link, behind which are files that are not
 * the worktree's. Null when it is, or has gone.
 */
export async function displaced(root: string): Promise<string | null> {
  const real = await realpath(root).catch(() => null);
  const there = await lstat(root).then(
    () => true,
    () => false,
  );
  return there && real !== root ? 'a link stands in the place of its folder' : null;
}

/**
 * Why nothing can be captured although its folder is not where it was made: it was removed from git, or
 * moved. Null when neither is so.
 */
export async function movedAway({ root, adminDir }: Worktree): Promise<string | null> {
  const pointer = await readIfThere(join(adminDir, 'gitdir'));
  if (pointer === null) {
    return 'its worktree was removed; commits made in it that no branch has are found by: git fsck --lost-found';
  }
  const folder = dirname(pointer.trimEnd());
  return folder === root || !isAbsolute(folder) || existsSync(root)
    ? null
    : `its folder was moved to ${folder}`;
}

const broughtFile = (adminDir: string): string => join(adminDir, 'millrace-brought');

/** Written before anything is brought, so that a snapshot after a kill knows what is not work. */
export async function writeBrought(adminDir: string, paths: readonly string[]): Promise<void> {
  await writeFile(broughtFile(adminDir), paths.join('\0'));
}

/** What `writeBrought` wrote; nothing where it did not. */
export async function readBrought(adminDir: string): Promise<string[]> {
  const text = await readIfThere(broughtFile(adminDir));
  return text === null ? [] : splitNul(text).filter((path) => path !== '');
}

/** A file's text; null where there is none. @throws for any other reason */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

// The reason with which a worktree is locked says whose it is; `git worktree list -v` shows it to people.

/** Whose worktree it is. */
export interface WorktreeOwner {
  runId: string;
  workstreamId: string;
  attempt: number;
  agentId: string;
  /** The commit it started from. */
  start: string;
  process: ProcessIdentity;
}

const REASON =
  /^Millrace (\S+) (\S+) attempt (\d+) by (\S+) from ([0-9a-f]+), pid (\d+) started (\S+) on (.+?)(?: \(boot (\S+), (\S+)\))?$/;

export function lockReason({ runId, workstreamId, attempt, agentId, start, process }: WorktreeOwner): string {
  const { pid, started, hostname, bootId, pidNamespace } = process;
  const where = bootId && pidNamespace ? ` (boot ${bootId}, ${pidNamespace})` : '';
  return (
    `Millrace ${runId} ${workstreamId} attempt ${attempt} by ${agentId} from ${start}, ` +
    `pid ${pid} started ${started ?? '-'} on ${hostname}${where}`
  );
}

/** Makes a worktree another process's. It is locked at every moment: git reads the reason from this file. */
export async function changeOwner(
  { adminDir }: Pick<Worktree, 'adminDir'>,
  owner: WorktreeOwner,
): Promise<void> {
  const lock = join(adminDir, 'locked');
  await writeFile(`${lock}.new`, lockReason(owner));
  await rename(`${lock}.new`, lock);
}

/** The owner that a reason names; null for a worktree that is not Millrace's. */
export function parseLockReason(reason: string): WorktreeOwner | null {
  const [, runId, workstreamId, attempt, agentId, start, pid, started, hostname, boot, namespace] =
    REASON.exec(reason) ?? [];
  if (
    runId === undefined ||
    workstreamId === undefined ||
    agentId === undefined ||
    start === undefined ||
    hostname === undefined
  )
    return null;
  return {
    runId,
    workstreamId,
    attempt: Number(attempt),
    agentId,
    start,
    process: {
      pid: Number(pid),
      started: started === '-' ? null : (started ?? null),
      hostname,
      ...(boot === undefined || namespace === undefined ? {} : { bootId: boot, pidNamespace: namespace }),
    },
  };
}

/** Texts that a sentence names before it counts the rest. */
const SHOWN = 5;

/** `a, b and 3 others`, for a sentence. */
export function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, SHOWN).map((text) => oneLine(text, 200));
  const rest = texts.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${plural(rest, 'other')}` : shown.join(', ');
}
