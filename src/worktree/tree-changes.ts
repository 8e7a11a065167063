/** The files in which two commits differ. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { ChangedFile } from '../domain/changes.ts';
import { complaint, splitNul } from './git.ts';
import { gitRead, type Repository } from './repository.ts';

export interface TreeChanges {
  files: ChangedFile[];
  /** SHA-256 of what the files have become; null when none has changed. */
  contentHash: string | null;
  /** Submodules among the files. */
  gitlinks: string[];
}

/** One line of `diff-tree --raw`. */
interface TreeEntry {
  status: string;
  mode: string;
  blob: string;
  path: string;
  from: string | null;
}

interface Counts {
  added: number | null;
  removed: number | null;
}

const GITLINK = '160000';

/** Compares two commits or trees. Paths are relative to the folder that Millrace was started in. */
export async function compareTrees(
  repository: Repository,
  before: string,
  after: string,
): Promise<TreeChanges | { problem: string }> {
  const args = ['-r', '-z', '-M', '--raw', '--numstat', '--no-ext-diff', '--ignore-submodules=none'];
  const result = await gitRead(repository, ['diff-tree', ...args, before, after, '--']);
  if (result.exitCode !== 0) return { problem: complaint(result) };
  const { entries, counts } = parse(splitNul(result.stdout));
  return {
    files: entries.map((entry) => toFile(entry, counts.get(entry.path), repository.prefix)),
    contentHash: entries.length === 0 ? null : hash(entries),
    gitlinks: entries.filter(({ mode }) => mode === GITLINK).map(({ path }) => path),
  };
}

/** All raw lines come first, each followed by its path or two, then the counts. */
function parse(parts: readonly string[]): { entries: TreeEntry[]; counts: Map<string, Counts> } {
  const entries: TreeEntry[] = [];
  const counts = new Map<string, Counts>();
  const rest = parts[Symbol.iterator]();
  const next = (): string => String(rest.next().value ?? '');
  for (const part of rest) {
    if (part.startsWith(':')) {
      const [, mode = '', , blob = '', status = ''] = part.split(' ');
      const renamed = status.startsWith('R');
      const first = next();
      entries.push({
        mode,
        blob,
        status: status[0] ?? '',
        path: renamed ? next() : first,
        from: renamed ? first : null,
      });
    } else {
      const [, added = '', removed = '', path = ''] = /^([^\t]*)\t([^\t]*)\t([^]*)$/.exec(part) ?? [];
      // Of a renamed file both paths follow.
      if (path === '') next();
      counts.set(path === '' ? next() : path, { added: number(added), removed: number(removed) });
    }
  }
  return { entries, counts };
}

/** `-` for a binary file. */
const number = (text: string): number | null => (/^\d+$/.test(text) ? Number(text) : null);

const STATUS: Record<string, ChangedFile['status']> = { A: 'added', D: 'deleted', R: 'renamed' };

function toFile(
  { status, mode, path, from }: TreeEntry,
  counts: Counts | undefined,
  prefix: string,
): ChangedFile {
  const countable = mode !== GITLINK;
  return {
    path: relativeTo(prefix, path),
    from: from === null ? null : relativeTo(prefix, from),
    status: STATUS[status] ?? 'modified',
    linesAdded: countable ? (counts?.added ?? null) : null,
    linesRemoved: countable ? (counts?.removed ?? null) : null,
  };
}

/** A path of the repository as seen from a folder in it: `../b` where it is outside. */
export const relativeTo = (prefix: string, path: string): string =>
  prefix === '' ? path : posix.relative(prefix, path);

/** Of what is there now and of what is no more, not of where it started: the same work has the same hash. */
function hash(entries: readonly TreeEntry[]): string {
  const lines = entries.map((entry) =>
    JSON.stringify([entry.path, entry.from, entry.status, entry.mode, entry.blob]),
  );
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');
}
