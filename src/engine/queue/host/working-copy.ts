/**
 * Copies of a folder that never changes, one for each agent. A copy is used again for the next workstream: what the one
 * before it had changed, added or removed is put right first, so that each finds the folder as it was packed. A copy
 * keeps its path, so that modules in it are compiled and loaded once.
 */
import { type BigIntStats, constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A copy that shares its blocks with the original, where the file system can do that. */
const { COPYFILE_FICLONE } = constants;
const AT_ONCE = 16;
/** Longer than a tick of the coarse clock of file systems: what is changed later has another time. */
const TICK_MS = 20;

interface Original {
  kind: 'folder' | 'file' | 'link';
  mode: number;
  /** Where a link leads. */
  target: string;
}

/** What a folder holds, by path relative to it. A folder comes before what is in it. */
export type FolderContent = ReadonlyMap<string, Original>;

export async function contentOf(folder: string): Promise<FolderContent> {
  const found = new Map<string, Original>();
  const read = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      const { mode } = await lstat(join(folder, path));
      if (entry.isDirectory()) {
        found.set(path, { kind: 'folder', mode, target: '' });
        await read(path);
      } else if (entry.isSymbolicLink()) {
        found.set(path, { kind: 'link', mode, target: await readlink(join(folder, path)) });
      } else if (entry.isFile()) found.set(path, { kind: 'file', mode, target: '' });
      // A pipe or a socket that the preparation left is not copied.
    }
  };
  await read('');
  return found;
}

export class WorkingCopy {
  readonly folder: string;
  readonly #original: string;
  readonly #content: FolderContent;
  /** How each of its parts looked when it was copied. */
  readonly #stamps = new Map<string, string>();

  /** @param folder where the copy is made: nothing is there yet. */
  constructor(folder: string, original: string, content: FolderContent) {
    this.folder = folder;
    this.#original = original;
    this.#content = content;
  }

  /** Makes it what the original is. Resolves with whether it was there, and not as it had been made. */
  async reset(): Promise<boolean> {
    await mkdir(this.folder, { recursive: true });
    await chmod(this.folder, 0o755);
    const wrong = await this.#compare();
    for (const path of wrong.added) await rm(join(this.folder, path), { recursive: true, force: true });
    const isNew = this.#stamps.size === 0;
    const isWritten = !isNew && wrong.added.length + wrong.differing.length > 0;
    if (wrong.differing.length === 0) return isWritten;
    await this.#copy(wrong.differing);
    await pause(TICK_MS);
    return isWritten;
  }

  /** Paths of what the original does not have, and of what is not as it was copied. */
  async #compare(): Promise<{ added: string[]; differing: string[] }> {
    const added: string[] = [];
    const seen = new Set<string>();
    const look = async (below: string): Promise<void> => {
      const entries = await readdir(join(this.folder, below));
      await inGroups(entries, async (name) => {
        const path = below === '' ? name : `${below}/${name}`;
        const stats = await lstat(join(this.folder, path), { bigint: true });
        const original = this.#content.get(path);
        if (original === undefined || kindOf(stats) !== original.kind) added.push(path);
        else if (original.kind === 'folder') {
          if (this.#stamps.get(path) === stampOf(stats)) seen.add(path);
          // What may not be read is not looked into before it may be again.
          else await chmod(join(this.folder, path), original.mode);
          await look(path);
        } else if (this.#stamps.get(path) === stampOf(stats)) seen.add(path);
        else added.push(path);
      });
    };
    await look('');
    return { added, differing: [...this.#content.keys()].filter((path) => !seen.has(path)) };
  }

  async #copy(paths: readonly string[]): Promise<void> {
    const of = (kind: Original['kind']): string[] =>
      paths.filter((path) => this.#content.get(path)?.kind === kind);
    for (const path of of('folder')) await mkdir(join(this.folder, path), { recursive: true });
    await inGroups(of('file'), (path) =>
      copyFile(join(this.#original, path), join(this.folder, path), COPYFILE_FICLONE),
    );
    for (const path of of('link'))
      await symlink(this.#content.get(path)?.target ?? '', join(this.folder, path));
    for (const path of of('folder').toReversed())
      await chmod(join(this.folder, path), this.#content.get(path)?.mode ?? 0o755);
    await inGroups(paths, async (path) => {
      this.#stamps.set(path, stampOf(await lstat(join(this.folder, path), { bigint: true })));
    });
  }
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_ONCE)
    await Promise.all(items.slice(from, from + AT_ONCE).map(work));
}

const kindOf = (stats: BigIntStats): Original['kind'] | null => {
  if (stats.isDirectory()) return 'folder';
  if (stats.isSymbolicLink()) return 'link';
  return stats.isFile() ? 'file' : null;
};

/** Of a folder only its mode: its times change with what is in it, which is compared by itself. */
const stampOf = (stats: BigIntStats): string =>
  stats.isDirectory()
    ? `${stats.mode}`
    : `${stats.mode}/${stats.size}/${stats.mtimeNs}/${stats.ctimeNs}/${stats.ino}/${stats.nlink}`;
