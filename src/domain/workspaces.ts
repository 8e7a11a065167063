/** Where workstreams work, so that one can't disturb another and everything they change is known. */
import type { Changes } from './changes.ts';
import type { Failure } from './failure.ts';
import type { Workstream } from './workstream.ts';

/** A folder that one attempt works in. */
export interface Workspace {
  /** Absolute path of the folder in which its commands run. */
  folder: string;
  /** A `worktree` is its own; `shared` is the folder that Millrace was started in. */
  kind: 'shared' | 'worktree';
  /** A shell line that prepares the folder, run by the agent before the steps; null for none. */
  setup: string | null;
}

/** Who did the work of an attempt, for the commit of what it left uncommitted. */
export interface Credit {
  tool: string;
  /** Null where it is not known. */
  model: string | null;
  /** US dollars; null where that is not known. */
  costUsd: number | null;
}

export interface WorkspaceLimits {
  seconds: number;
  /** Aborted when the run is interrupted. */
  signal: AbortSignal;
}

export interface WorkspaceRequest {
  workstream: Workstream;
  agentId: string;
  /** Counted from 1. A retry starts from a fresh workspace. */
  attempt: number;
  /** `shared` or `worktree`, already decided: `shared` for a tool step that does not say only where there is no repository. */
  kind: Workspace['kind'];
  /** Bounds for opening it, and again for finding out what was done in it. */
  limits: WorkspaceLimits;
  /** Workstreams that it builds on, whose work is in commits: it starts from their merged results. */
  parents: readonly string[];
  /** What an earlier session of the run has left of it, which is opened again. Default: nothing, it begins anew. */
  kept?: KeptWorkspace;
}

/**
 * What is left of a workspace: work in a commit, with the one that it started from, or the folder itself with all that is
 * in it.
 */
export type KeptWorkspace = { base: string; head: string } | { folder: string };

/** A copy of harvested work in a folder of its own, for somebody who only looks at it. */
export interface ReviewCopy {
  workspace: Workspace;
  /** The change as text, as `git diff` prints it. */
  diff: string;
  /** Whether something of the change is not in that. */
  isCut: boolean;
}

/** Gives out workspaces for one run. Nothing here rejects because of what a workstream did. */
export interface Workspaces {
  /** A folder to work in, or why there is none. */
  open(request: WorkspaceRequest): Promise<Workspace | Failure>;
  /**
   * What has changed in it since it was opened. Everything found is committed and kept under the workstream's branch,
   * so nothing that follows can lose it. Commits that were made in it stay as they are.
   */
  harvest(workspace: Workspace, credit?: Credit): Promise<Changes>;
  /** Makes the work of this one, which was harvested, the workstream's, after others have worked on the same. */
  choose(workspace: Workspace): Promise<Changes>;
  /**
   * Copies what was harvested from a worktree.
   * @param length most characters of the text of the change.
   */
  copyForReview(workspace: Workspace, length: number): Promise<ReviewCopy | Failure>;
  /** Removes a copy with all that was written in it. Returns the tracked files that are not as they were. */
  discardCopy(copy: ReviewCopy): Promise<readonly string[]>;
  /**
   * Lets go of the folder; a worktree is removed only when everything in it is in a commit. Returns what a person should
   * know of it, in a sentence each: what changed after the work was looked at is kept and counts for nothing.
   */
  close(workspace: Workspace): Promise<readonly string[]>;
  /**
   * The run's own branch.
   * @param predicts whether there is to be none, and it is only found out what could be merged.
   */
  merged(predicts: boolean): Promise<MergedBranch>;
}

/** Accepted work that is to be merged. */
export interface MergeWork {
  workstreamId: string;
  agentId: string;
  attempt: number;
  /** The commit that holds it. */
  commit: string;
}

/** The end of the run's own branch. */
export interface MergedTip {
  /** The commit that the run started from where nothing is merged yet. */
  commit: string;
  /** The name of the branch; empty where there is to be none. */
  branch: string;
  /** Folder of the work tree in which it is checked out, so that it can't be moved; null for none. */
  checkedOutIn: string | null;
}

/** A commit of the run's own branch that took in the work of a workstream. */
export interface MergedStep {
  workstreamId: string;
  commit: string;
}

/** Work joined with a commit: another commit, or that one where it has the work already. */
export type JoinedWork =
  | { kind: 'joined'; commit: string }
  | { kind: 'conflict'; conflictsWith: string[]; files: string[] }
  | { kind: 'failed'; detail: string };

/** The run's own branch, for one caller at a time. Each method rejects where git fails. */
export interface MergedBranch {
  tip(): Promise<MergedTip>;
  /** What is merged in it, the oldest first: that of earlier runs too, where this one started from their work. */
  history(): Promise<MergedStep[]>;
  /** Merges work with a commit. The branch stays where it is. */
  join(onto: string, work: MergeWork): Promise<JoinedWork>;
  /** Moves the branch. False where another process has moved it from `from` since. */
  advance(from: string, to: string): Promise<boolean>;
  /** A fresh worktree at a commit, for tests, or why there is none. */
  checkOut(
    commit: string,
    number: number,
    agentId: string,
    limits: WorkspaceLimits,
  ): Promise<Workspace | Failure>;
  /** Removes such a worktree with all that is in it. Returns the tracked files that tests have changed. */
  release(workspace: Workspace): Promise<readonly string[]>;
}

/** Whether a thing that may be a failure is one. */
export const isFailure = (value: Workspace | ReviewCopy | Failure): value is Failure => 'reason' in value;
