/** Whether a user has taken a branch's work over as a commit of their own, such as by `git merge --squash`. */
import { outputOf, splitNul } from './git.ts';
import type { KeptRef } from './kept-refs.ts';
import { gitRead, type Repository } from './repository.ts';

/** Most changed paths of a branch, and most commits of the user's, that are compared. */
const MOST = { paths: 1_000, commits: 50 } as const;

export interface Squashing {
  /** Commits that only refs reach that may be removed, each with its parents. */
  alone: ReadonlyMap<string, readonly string[]>;
  /** Names of the refs that stay. */
  staying: readonly string[];
}

/**
 * Whether all that a ref holds is in refs that stay, although its commits are not: one commit there has every path that
 * the branch changed just as the branch has it, and no version of a file is in the branch alone. False where that
 * can't be proved.
 * @throws GitError where git can't tell
 */
export async function isSquashed(
  repository: Repository,
  ref: Pick<KeptRef, 'commit'>,
  { alone, staying }: Squashing,
): Promise<boolean> {
  const base = baseOf(ref.commit, alone);
  if (base === null || staying.length === 0) return false;
  const paths = await changedPaths(repository, base, ref.commit);
  // A list of paths has one a line.
  if (paths.length > MOST.paths || paths.some((path) => path.includes('\n'))) return false;
  const wanted = paths.length === 0 ? '' : await entries(repository, ref.commit, paths);
  if (await hasOtherVersions(repository, ref.commit, { wanted, staying })) return false;
  if (paths.length === 0) return true;
  for (const commit of await commitsThatChange(repository, paths, { base, staying })) {
    if ((await entries(repository, commit, paths)) === wanted) return true;
  }
  return false;
}

/** The commit of refs that stay from which the branch was begun; null for none. */
function baseOf(commit: string, alone: Squashing['alone']): string | null {
  let at: string | undefined = commit;
  while (at !== undefined && alone.has(at)) at = alone.get(at)?.[0];
  return at ?? null;
}

async function changedPaths(repository: Repository, from: string, to: string): Promise<string[]> {
  const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to];
  return splitNul(outputOf(await gitRead(repository, args)));
}

/**
 * Whether the branch's own commits hold versions of files beside those that it has in the end: changed again later, they
 * may be in no ref that stays.
 */
async function hasOtherVersions(
  repository: Repository,
  commit: string,
  { wanted, staying }: { wanted: string; staying: readonly string[] },
): Promise<boolean> {
  const revisions = [commit, ...staying.map((name) => `^${name}`)].join('\n');
  const listing = ['rev-list', '--objects', '--no-object-names', '--stdin'];
  const objects = outputOf(await gitRead(repository, listing, { input: `${revisions}\n` }));
  const format = '--batch-check=%(objecttype) %(objectname)';
  const listed = outputOf(await gitRead(repository, ['cat-file', format], { input: objects })).split('\n');
  return listed.some((line) => {
    const [type = '', name = ''] = line.split(' ');
    return type !== '' && type !== 'commit' && type !== 'tree' && !wanted.includes(` ${name}\t`);
  });
}

/** The newest first. */
async function commitsThatChange(
  repository: Repository,
  paths: readonly string[],
  { base, staying }: { base: string; staying: readonly string[] },
): Promise<string[]> {
  const revisions = [...staying, `^${base}`, '--', ...paths].join('\n');
  const args = ['--literal-pathspecs', 'rev-list', `--max-count=${MOST.commits}`, '--stdin'];
  const listed = outputOf(await gitRead(repository, args, { input: `${revisions}\n` }));
  return listed.split('\n').filter((line) => line !== '');
}

/** Mode, kind and content of each path that a commit has, as one text. */
async function entries(repository: Repository, commit: string, paths: readonly string[]): Promise<string> {
  return outputOf(await gitRead(repository, ['ls-tree', '-z', '--full-tree', commit, '--', ...paths]));
}
