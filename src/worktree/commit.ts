/** Commits that Millrace makes itself. */
import { oneLine } from '../text/printable.ts';
import { complaint } from './git.ts';
import { gitRead, type Repository } from './repository.ts';

/** Longest subject of a commit in characters; git's own tools cut there. */
const SUBJECT_WIDTH = 72;

/**
 * Always Millrace's: the user did not write this, and an agent's name is no identity. The trailers name the agent.
 * Never by `git config`, which all worktrees and the user share.
 */
export const IDENTITY = {
  GIT_AUTHOR_NAME: 'Millrace',
  GIT_AUTHOR_EMAIL: 'millrace@localhost',
  GIT_COMMITTER_NAME: 'Millrace',
  GIT_COMMITTER_EMAIL: 'millrace@localhost',
};

export interface NewCommit {
  tree: string;
  parents: readonly string[];
  /** One line; what is invisible in it is made visible, and it is cut. */
  subject: string;
  /** For people: the database knows it too. */
  trailers: Record<string, string | number>;
}

/** Makes a commit that nothing points to yet. Returns its hash, or git's complaint. */
export async function makeCommit(
  repository: Repository,
  { tree, parents, subject, trailers }: NewCommit,
): Promise<{ commit: string } | { problem: string }> {
  const lines = Object.entries(trailers).map(([name, value]) => `Millrace-${name}: ${value}`);
  const made = await gitRead(
    repository,
    ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-F', '-'],
    { env: IDENTITY, input: `${oneLine(subject, SUBJECT_WIDTH)}\n\n${lines.join('\n')}\n` },
  );
  return made.exitCode === 0 ? { commit: made.stdout.trim() } : { problem: complaint(made) };
}
