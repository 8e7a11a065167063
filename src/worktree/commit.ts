/** Commits that Millrace makes itself. */
import { oneLine } from '../text/printable.ts';
import { complaint } from './git.ts';
import { gitRead, type Repository } from './repository.ts';

/** Longest subject of a commit in characters; git's own tools cut there. */
const SUBJECT_WIDTH = 72;

/**
 * The committer is always Millrace, and so is the author where no tool is known: the user did not write this. Never by
 * `git config`, which all worktrees and the user share.
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
  /** The tool that did the work; null for none. Default: null. */
  tool?: string | null;
  /** People that are named beside it, as `Name <address>`. Default: none. */
  coAuthors?: readonly string[];
}

/** Named as what it is: `claude via Millrace`. What git can't have in a name is left out. */
function authorOf(tool: string | null): Record<string, string> {
  const name = oneLine(tool ?? '', NAME_WIDTH)
    .replaceAll(/[<>]/g, '')
    .trim();
  if (name === '') return IDENTITY;
  const address = name.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-');
  return {
    ...IDENTITY,
    GIT_AUTHOR_NAME: `${name} via Millrace`,
    GIT_AUTHOR_EMAIL: `${address}@millrace.localhost`,
  };
}

/** Longest name of a tool in an author, in characters. */
const NAME_WIDTH = 60;

/** Makes a commit that nothing points to yet. Returns its hash, or git's complaint. */
export async function makeCommit(
  repository: Repository,
  { tree, parents, subject, trailers, tool = null, coAuthors = [] }: NewCommit,
): Promise<{ commit: string } | { problem: string }> {
  const own = Object.entries(trailers).map(([name, value]) => `Millrace-${name}: ${value}`);
  const lines = [...own, ...coAuthors.map((person) => `Co-authored-by: ${oneLine(person, 200)}`)];
  const made = await gitRead(
    repository,
    ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-F', '-'],
    { env: authorOf(tool), input: `${oneLine(subject, SUBJECT_WIDTH)}\n\n${lines.join('\n')}\n` },
  );
  return made.exitCode === 0 ? { commit: made.stdout.trim() } : { problem: complaint(made) };
}
