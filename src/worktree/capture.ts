/** Makes everything that is in a worktree part of a commit, and the commit part of a ref. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { abandonedTips } from './abandoned.ts';
import { makeCommit } from './commit.ts';
import { type Before, keep, keepAbandoned } from './keep.ts';
import { keptOf, type KeptRef } from './kept-refs.ts';
import { type Look, lookAt } from './look.ts';
import { finishMaking } from './half-made.ts';
import { attemptRef } from './names.ts';
import { gitRead, type Repository } from './repository.ts';
import { type Basis, type Snapshot, takeSnapshot } from './snapshot.ts';
import { displaced, headOf, readIfThere, type Worktree } from './worktree.ts';

export interface Captured {
  /** The commit that holds everything. */
  commit: string;
  tree: string;
  branch: string | null;
  /** Submodules in the tree. */
  gitlinks: string[];
  look: Look;
  /** What was done with refs that a person may want to know. */
  notes: string[];
  /** What git could not add, in its own words; null when it added all. */
  incomplete: string | null;
  /** Filters that failed; their files are captured as they are on the disk. */
  unfiltered: string[];
  /** Why the worktree holds something that is in no commit; null when it does not. */
  missing: string | null;
}

const GONE = "The worktree's folder was gone; what was not committed in it is not known.";

export interface How {
  /** Of the commit, where one is needed. */
  subject: string;
  /** Whether its process is gone, so that a later one may have set the workstream's branch meanwhile. */
  rescued: boolean;
}

/** Beside the index; names the commit that holds everything, from the moment that removing begins. */
export const removingFile = (adminDir: string): string => join(adminDir, 'millrace-removing');

/**
 * Commits what is not committed and keeps it all. Doing it again with nothing changed makes nothing new. The
 * worktree's files and index stay as they are. Never rejects.
 */
export async function capture(
  repository: Repository,
  worktree: Worktree,
  how: How,
): Promise<Captured | { problem: string }> {
  try {
    if (how.rescued) await finishMaking(worktree);
    const elsewhere = await displaced(worktree.root);
    if (elsewhere !== null) return { problem: elsewhere };
    return await captureNow(repository, worktree, how);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

async function captureNow(
  repository: Repository,
  worktree: Worktree,
  { subject, rescued }: How,
): Promise<Captured | { problem: string }> {
  const { owner, root, adminDir } = worktree;
  const gone = !existsSync(root);
  if (gone) await mkdir(root, { recursive: true });
  const [look, head, refs, removing] = await Promise.all([
    lookAt(worktree),
    headOf(worktree),
    keptOf(repository, owner.runId, owner.workstreamId),
    readIfThere(removingFile(adminDir)),
  ]);
  if ('problem' in look) return look;
  const parent = removing ?? head ?? owner.start;
  const basis: Basis =
    !gone && removing === null && existsSync(join(adminDir, 'index'))
      ? { kind: 'index' }
      : { kind: 'commit', commit: parent };
  const snapshot = await takeSnapshot(worktree, basis, look);
  if ('problem' in snapshot) return snapshot;
  const made = await commitFor(repository, worktree, snapshot, parent, refs, subject);
  if ('problem' in made) return made;
  const notes = await keepAll(repository, worktree, made.commit, { refs, rescued });
  if ('problem' in notes) return notes;
  return {
    commit: made.commit,
    tree: snapshot.tree,
    branch: notes.branch,
    gitlinks: snapshot.gitlinks,
    look,
    notes: gone ? [...notes.notes, GONE] : notes.notes,
    incomplete: snapshot.missing,
    unfiltered: snapshot.unfiltered,
    missing: snapshot.missing ?? whatIsOutside(look),
  };
}

/** Work in repositories inside the worktree is in no commit of the repository around them. */
function whatIsOutside({ embedded, submodules }: Look): string | null {
  const [first] = [...embedded, ...submodules];
  return first === undefined
    ? null
    : `${first} is a repository of its own, and what is in it is not captured`;
}

/** The parent itself where nothing is uncommitted, the commit made before for the same content, or a new one. */
async function commitFor(
  repository: Repository,
  { owner }: Worktree,
  { tree }: Snapshot,
  parent: string,
  refs: readonly KeptRef[],
  subject: string,
): Promise<{ commit: string } | { problem: string }> {
  const committed = await gitRead(repository, ['rev-parse', '--verify', `${parent}^{tree}`]);
  if (committed.stdout.trim() === tree) return { commit: parent };
  const name = attemptRef(owner.runId, owner.workstreamId, owner.attempt);
  const before = refs.find((ref) => ref.name === name);
  if (before?.tree === tree && before.parents[0] === parent) return { commit: before.commit };
  return makeCommit(repository, {
    tree,
    parents: [parent],
    subject,
    trailers: {
      Run: owner.runId,
      Workstream: owner.workstreamId,
      Agent: owner.agentId,
      Attempt: owner.attempt,
    },
  });
}

async function keepAll(
  repository: Repository,
  worktree: Worktree,
  commit: string,
  before: Before,
): Promise<{ branch: string | null; notes: string[] } | { problem: string }> {
  const kept = await keep(repository, worktree, commit, before);
  if ('problem' in kept) return kept;
  const tips = await abandonedTips(repository, worktree, commit);
  if ('problem' in tips) return tips;
  const abandoned = await keepAbandoned(repository, worktree, tips, before.refs);
  if ('problem' in abandoned) return abandoned;
  const note = `Commits that it made and left again are kept as ${abandoned.join(', ')}.`;
  return { branch: kept.branch, notes: abandoned.length === 0 ? kept.notes : [...kept.notes, note] };
}
