/** What an attempt changed in its worktree, after everything it left was committed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Changes } from '../domain/changes.ts';
import { messageOf } from '../text/error-message.ts';
import { type Captured, type CaptureOptions, capture } from './capture.ts';
import { outputOf, saidYes, splitNul } from './git.ts';
import { isAncestor, mergeTrees } from './merging/merge-trees.ts';
import { gitRead, type Repository } from './repository.ts';
import { compareTrees, relativeTo, type TreeChanges } from './tree-changes.ts';
import { listed, type Worktree } from './worktree.ts';

export interface Harvest {
  changes: Changes;
  /** The commit that holds what could be captured; null when none could be made. */
  commit: string | null;
  /** Whether that is everything that it left, so that it can be judged and built on. */
  complete: boolean;
  /** Why the worktree must stay; null when nothing would be lost with it. */
  missing: string | null;
  /** What came after the work was judged, in a sentence; null for nothing. */
  late: string | null;
}

/**
 * Captures a worktree and compares it with its start. Where its line was amended, rebased, reset or switched so that it
 * does not contain the start any more, what counts is what merging it would bring.
 */
export async function harvestWorktree(
  repository: Repository,
  worktree: Worktree,
  how: CaptureOptions,
): Promise<Harvest> {
  const captured = await capture(repository, worktree, how);
  if ('problem' in captured) return unknown(worktree, captured.problem, null);
  const compared = await compareWithStart(repository, worktree.owner.start, captured.commit).catch(asProblem);
  if ('problem' in compared) return unknown(worktree, compared.problem, captured.commit);
  const { changes, commits, notes } = compared;
  const complete = captured.uncaptured === null;
  return {
    changes: {
      source: 'git',
      files: changes.files,
      commits,
      branch: captured.branch,
      base: worktree.owner.start,
      head: complete ? captured.commit : null,
      contentHash: changes.contentHash,
      conflictMarkers: compared.conflictMarkers,
      notes: [...notes, ...captured.notes, ...notesOn(captured, worktree, changes, repository.prefix)],
    },
    commit: captured.commit,
    complete,
    missing: captured.missing ?? unsafeSubmodule(worktree, changes),
    late: captured.late,
  };
}

function asProblem(error: unknown): { problem: string } {
  return { problem: messageOf(error) };
}

const unknown = ({ owner, root }: Worktree, problem: string, commit: string | null): Harvest => ({
  changes: {
    source: 'git',
    files: [],
    commits: [],
    branch: null,
    base: owner.start,
    head: null,
    contentHash: null,
    conflictMarkers: [],
    notes: [`What it changed is not known: ${problem}. ${whereItIs(root)}`],
  },
  commit,
  complete: false,
  missing: problem,
  late: null,
});

interface Compared {
  changes: TreeChanges;
  /** Oldest first. */
  commits: string[];
  conflictMarkers: string[];
  notes: string[];
}

async function compareWithStart(
  repository: Repository,
  start: string,
  commit: string,
): Promise<Compared | { problem: string }> {
  const [{ from, to, note }, listed] = await Promise.all([
    whatCounts(repository, start, commit),
    gitRead(repository, ['rev-list', '--reverse', '--topo-order', commit, `^${start}`]),
  ]);
  const changes = await compareTrees(repository, from, to);
  if ('problem' in changes) return changes;
  const commits = outputOf(listed)
    .split('\n')
    .filter((line) => line !== '');
  const marked = changes.files.length === 0 ? [] : await conflictMarkers(repository, from, to);
  return {
    changes,
    commits,
    conflictMarkers: marked.map((path) => relativeTo(repository.prefix, path)),
    notes: note === null ? [] : [note],
  };
}

/** Two commits or trees whose difference is what the work changed. */
interface CommitRange {
  from: string;
  to: string;
  note: string | null;
}

async function whatCounts(repository: Repository, start: string, commit: string): Promise<CommitRange> {
  if (await isAncestor(repository, start, commit)) return { from: start, to: commit, note: null };
  const base = await gitRead(repository, ['merge-base', start, commit]);
  if (!saidYes(base)) {
    const note = 'Its commits have nothing in common with the one it started from.';
    return { from: start, to: commit, note };
  }
  const common = base.stdout.trim();
  const lost = `Its commits do not contain the one it started from; the last that both have is ${common}.`;
  const merged = await mergeTrees(repository, start, commit);
  return merged.kind === 'merged'
    ? { from: start, to: merged.tree, note: `${lost} What merging them brings is what it changed.` }
    : { from: common, to: commit, note: `${lost} They are compared with that.` };
}

/** What removing the worktree would lose: commits in a submodule that it got out and moved on. */
function unsafeSubmodule({ root }: Worktree, { gitlinks }: TreeChanges): string | null {
  const path = gitlinks.find((link) => existsSync(join(root, link, '.git')));
  return path === undefined ? null : `the submodule ${path} has commits that may be nowhere else`;
}

/** Most files that are searched. */
const MOST = 200;

/**
 * Files in which the marks of a conflict came between two commits or trees and are still there, relative to the root.
 * @throws GitError where git can't tell
 */
async function conflictMarkers(repository: Repository, from: string, to: string): Promise<string[]> {
  const only = [
    '-r',
    '-z',
    '--name-only',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--diff-filter=d',
  ];
  const changed = await gitRead(repository, ['diff-tree', ...only, '-G^<<<<<<< ', from, to, '--']);
  const paths = splitNul(outputOf(changed)).slice(0, MOST);
  if (paths.length === 0) return [];
  const both = ['--all-match', '-e', '^<<<<<<< ', '-e', '^>>>>>>> '];
  const literal = paths.map((path) => `:(top,literal)${path}`);
  const found = await gitRead(repository, ['grep', '-l', '-z', '-I', ...both, to, '--', ...literal]);
  return saidYes(found) ? splitNul(found.stdout).map((line) => line.slice(to.length + 1)) : [];
}

// What a snapshot can't say, as sentences.

/** One sentence a kind of thing that is not captured, or that a person should look at. */
function notesOn(
  { look, gitlinks, uncaptured, unfiltered }: Captured,
  { root }: Worktree,
  changes: TreeChanges,
  prefix: string,
): string[] {
  const empty = gitlinks.filter((path) => !existsSync(join(root, path, '.git')));
  const changed = [...new Set([...look.submodules, ...changes.gitlinks])];
  const kinds: [string, readonly string[]][] = [
    ['Ignored by git and not captured', look.ignored],
    ['Left in conflict by an unfinished merge', look.conflicted],
    ['Repositories of their own inside the worktree, not captured', look.embedded],
    ['Submodules that changed; what is in them is not captured', changed],
    ['Submodules, which start empty', empty],
  ];
  const notes = kinds
    .filter(([, paths]) => paths.length > 0)
    .map(([sentence, paths]) => `${sentence}: ${listed(paths.map((path) => relativeTo(prefix, path)))}.`);
  if (unfiltered.length > 0)
    notes.push(`Filters that failed, so that their files were captured as they are: ${listed(unfiltered)}.`);
  if (uncaptured === null) return notes;
  return [...notes, `Not everything that it left could be captured: ${uncaptured}. ${whereItIs(root)}`];
}

/** What a person does about work that could not be captured. */
const whereItIs = (root: string): string =>
  !existsSync(root)
    ? `The folder ${root} no longer exists.`
    : `The worktree stays, and everything is in it: ${root}. Save there what you need, or have git ignore it; once git can, \`millrace worktrees prune\` captures the rest and removes it.`;
