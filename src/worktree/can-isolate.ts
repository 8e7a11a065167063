import { spawnSync } from 'node:child_process';
import { gitEnvironment } from './git.ts';

/** Whether worktrees can be made for work in this folder: it is in a git repository that has a commit. Takes 5 ms. */
export function canIsolate(cwd: string): boolean {
  const { status } = spawnSync('git', ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {
    cwd,
    env: gitEnvironment(process.env),
    stdio: 'ignore',
  });
  return status === 0;
}
