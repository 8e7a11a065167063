/** What `git status` says of a worktree beside its changes: what a snapshot can't hold. */
import { passingOverFilters } from './filters.ts';
import { complaint, splitNul } from './git.ts';
import { gitIn, type Worktree } from './worktree.ts';

export interface Look {
  /** Repositories inside it that are no submodules, with a `/` at the end. */
  embedded: string[];
  /** Submodules in which something is not as the commit says. */
  submodules: string[];
  /** Those of them whose tracked files differ from their own commit. */
  editedSubmodules: string[];
  /** Files left in conflict by a merge or a rebase that was not finished. */
  conflicted: string[];
  /** Files and folders that git ignores, without what Millrace brought. */
  ignored: string[];
  /** What Millrace brought and git does not ignore. */
  loose: string[];
  /** Whether anything differs from the commit that is checked out. */
  dirty: boolean;
}

/** Fields before the path, by the kind of line. */
const FIELDS: Record<string, number> = { '1': 8, '2': 9, u: 10 };

const STATUS = [
  'status',
  '--porcelain=v2',
  '-z',
  '--untracked-files=all',
  '--ignored=matching',
  '--ignore-submodules=none',
];

/** Looks without touching the index. Gives git's complaint where it can't. */
export async function lookAt(worktree: Worktree): Promise<Look | { problem: string }> {
  const { result: status } = await passingOverFilters((args) => gitIn(worktree, args), STATUS);
  if (status.exitCode !== 0) return { problem: complaint(status) };
  const brought = new Set(worktree.brought);
  const loose = new Set<string>();
  const look: Look = {
    embedded: [],
    submodules: [],
    editedSubmodules: [],
    conflicted: [],
    ignored: [],
    loose: [],
    dirty: false,
  };
  const lines = splitNul(status.stdout)[Symbol.iterator]();
  for (const line of lines) {
    const kind = line[0] ?? '';
    const path = pathOf(line, kind);
    // The path before a rename is an entry of its own.
    if (kind === '2') lines.next();
    const item = itemAround(path.replace(/\/$/, ''), brought);
    if (item === null) note(look, kind, line, path);
    else if (kind === '?') loose.add(item);
  }
  return { ...look, loose: [...loose] };
}

function note(look: Look, kind: string, line: string, path: string): void {
  if (kind === '!') {
    look.ignored.push(path);
    return;
  }
  look.dirty = true;
  if (kind === '?' && path.endsWith('/')) look.embedded.push(path);
  if (kind === 'u') look.conflicted.push(path);
  // `S` and whether its commit changed, whether it has changes, whether it has untracked files.
  if (/^[12] .. S/.test(line)) look.submodules.push(path);
  if (/^[12] .. S.M/.test(line)) look.editedSubmodules.push(path);
}

function pathOf(line: string, kind: string): string {
  const fields = FIELDS[kind] ?? 1;
  let start = 0;
  for (let field = 0; field < fields; field += 1) start = line.indexOf(' ', start) + 1;
  return line.slice(start);
}

/** The one of `paths` that is a path itself or a folder it is in; null for none. */
function itemAround(path: string, paths: ReadonlySet<string>): string | null {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const item = path.slice(0, end);
    if (paths.has(item)) return item;
  }
  return null;
}
