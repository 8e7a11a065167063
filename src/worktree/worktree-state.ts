/** What `git status` says of a worktree beside its changes: what a snapshot can't hold. */
import { complaint, type GitResult, saidYes, splitNul } from './git.ts';
import { gitIn, type Worktree } from './worktree.ts';

export interface WorktreeState {
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

/** Looks without touching the index. Returns git's complaint where it can't. */
export async function inspectWorktree(worktree: Worktree): Promise<WorktreeState | { problem: string }> {
  const { result: status } = await passingOverFilters((args) => gitIn(worktree, args), STATUS);
  if (status.exitCode !== 0) return { problem: complaint(status) };
  const brought = new Set(worktree.brought);
  const loose = new Set<string>();
  const look: WorktreeState = {
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

function note(look: WorktreeState, kind: string, line: string, path: string): void {
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

// Filters of git that must not fail and do: without them every call that reads a file of theirs fails as a whole.

/** Options with which these filters may fail: their files then count as they are on the disk. */
const notRequired = (filters: readonly string[]): string[] =>
  filters.flatMap((name) => ['-c', `filter.${name}.required=false`]);

/** Options without the processes of these filters, of which each handles all files. */
const withoutProcess = (filters: readonly string[]): string[] =>
  filters.flatMap((name) => ['-c', `filter.${name}.process=`]);

/** What git says of a filter's process that ended too early, and ends itself. It does not say which it was. */
const HUNG_UP = /the remote end hung up unexpectedly/;

type Git = (args: readonly string[]) => Promise<GitResult>;

/**
 * Runs a command of git until no filter ends it that it was not told about. Returns the filters that failed (of
 * processes that ended too early all there are, because it may have been any of them), and the options with which they
 * do not matter to other calls that read the same files.
 */
export async function passingOverFilters(
  git: Git,
  command: readonly string[],
): Promise<{ result: GitResult; failed: string[]; options: string[] }> {
  const failed = new Set<string>();
  let processes: string[] = [];
  for (;;) {
    const options = [...withoutProcess(processes), ...notRequired([...failed])];
    const result = await git([...options, ...command]);
    const before = failed.size;
    if (result.exitCode !== 0) {
      const [, name] = /clean filter '(.+)' failed/.exec(result.stderr) ?? [];
      if (name === undefined && HUNG_UP.test(result.stderr)) processes = await filtersWithProcess(git);
      for (const each of name === undefined ? processes : [name]) failed.add(each);
    }
    if (failed.size === before) return { result, failed: [...failed], options };
  }
}

async function filtersWithProcess(git: Git): Promise<string[]> {
  const listed = await git(['config', '-z', '--name-only', '--get-regexp', '^filter\\..*\\.process$']);
  if (!saidYes(listed)) return [];
  return splitNul(listed.stdout).map((key) => key.slice('filter.'.length, -'.process'.length));
}
