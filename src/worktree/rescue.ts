/** Saves what runs that were killed left in their worktrees, and clears the worktrees away. */
import { messageOf } from '../text/error-message.ts';
import { type Captured, type CaptureOptions, capture } from './capture.ts';
import { discardWorktree } from './create-worktree.ts';
import { withinLimits } from './git.ts';
import { unlockUnknown } from './half-made.ts';
import { harvestWorktree } from './harvest.ts';
import { listRefs } from './kept-refs.ts';
import { type LeftOver, listWorktrees } from './left-overs.ts';
import { TESTS } from './names.ts';
import { removeWorktree } from './remove-worktree.ts';
import type { Repository } from './repository.ts';
import type { Worktree } from './worktree.ts';

/** What became of one worktree of a run that is over. */
export interface Rescued {
  folder: string;
  runId: string;
  workstreamId: string;
  attempt: number;
  /** The commit that holds everything that was in it; null where it could not be made. */
  commit: string | null;
  removed: boolean;
  /** Why it is still there; null when it is gone, or was not to be removed. */
  why: string | null;
  /** What could not be captured or is to be known, in a sentence each: files that git ignores are not kept. */
  notes: string[];
}

/** Whether a run is known to be over although its process still exists; null when nothing is known of the run. */
export type IsOver = (runId: string) => boolean | null;

/** Longest that git may take with one worktree. */
const EACH_SECONDS = 600;

const NEVER: IsOver = () => null;

/** Whether no process works in it any more. */
export const isOver = ({ alive, worktree }: LeftOver, runIsOver: IsOver = NEVER): boolean =>
  !alive || runIsOver(worktree.owner.runId) === true;

/**
 * Commits and keeps what is in the worktrees of dead processes; their folders stay.
 * @param runId only of this run, which is this process's; null for all
 */
export async function rescue(repository: Repository, runId: string | null): Promise<Rescued[]> {
  const rescued: Rescued[] = [];
  for (const leftOver of await listWorktrees(repository)) {
    const { worktree } = leftOver;
    if (leftOver.alive || (runId !== null && worktree.owner.runId !== runId)) continue;
    if (worktree.owner.workstreamId === TESTS) {
      await discardWorktree(repository, worktree.root);
      continue;
    }
    const captured = await captureLeft(repository, worktree, runId);
    const commit = 'problem' in captured ? null : captured.commit;
    const why = 'problem' in captured ? captured.problem : captured.missing;
    const notes = 'problem' in captured ? [] : captured.notes;
    rescued.push({ ...nameOf(leftOver), commit, removed: false, why, notes });
  }
  return rescued;
}

function captureLeft(
  repository: Repository,
  worktree: Worktree,
  runId: string | null,
): Promise<Captured | { problem: string }> {
  const how = asRescued(worktree.owner.workstreamId);
  return withinLimits({ runId, seconds: EACH_SECONDS }, () => capture(repository, worktree, how)).catch(
    (error: unknown) => ({ problem: messageOf(error) }),
  );
}

/**
 * Does the same for every worktree whose run is over, and removes those that hold nothing else.
 * @param isMeant of a run; all by default.
 */
export async function prune(
  repository: Repository,
  runIsOver: IsOver = NEVER,
  isMeant: (runId: string) => boolean = () => true,
): Promise<Rescued[]> {
  const pruned: Rescued[] = [];
  await unlockUnknown(repository);
  for (const leftOver of await listWorktrees(repository)) {
    const { runId } = leftOver.worktree.owner;
    if (!isOver(leftOver, runIsOver) || !isMeant(runId)) continue;
    const limits = { runId: runIsOver(runId) === true ? runId : null, seconds: EACH_SECONDS };
    pruned.push(
      await withinLimits(limits, () => pruneOne(repository, leftOver)).catch((error: unknown) => {
        const why = messageOf(error);
        return { ...nameOf(leftOver), commit: null, removed: false, why, notes: [] };
      }),
    );
  }
  return pruned;
}

async function pruneOne(repository: Repository, leftOver: LeftOver): Promise<Rescued> {
  const { worktree } = leftOver;
  if (worktree.owner.workstreamId === TESTS) {
    await discardWorktree(repository, worktree.root);
    return { ...nameOf(leftOver), commit: null, removed: true, why: null, notes: [] };
  }
  const how = asRescued(worktree.owner.workstreamId);
  const { commit, missing, changes } = await harvestWorktree(repository, worktree, how);
  const safe = missing === null && commit !== null;
  const why = safe ? await removeWorktree(repository, worktree, commit) : missing;
  return { ...nameOf(leftOver), commit, removed: safe && why === null, why, notes: changes.notes };
}

const asRescued = (workstreamId: string): CaptureOptions => ({
  subject: `${workstreamId}: what its worktree held`,
  rescued: true,
});

function nameOf({ worktree }: LeftOver): Pick<Rescued, 'folder' | 'runId' | 'workstreamId' | 'attempt'> {
  const { runId, workstreamId, attempt } = worktree.owner;
  return { folder: worktree.root, runId, workstreamId, attempt };
}

/** The branches of all runs. */
export async function listBranches(repository: Repository): Promise<{ branch: string; commit: string }[]> {
  const refs = await listRefs(repository, 'refs/heads/millrace/');
  return refs.map(({ name, commit }) => ({ branch: name.slice('refs/heads/'.length), commit }));
}

/** The refs that keep what attempts of all runs left. */
export async function listKept(repository: Repository): Promise<{ ref: string; commit: string }[]> {
  const refs = await listRefs(repository, 'refs/millrace/');
  return refs
    .filter(({ name }) => !/\/_(?:base|predicted)$/.test(name))
    .map(({ name, commit }) => ({ ref: name, commit }));
}
