/**
 * A branch with a commit for each of some files, made without the user's checkout and index. Its last commit names a hash
 * of all of it, by which it is found again: nothing is made where a branch says the same already.
 */
import { createHash } from 'node:crypto';
import { oneLine } from '../../text/printable.ts';
import { IDENTITY } from '../commit.ts';
import { complaint, GitError, outputOf, splitNul } from '../git.ts';
import { branchRef } from '../names.ts';
import { gitRead, gitWrite, type Repository } from '../repository.ts';

/** A file as a branch is to have it. */
export interface SyncedFile {
  /** From the root of the repository, with `/`. */
  path: string;
  /** Its content; null for what is on the disk there. */
  content: string | null;
  /** Subject of its commit. */
  subject: string;
  /** By name. */
  trailers: readonly (readonly [name: string, value: string])[];
}

/** What a branch is to hold. */
export interface SyncContent {
  files: readonly { path: string; mode: string; blob: string; message: string }[];
  /** Of all of it. */
  hash: string;
}

const HASH_TRAILER = 'Millrace-Sync';

/**
 * Puts the files into git, as `git add` would: filters and line ends apply.
 * @param write false to find out their hashes only.
 * @throws GitError where git can't.
 */
export async function syncContent(
  repository: Repository,
  files: readonly SyncedFile[],
  write: boolean,
): Promise<SyncContent> {
  const keep = write ? ['-w'] : [];
  const blobs = new Map<string, string>();
  // A path with a line end can't be in a list.
  const listed = files.filter(({ path, content }) => content === null && !path.includes('\n'));
  const input = listed.map(({ path }) => `${path}\n`).join('');
  const hashed = outputOf(await gitRead(repository, ['hash-object', ...keep, '--stdin-paths'], { input }));
  for (const [index, blob] of hashed.trim().split('\n').entries()) {
    const path = listed[index]?.path;
    if (path !== undefined) blobs.set(path, blob);
  }
  for (const { path, content } of files) {
    if (blobs.has(path)) continue;
    const args = content === null ? ['--', path] : ['--stdin', '--path', path];
    const call = content === null ? {} : { input: content };
    blobs.set(path, outputOf(await gitRead(repository, ['hash-object', ...keep, ...args], call)).trim());
  }
  const made = files.map(({ path, subject, trailers }) => ({
    path,
    mode: '100644',
    blob: blobs.get(path) ?? '',
    message: `${subject}\n\n${trailers.map(([name, value]) => `Millrace-${name}: ${value}`).join('\n')}\n`,
  }));
  return { files: made, hash: createHash('sha256').update(JSON.stringify(made)).digest('hex') };
}

/** Longest value of a trailer. */
const TRAILER = 400;

/**
 * Text of a workstream as a part of a commit's message: on one line, and without what calls a person or closes an issue
 * once it is pushed. A space of no width parts the sign from the name, as others who make commits do.
 */
export const inMessage = (text: string): string =>
  oneLine(text, TRAILER).replaceAll(/@(?=[A-Za-z0-9])|#(?=\d)|\bGH-(?=\d)/gi, '$&\u200b');

/** Which of these paths git ignores, from the root of the repository. */
export async function ignoredPaths(repository: Repository, paths: readonly string[]): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const input = paths.map((path) => `${path}\0`).join('');
  const asked = await gitRead(repository, ['check-ignore', '-z', '--stdin'], { input });
  return new Set(splitNul(asked.stdout));
}

/**
 * The hash of the content that a commit is the last of; null for none.
 * @param within whether the newest commit with a content counts that it descends from.
 */
export async function syncedHash(
  repository: Repository,
  commit: string,
  within: boolean,
): Promise<string | null> {
  const where = within ? [] : ['--no-walk'];
  const args = ['log', ...where, '-n', '1', '--format=%B', `--grep=^${HASH_TRAILER}: `, commit];
  const { stdout } = await gitRead(repository, args);
  return new RegExp(`^${HASH_TRAILER}: (\\w+)$`, 'm').exec(stdout)?.[1] ?? null;
}

/** The local branches that match a pattern, with their commits. @throws GitError */
export async function localBranches(repository: Repository, pattern: string): Promise<Map<string, string>> {
  const args = ['for-each-ref', '--format=%(refname:lstrip=2)%00%(objectname)%00', branchRef(pattern)];
  const fields = splitNul(outputOf(await gitRead(repository, args)));
  const branches = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2)
    branches.set((fields[at] ?? '').trimStart(), fields[at + 1] ?? '');
  return branches;
}

/**
 * Makes the branch: a commit for each file, one after the other, from the commit that is checked out. By one process,
 * which touches neither checkout nor index; the branch is there when all of it is. Returns its last commit.
 * @throws GitError where git can't.
 */
export async function makeSyncBranch(
  repository: Repository,
  branch: string,
  { files, hash }: SyncContent,
): Promise<string> {
  const { GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email } = IDENTITY;
  const who = `${name} <${email}> ${Math.floor(Date.now() / 1000)} +0000`;
  const last = files.length - 1;
  const commits = files.map(({ path, mode, blob, message }, index) => {
    const text = index === last ? `${message}${HASH_TRAILER}: ${hash}\n` : message;
    return [
      `commit ${branchRef(branch)}\n`,
      `author ${who}\ncommitter ${who}\n`,
      `data ${Buffer.byteLength(text)}\n${text}\n`,
      index === 0 ? `from ${repository.head}\n` : '',
      `M ${mode} ${blob} ${quoted(path)}\n\n`,
    ].join('');
  });
  const made = await gitWrite(repository, ['fast-import', '--quiet', '--done'], {
    input: `${commits.join('')}done\n`,
  });
  if (made.exitCode !== 0) throw new GitError(complaint(made));
  return outputOf(await gitRead(repository, ['rev-parse', '--verify', branchRef(branch)])).trim();
}

/** A path as `git fast-import` reads it. */
const quoted = (path: string): string =>
  `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
