/** What an attempt changed in its worktree, after everything it left was committed. */
import type { Changes } from '../domain/changes.ts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capture, type How } from './capture.ts';
import { notesOn } from './harvest-notes.ts';
import { isAncestor } from './merge-trees.ts';
import { gitRead, type Repository } from './repository.ts';
import { compareTrees, type TreeChanges } from './tree-changes.ts';
import type { Worktree } from './worktree.ts';

export interface Harvest {
  changes: Changes;
  /** The commit that holds everything; null when it could not be made. */
  commit: string | null;
  /** Why the worktree must stay; null when nothing would be lost with it. */
  missing: string | null;
  /** What came after the work was judged, in a sentence; null for nothing. */
  late: string | null;
}

/**
 * Captures a worktree and compares it with its start. Where its line was rebased, reset or switched so that it does
 * not contain the start any more, with the last commit that both have: what merging it would bring.
 */
export async function harvestWorktree(
  repository: Repository,
  worktree: Worktree,
  how: How,
): Promise<Harvest> {
  const captured = await capture(repository, worktree, how);
  if ('problem' in captured) return unknown(worktree, captured.problem);
  const compared = await compareWithStart(repository, worktree.owner.start, captured.commit);
  if ('problem' in compared) return unknown(worktree, compared.problem);
  const { changes, commits, notes } = compared;
  return {
    changes: {
      source: 'git',
      files: changes.files,
      commits,
      branch: captured.branch,
      base: worktree.owner.start,
      head: captured.commit,
      contentHash: changes.contentHash,
      notes: [...notes, ...captured.notes, ...notesOn(captured, worktree, changes, repository.prefix)],
    },
    commit: captured.commit,
    missing: captured.missing ?? unsafeSubmodule(worktree, changes),
    late: captured.late,
  };
}

const unknown = ({ owner }: Worktree, problem: string): Harvest => ({
  changes: {
    source: 'git',
    files: [],
    commits: [],
    branch: null,
    base: owner.start,
    head: null,
    contentHash: null,
    notes: [`What it changed is not known: ${problem}.`],
  },
  commit: null,
  missing: problem,
  late: null,
});

interface Compared {
  changes: TreeChanges;
  /** Oldest first. */
  commits: string[];
  notes: string[];
}

async function compareWithStart(
  repository: Repository,
  start: string,
  commit: string,
): Promise<Compared | { problem: string }> {
  const notes: string[] = [];
  let from = start;
  if (!(await isAncestor(repository, start, commit))) {
    const common = await gitRead(repository, ['merge-base', start, commit]);
    from = common.exitCode === 0 ? common.stdout.trim() : start;
    notes.push(
      common.exitCode === 0
        ? `Its commits do not contain the one it started from; compared with ${from}, the last that both have.`
        : 'Its commits have nothing in common with the one it started from.',
    );
  }
  const [changes, listed] = await Promise.all([
    compareTrees(repository, from, commit),
    gitRead(repository, ['rev-list', '--reverse', '--topo-order', commit, `^${start}`]),
  ]);
  if ('problem' in changes) return changes;
  return { changes, commits: listed.stdout.split('\n').filter((line) => line !== ''), notes };
}

/** What removing the worktree would lose: commits in a submodule that it got out and moved on. */
function unsafeSubmodule({ root }: Worktree, { gitlinks }: TreeChanges): string | null {
  const path = gitlinks.find((link) => existsSync(join(root, link, '.git')));
  return path === undefined ? null : `the submodule ${path} has commits that may be nowhere else`;
}
