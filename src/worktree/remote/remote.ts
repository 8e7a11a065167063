/** Remotes of the user's repository: where they are, which branches they have, and what is pushed there. */
import { oneLine } from '../../text/printable.ts';
import { complaint, type GitResult } from '../git.ts';
import { branchRef } from '../names.ts';
import { gitRead, gitWrite, type Repository } from '../repository.ts';

/** Longest that a remote may take to answer, and to take what is pushed. */
const ANSWER_SECONDS = 60;
const PUSH_SECONDS = 600;

/** A remote of the repository. */
export interface Remote {
  name: string;
  /** Where it is pushed to. It may hold a password. */
  url: string;
}

/**
 * The remote of this name; without a name that of the branch which is checked out, `origin`, or the only one. Null where
 * there is none.
 */
export async function findRemote(repository: Repository, name: string | null): Promise<Remote | null> {
  const listed = await gitRead(repository, ['remote']);
  const names = listed.stdout.split('\n').filter((line) => line !== '');
  const chosen = name ?? (await usualRemote(repository, names));
  if (chosen === null || !names.includes(chosen)) return null;
  const url = await gitRead(repository, ['remote', 'get-url', '--push', chosen]);
  return url.exitCode === 0 ? { name: chosen, url: url.stdout.trim() } : null;
}

async function usualRemote(repository: Repository, names: readonly string[]): Promise<string | null> {
  const branch = await gitRead(repository, ['symbolic-ref', '--quiet', '--short', 'HEAD']);
  const key = `branch.${branch.stdout.trim()}.remote`;
  const configured = branch.exitCode === 0 ? await gitRead(repository, ['config', '--get', key]) : null;
  const own = configured?.stdout.trim() ?? '';
  if (names.includes(own)) return own;
  if (names.includes('origin')) return 'origin';
  const [only = null] = names;
  return names.length === 1 ? only : null;
}

/**
 * The branches of a remote that match a pattern of git, with their commits.
 * @returns git's complaint where the remote does not answer.
 */
export async function remoteBranches(
  repository: Repository,
  { name }: Remote,
  ...patterns: string[]
): Promise<Map<string, string> | string> {
  const wanted = patterns.map(branchRef);
  const listed = await gitRead(repository, ['ls-remote', '--refs', name, ...wanted], {
    seconds: ANSWER_SECONDS,
  });
  if (listed.exitCode !== 0) return complaint(listed);
  const prefix = branchRef('');
  return new Map(
    listed.stdout.split('\n').flatMap((line) => {
      const [commit = '', ref = ''] = line.split('\t');
      return ref.startsWith(prefix) ? [[ref.slice(prefix.length), commit]] : [];
    }),
  );
}

/** Makes sure that a commit of a remote's branch is here. Changes no ref. */
export async function fetchCommit(
  repository: Repository,
  { name }: Remote,
  branch: string,
): Promise<GitResult> {
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--refmap='];
  return gitRead(repository, ['fetch', ...options, name, branchRef(branch)], { seconds: PUSH_SECONDS });
}

/** What is to be the commit of a remote's branch. */
export interface PushedBranch {
  branch: string;
  commit: string;
  /** The commit that it has now, or null where it is not there: it is not pushed over any other. */
  expected: string | null;
}

/** Longest text of a remote that says why it refuses a push. */
const REASON = 300;

/** Pushes a commit to a branch of a remote. Returns git's complaint and what the remote says; null where it is there. */
export async function pushBranch(
  repository: Repository,
  { name }: Remote,
  { branch, commit, expected }: PushedBranch,
): Promise<string | null> {
  const ref = branchRef(branch);
  const pushed = await gitWrite(
    repository,
    [
      'push',
      '--quiet',
      '--no-verify',
      '--no-follow-tags',
      `--force-with-lease=${ref}:${expected ?? ''}`,
      name,
      `${commit}:${ref}`,
    ],
    { seconds: PUSH_SECONDS },
  );
  if (pushed.exitCode === 0) return null;
  const refused = /^ ! \[.*$/m.exec(pushed.stderr)?.[0];
  if (refused === undefined) return complaint(pushed);
  const said = [...pushed.stderr.matchAll(/^remote: (.*)$/gm)].map(([, line = '']) => line.trim());
  const reason = oneLine(said.filter((line) => line !== '').join(' '), REASON);
  return `${refused.replace(/^ ! /, '').replaceAll(/\s+/g, ' ')}${reason === '' ? '' : `: ${reason}`}`;
}

/** The commits that refs and branches of runs point at: made by Millrace. */
export async function keptCommits(repository: Repository): Promise<Set<string>> {
  const patterns = ['refs/millrace/', branchRef('millrace/')];
  const listed = await gitRead(repository, ['for-each-ref', '--format=%(objectname)', ...patterns]);
  return new Set(listed.stdout.split('\n'));
}

/** When a commit was made, ISO 8601; null for one that is not here. */
export async function commitTime(repository: Repository, commit: string): Promise<string | null> {
  const shown = await gitRead(repository, ['show', '--no-patch', '--format=%cI', commit]);
  return shown.exitCode === 0 ? shown.stdout.trim() : null;
}

/** The commit of a branch, or of a ref that is named in full; null where there is none. */
export async function tipOf(repository: Repository, name: string): Promise<string | null> {
  const ref = name.startsWith('refs/') ? name : branchRef(name);
  const found = await gitRead(repository, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]);
  return found.exitCode === 0 ? found.stdout.trim() : null;
}
