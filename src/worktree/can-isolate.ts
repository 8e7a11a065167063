import { spawnSync } from 'node:child_process';
import { gitEnvironment } from './git.ts';
import { isInRepository, NO_COMMIT, type NoRepository } from './repository.ts';

/** Longest that git may take to say where it is. */
const ANSWER_MS = 10_000;

/**
 * Why worktrees can't be made for work in this folder; null where they can: it is in the work tree of a git repository
 * that has a commit. Takes 5 ms.
 */
export function whyNoWorktrees(cwd: string): NoRepository | null {
  const asked = ask(cwd, '--show-toplevel');
  if (asked !== null) return { inside: isInRepository(cwd), why: asked };
  return ask(cwd, '--verify', '--quiet', 'HEAD^{commit}') === null ? null : { inside: true, why: NO_COMMIT };
}

/** Why nothing starts where a worktree is asked for and there can be none, and what to do about it. */
export const noWorktree = (why: string): string =>
  `It is to work in a git worktree of its own, and there can be none: ${why}. Put that right, or let it work in the folder itself with "workspace": "shared".`;

/** Null for an answer, or what git complained of. */
function ask(cwd: string, ...args: string[]): string | null {
  const { status, stderr, error } = spawnSync('git', ['rev-parse', ...args], {
    cwd,
    env: gitEnvironment(process.env),
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: ANSWER_MS,
    killSignal: 'SIGKILL',
  });
  if (status === 0) return null;
  const [said = ''] = stderr?.split('\n') ?? [];
  return (
    said.replace(/^fatal: /, '') || `git gave no answer${error === undefined ? '' : `: ${error.message}`}`
  );
}
