/** Makes everything that is in a worktree part of a commit, and the commit part of a ref. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credit } from '../domain/workspaces.ts';
import { messageOf } from '../text/error-message.ts';
import { oneLine } from '../text/printable.ts';
import { makeCommit } from './commit.ts';
import { complaint, outputOf } from './git.ts';
import { finishMaking, remakeIndex, removeIfEmpty } from './half-made.ts';
import { type Before, keep, keepAbandoned, keepLater, ofAttempt } from './keep.ts';
import { type KeptRef, keptOf } from './kept-refs.ts';
import { attemptRef } from './names.ts';
import { gitRead, type Repository } from './repository.ts';
import { type Basis, type Snapshot, takeSnapshot } from './snapshot.ts';
import { displaced, headOf, movedAway, readIfThere, type Worktree } from './worktree.ts';
import { inspectWorktree, type WorktreeState } from './worktree-state.ts';

export interface Captured {
  /** The commit that holds everything. */
  commit: string;
  tree: string;
  branch: string | null;
  /** Submodules in the tree. */
  gitlinks: string[];
  look: WorktreeState;
  /** What a person may want to know about refs that were set. */
  notes: string[];
  /** Where changes that came after the judgement are kept, in a sentence; null for none. */
  late: string | null;
  /** Why something that it left is in no commit, so that nothing may be built on this commit; null when all is. */
  uncaptured: string | null;
  /** Filters that failed; their files are captured as they are on the disk. */
  unfiltered: string[];
  /** Why the worktree may hold something that is in no commit; null when it does not. */
  missing: string | null;
}

const GONE = "The worktree's folder was gone; what was not committed in it is not known.";

export interface CaptureOptions {
  /** Of the commit, where one is needed. */
  subject: string;
  /** Whether its process is gone, so that a later one may have set the workstream's branch meanwhile. */
  rescued: boolean;
  /**
   * The commit by which its work was judged. What differs from it came too late: it is kept beside that, and neither
   * the attempt's ref nor the branch moves. Default: none.
   */
  judged?: string;
  /** Who did the work. Default: not known. */
  credit?: Credit | null;
  /** Default: none. */
  coAuthors?: readonly string[];
}

/** Beside the index; names the commit that holds everything, from the moment that removing begins. */
export const removingFile = (adminDir: string): string => join(adminDir, 'millrace-removing');

/**
 * Commits what is not committed and keeps all of it. Idempotent while nothing changes. The
 * worktree's files and index stay as they are. Never rejects.
 */
export async function capture(
  repository: Repository,
  worktree: Worktree,
  how: CaptureOptions,
): Promise<Captured | { problem: string }> {
  try {
    if (how.rescued) await finishMaking(worktree);
    const elsewhere = (await displaced(worktree.root)) ?? (await movedAway(worktree));
    if (elsewhere !== null) return { problem: elsewhere };
    if (existsSync(worktree.root)) return await captureNow(repository, worktree, how, false);
    // Git needs a folder to run in. It is removed again, so that the next check finds none.
    await mkdir(worktree.root, { recursive: true });
    const captured = await captureNow(repository, worktree, how, true);
    await removeIfEmpty(worktree.root);
    return captured;
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

async function captureNow(
  repository: Repository,
  worktree: Worktree,
  how: CaptureOptions,
  gone: boolean,
): Promise<Captured | { problem: string }> {
  const { owner, adminDir } = worktree;
  const [look, head, refs, removing] = await Promise.all([
    lookAgain(worktree),
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
  const made = await commitFor(repository, worktree, snapshot, parent, refs, how);
  if ('problem' in made) return made;
  const notes = await keepAll(repository, worktree, made.commit, { refs, how });
  if ('problem' in notes) return notes;
  return {
    commit: made.commit,
    tree: snapshot.tree,
    branch: notes.branch,
    gitlinks: snapshot.gitlinks,
    look,
    notes: gone ? [...notes.notes, GONE] : notes.notes,
    late: notes.late,
    uncaptured:
      gone && made.commit === owner.start
        ? 'its folder was gone, and it had committed nothing'
        : (snapshot.missing ?? whatIsOutside([...look.embedded, ...look.editedSubmodules])),
    unfiltered: snapshot.unfiltered,
    missing: snapshot.missing ?? whatIsOutside([...look.embedded, ...look.submodules]),
  };
}

async function lookAgain(worktree: Worktree): Promise<WorktreeState | { problem: string }> {
  const look = await inspectWorktree(worktree);
  return 'problem' in look && (await remakeIndex(worktree, look.problem)) ? inspectWorktree(worktree) : look;
}

/** Work in repositories inside the worktree is in no commit of the repository around them. */
function whatIsOutside([first]: readonly string[]): string | null {
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
  { subject, credit = null, coAuthors = [] }: CaptureOptions,
): Promise<{ commit: string } | { problem: string }> {
  const committed = await gitRead(repository, ['rev-parse', '--verify', `${parent}^{tree}`]);
  if (outputOf(committed).trim() === tree) return { commit: parent };
  const name = attemptRef(owner.runId, owner.workstreamId, owner.attempt);
  const before = ofAttempt(name, refs).find((ref) => ref.tree === tree && ref.parents[0] === parent);
  if (before !== undefined) return { commit: before.commit };
  return makeCommit(repository, {
    tree,
    parents: [parent],
    subject,
    trailers: {
      Run: owner.runId,
      Workstream: owner.workstreamId,
      Agent: owner.agentId,
      Attempt: owner.attempt,
      ...(credit?.model == null ? {} : { Model: oneLine(credit.model, 200) }),
      ...(credit?.costUsd == null ? {} : { 'Cost-USD': credit.costUsd }),
    },
    tool: credit?.tool ?? null,
    coAuthors,
  });
}

async function keepAll(
  repository: Repository,
  worktree: Worktree,
  commit: string,
  { refs, how: { rescued, judged } }: { refs: readonly KeptRef[]; how: CaptureOptions },
): Promise<{ branch: string | null; notes: string[]; late: string | null } | { problem: string }> {
  const before: Before = { refs, rescued };
  const isLate = judged !== undefined && judged !== commit;
  const kept = isLate
    ? await keepLater(repository, worktree, commit, refs)
    : await keep(repository, worktree, commit, before);
  if ('problem' in kept) return kept;
  const tips = await abandonedTips(repository, worktree, commit);
  if ('problem' in tips) return tips;
  const abandoned = await keepAbandoned(repository, worktree, tips, refs);
  if ('problem' in abandoned) return abandoned;
  const note = `Commits that it made and left again are kept as ${abandoned.join(', ')}.`;
  const notes = abandoned.length === 0 ? kept.notes : [...kept.notes, note];
  return { branch: kept.branch, notes, late: isLate ? kept.notes.join(' ') : null };
}

// Commits that were checked out in a worktree once and that no ref reaches any more.

/** The last of each chain of them. Only the worktree's own log of HEAD lists them, and it is removed with the worktree. */
async function abandonedTips(
  repository: Repository,
  { adminDir, owner }: Worktree,
  kept: string,
): Promise<string[] | { problem: string }> {
  const log = (await readIfThere(join(adminDir, 'logs', 'HEAD'))) ?? '';
  const seen = new Set(log.split('\n').flatMap((line) => line.split(' ', 2).filter(isCommit)));
  seen.delete(owner.start);
  seen.delete(kept);
  if (seen.size === 0) return [];
  const listed = await gitRead(
    repository,
    ['rev-list', '--parents', '--ignore-missing', '--stdin', '--single-worktree', '--not', '--all'],
    { input: [...seen, `^${kept}`].join('\n') },
  );
  if (listed.exitCode !== 0) return { problem: complaint(listed) };
  const lines = listed.stdout.split('\n').filter((line) => line !== '');
  const parents = new Set(lines.flatMap((line) => line.split(' ').slice(1)));
  return lines.map((line) => line.split(' ', 1)[0] ?? '').filter((commit) => !parents.has(commit));
}

const isCommit = (text: string): boolean => /^[0-9a-f]{40,64}$/.test(text) && !/^0+$/.test(text);
