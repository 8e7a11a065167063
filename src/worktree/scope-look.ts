/** What the files of a scope are like at one moment, so that two moments can be compared. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { glob } from 'tinyglobby';
import type { ChangedFile } from '../domain/changes.ts';
import { picomatchLiteral } from './bring-along.ts';

interface Seen {
  size: bigint;
  /** Nanoseconds: last change of its content, and of anything about it. */
  modified: bigint;
  changed: bigint;
  /** SHA-256 in hex; null for a file that is too large to read each time, or can't be read. */
  hash: string | null;
}

/** By path, relative to the folder. */
export type ScopeLook = ReadonlyMap<string, Seen>;

/** Files above this many bytes are judged by size and time before a workstream, and read only if they changed. */
const LARGE = 32_000_000n;

/** Files read at the same time. */
const READERS = 8;

/** Globs as tinyglobby and picomatch take them: what owns, and what is taken away from that. */
export function splitScopes(scopes: readonly string[]): { owned: string[]; ignored: string[] } {
  const isNegated = (scope: string): boolean => scope.startsWith('!') && scope[1] !== '(';
  const normal = (scope: string): string => scope.replace(/^\.\//, '');
  const owned = scopes.filter((scope) => !isNegated(scope)).map(normal);
  const ignored = scopes.filter(isNegated).map((scope) => normal(scope.slice(1)));
  return { owned: owned.length === 0 && ignored.length > 0 ? ['**'] : owned, ignored };
}

/** Looks at every file of the scopes below `folder`. A folder means everything in it. */
export async function lookAtScopes(
  folder: string,
  scopes: readonly string[],
  stateFolder: string,
): Promise<ScopeLook> {
  const paths = await filesOf(folder, scopes, stateFolder);
  const look = new Map<string, Seen>();
  const rest = paths[Symbol.iterator]();
  const read = async (): Promise<void> => {
    for (const path of rest) {
      const seen = await see(join(folder, path), LARGE);
      if (seen !== null) look.set(path, seen);
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  return look;
}

async function filesOf(folder: string, scopes: readonly string[], stateFolder: string): Promise<string[]> {
  const { owned, ignored } = splitScopes(scopes);
  if (owned.length === 0) return [];
  const modules = owned.some((scope) => scope.includes('node_modules')) ? [] : ['**/node_modules/**'];
  return glob(owned, {
    cwd: folder,
    dot: true,
    followSymbolicLinks: false,
    ignore: [...ignored, ...modules, '**/.git/**', `${picomatchLiteral(stateFolder)}/**`],
  });
}

/** Null for what has gone, or is no file. */
async function see(path: string, limit: bigint): Promise<Seen | null> {
  try {
    const found = await lstat(path, { bigint: true });
    if (!found.isFile() && !found.isSymbolicLink()) return null;
    const { size, mtimeNs: modified, ctimeNs: changed } = found;
    const hash = found.isSymbolicLink()
      ? createHash('sha256')
          .update(await readlink(path))
          .digest('hex')
      : size > limit
        ? null
        : await hashOf(path);
    return { size, modified, changed, hash };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** Null where it may not be read. */
async function hashOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EACCES' || code === 'EPERM') return null;
    throw error;
  }
  return hash.digest('hex');
}

/** The files that are not as they were, by path; lines are not counted, and a rename is a file less and one more. */
export function compareLooks(before: ScopeLook, after: ScopeLook): ChangedFile[] {
  const files: ChangedFile[] = [];
  const add = (path: string, status: ChangedFile['status']): void => {
    files.push({ path, from: null, status, linesAdded: null, linesRemoved: null });
  };
  for (const [path, seen] of after) {
    const earlier = before.get(path);
    if (earlier === undefined) add(path, 'added');
    else if (differs(earlier, seen)) add(path, 'modified');
  }
  for (const path of before.keys()) if (!after.has(path)) add(path, 'deleted');
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function differs(before: Seen, after: Seen): boolean {
  if (before.size !== after.size) return true;
  if (before.hash !== null && after.hash !== null) return before.hash !== after.hash;
  return before.modified !== after.modified || before.changed !== after.changed;
}

/** SHA-256 of what the files have become; null when none has changed. */
export async function contentHash(folder: string, files: readonly ChangedFile[]): Promise<string | null> {
  if (files.length === 0) return null;
  const hash = createHash('sha256');
  for (const { path, status } of files) {
    const seen = status === 'deleted' ? null : await see(join(folder, path), 2n ** 62n);
    hash.update(JSON.stringify([path, status, seen?.hash ?? null]));
  }
  return hash.digest('hex');
}
