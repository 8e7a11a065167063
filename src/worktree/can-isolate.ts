import { spawnSync } from 'node:child_process';
import { signalGroup } from '../os/process-group.ts';
import { gitEnvironment, tooLong, whyNotStarted } from './git.ts';
import { isInRepository, NO_COMMIT, type NoRepository } from './repository.ts';

/** How long `git rev-parse` may take. */
const ANSWER_SECONDS = 10;

/**
 * Why worktrees can't be made for work in this folder; null where they can: it is in the work tree of a git repository
 * that has a commit. Takes 5 ms.
 */
export function whyNoWorktrees(cwd: string, seconds = ANSWER_SECONDS): NoRepository | null {
  const where = ask(cwd, seconds, '--show-toplevel');
  if (where.status !== 0) return { inside: isInRepository(cwd), why: where.why };
  const head = ask(cwd, seconds, '--verify', '--quiet', 'HEAD^{commit}');
  if (head.status === 0) return null;
  return { inside: true, why: head.status === 1 ? NO_COMMIT : head.why };
}

/** Why a workstream that asks for a worktree can't start where there can be none, and what to do about it. */
export const noWorktree = (why: string): string =>
  `It needs a git worktree of its own, and none can be made: ${why}. Correct that, or let it work in the folder itself with "workspace": "shared".`;

/** Git's exit code, null where it did not end by itself, and its complaint. */
function ask(cwd: string, seconds: number, ...args: string[]): { status: number | null; why: string } {
  const { pid, status, stderr, error } = spawnSync('git', ['rev-parse', ...args], {
    cwd,
    env: gitEnvironment(process.env),
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
    ...GROUP_OF_ITS_OWN,
  });
  if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT') {
    signalGroup(pid, 'SIGKILL');
    return { status, why: `git rev-parse ${tooLong(seconds)}` };
  }
  if (error !== undefined) return { status, why: whyNotStarted(error, cwd) };
  const [said = ''] = stderr.split('\n');
  return { status, why: said.replace(/^fatal: /, '') || `git rev-parse ended with exit code ${status}` };
}

/** So that what git started ends with it. Types of Node lack it for `spawnSync`. */
const GROUP_OF_ITS_OWN = { detached: true };
