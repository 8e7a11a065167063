/** Workspaces that are the folder Millrace was started in: what changes there is known by looking, before and after. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import picomatch from 'picomatch';
import { glob } from 'tinyglobby';
import type { ChangedFile, Changes } from '../domain/changes.ts';
import type { Workstream } from '../domain/workstream.ts';
import { picomatchLiteral } from './copy-ignored-files.ts';
import { listed } from './worktree.ts';

/** A workstream and what it owns. */
interface Owner {
  readonly workstreamId: string;
  readonly scopes: readonly string[];
}

/** One attempt in the shared folder. */
export interface FolderUse {
  readonly owner: Owner;
  readonly before: ScopeLook;
  /** Those that were there at the same time, at any moment of it. */
  readonly beside: Set<Owner>;
}

/** Keeps account of who is in the folder when. */
export class SharedFolder {
  readonly #folder: string;
  readonly #stateFolder: string;
  readonly #active = new Set<FolderUse>();

  constructor(folder: string, stateFolder: string) {
    this.#folder = folder;
    this.#stateFolder = stateFolder;
  }

  /** Looks at the scopes of a workstream that is about to begin. @throws where a file can't be looked at */
  async enter({ id, filesScope, filesCreate }: Workstream): Promise<FolderUse> {
    const scopes = [...new Set([...filesScope, ...filesCreate])];
    const before = await lookAtScopes(this.#folder, scopes, this.#stateFolder);
    const owner = { workstreamId: id, scopes };
    const stay: FolderUse = { owner, before, beside: new Set([...this.#active].map((other) => other.owner)) };
    for (const other of this.#active) other.beside.add(owner);
    this.#active.add(stay);
    return stay;
  }

  /**
   * What has changed in its scopes since it entered, without what others who were there at the same time own too.
   * From here on it counts as gone. @throws where a file can't be looked at
   */
  async changes(stay: FolderUse, notes: readonly string[]): Promise<Changes> {
    const after = await lookAtScopes(this.#folder, stay.owner.scopes, this.#stateFolder);
    this.leave(stay);
    const { own, disputed } = attribute(stay, compareLooks(stay.before, after));
    const silent = [...stay.beside].filter(({ scopes }) => scopes.length === 0);
    return {
      source: 'scope-look',
      files: own,
      commits: [],
      branch: null,
      base: null,
      head: null,
      contentHash: await contentHash(this.#folder, own),
      conflictMarkers: [],
      notes: [
        ...notes,
        ...(stay.owner.scopes.length === 0
          ? ['It names no files_scope, so what it changed is not known.']
          : []),
        ...[...disputed].map(
          ([other, paths]) =>
            `${other} ran at the same time and owns these files too, so who changed them is not known: ${listed(paths)}.`,
        ),
        ...(own.length > 0 && silent.length > 0 ? [silentNote(silent)] : []),
      ],
    };
  }

  /** It is no longer at work. */
  leave(stay: FolderUse): void {
    this.#active.delete(stay);
  }
}

/** Divides changes into its own and those that others may have made, by who that is. */
function attribute(
  { beside }: FolderUse,
  files: readonly ChangedFile[],
): { own: ChangedFile[]; disputed: Map<string, string[]> } {
  const others = [...beside].map(({ workstreamId, scopes }) => ({ workstreamId, owns: matcher(scopes) }));
  const disputed = new Map<string, string[]>();
  const own = files.filter(({ path }) => {
    const owners = others.filter(({ owns }) => owns(path));
    for (const { workstreamId } of owners)
      disputed.set(workstreamId, [...(disputed.get(workstreamId) ?? []), path]);
    return owners.length === 0;
  });
  return { own, disputed };
}

/** Whether a path is in the scopes, or below one that is a folder. */
function matcher(scopes: readonly string[]): (path: string) => boolean {
  const { owned, ignored } = splitScopes(scopes);
  if (owned.length === 0) return () => false;
  const withFolders = owned.flatMap((scope) => [scope, `${scope.replace(/\/$/, '')}/**`]);
  return picomatch(withFolders, { dot: true, ignore: ignored });
}

function silentNote(silent: readonly Owner[]): string {
  const ids = listed(silent.map(({ workstreamId }) => workstreamId));
  return `Also at work at the same time, without a files_scope, so they may have changed these files: ${ids}.`;
}

// What the files of a scope are like at one moment, so that two moments can be compared.

interface FileVersion {
  size: bigint;
  /** Nanoseconds: last change of its content, and of anything about it. */
  modified: bigint;
  changed: bigint;
  /** SHA-256 in hex; null for a file that is too large to read each time, or can't be read. */
  hash: string | null;
}

/** By path, relative to the folder. */
type ScopeLook = ReadonlyMap<string, FileVersion>;

/** Files above this many bytes are judged by size and time before a workstream, and read only if they changed. */
const LARGE = 32_000_000n;

/** Files read at the same time. */
const READERS = 8;

/** Globs as tinyglobby and picomatch take them: what owns, and what is taken away from that. */
function splitScopes(scopes: readonly string[]): { owned: string[]; ignored: string[] } {
  const isNegated = (scope: string): boolean => scope.startsWith('!') && scope[1] !== '(';
  const normal = (scope: string): string => scope.replace(/^\.\//, '');
  const owned = scopes.filter((scope) => !isNegated(scope)).map(normal);
  const ignored = scopes.filter(isNegated).map((scope) => normal(scope.slice(1)));
  return { owned: owned.length === 0 && ignored.length > 0 ? ['**'] : owned, ignored };
}

/** Looks at every file of the scopes below `folder`. A folder means everything in it. */
async function lookAtScopes(
  folder: string,
  scopes: readonly string[],
  stateFolder: string,
): Promise<ScopeLook> {
  const paths = await filesOf(folder, scopes, stateFolder);
  const look = new Map<string, FileVersion>();
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
async function see(path: string, limit: bigint): Promise<FileVersion | null> {
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
function compareLooks(before: ScopeLook, after: ScopeLook): ChangedFile[] {
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

function differs(before: FileVersion, after: FileVersion): boolean {
  if (before.size !== after.size) return true;
  if (before.hash !== null && after.hash !== null) return before.hash !== after.hash;
  return before.modified !== after.modified || before.changed !== after.changed;
}

/** SHA-256 of what the files have become; null when none has changed. */
async function contentHash(folder: string, files: readonly ChangedFile[]): Promise<string | null> {
  if (files.length === 0) return null;
  const hash = createHash('sha256');
  for (const { path, status } of files) {
    const seen = status === 'deleted' ? null : await see(join(folder, path), 2n ** 62n);
    hash.update(JSON.stringify([path, status, seen?.hash ?? null]));
  }
  return hash.digest('hex');
}
