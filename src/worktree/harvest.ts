/** What an attempt changed in its worktree, after everything it left was committed. */
import type { Changes } from '../domain/changes.ts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capture, type How } from './capture.ts';
import { outputOf, saidYes } from './git.ts';
import { notesOn, whereItIs } from './harvest-notes.ts';
import { conflictMarkers } from './conflict-markers.ts';
import { isAncestor, mergeTrees } from './merge-trees.ts';
import { gitRead, type Repository } from './repository.ts';
import { compareTrees, relativeTo, type TreeChanges } from './tree-changes.ts';
import type { Worktree } from './worktree.ts';

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
  how: How,
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
  return { problem: error instanceof Error ? error.message : String(error) };
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
interface Difference {
  from: string;
  to: string;
  note: string | null;
}

async function whatCounts(repository: Repository, start: string, commit: string): Promise<Difference> {
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
