/** Commits that were checked out in a worktree once and that no ref reaches any more. */
import { join } from 'node:path';
import { complaint } from './git.ts';
import { gitRead, type Repository } from './repository.ts';
import { readIfThere, type Worktree } from './worktree.ts';

/** The last of each line of them. Only the worktree's own log of HEAD knows them, and it goes with the worktree. */
export async function abandonedTips(
  repository: Repository,
  { adminDir, owner }: Worktree,
  kept: string,
): Promise<string[] | { problem: string }> {
  const log = (await readIfThere(join(adminDir, 'logs', 'HEAD'))) ?? '';
  const seen = new Set(log.split('\n').flatMap((line) => line.split(' ', 2).filter(isCommit)));
  seen.delete(owner.start);
  seen.delete(kept);
  if (seen.size === 0) return [];
  const listed = await gitRead(
    repository,
    ['rev-list', '--parents', '--ignore-missing', '--stdin', '--single-worktree', '--not', '--all'],
    { input: [...seen, `^${kept}`].join('\n') },
  );
  if (listed.exitCode !== 0) return { problem: complaint(listed) };
  const lines = listed.stdout.split('\n').filter((line) => line !== '');
  const parents = new Set(lines.flatMap((line) => line.split(' ').slice(1)));
  return lines.map((line) => line.split(' ', 1)[0] ?? '').filter((commit) => !parents.has(commit));
}

const isCommit = (text: string): boolean => /^[0-9a-f]{40,64}$/.test(text) && !/^0+$/.test(text);
