/** Where workstreams work, so that one can't disturb another and everything they change is known. */
import type { Changes, Merge } from './changes.ts';
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
}

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
   * so nothing that follows can lose it.
   */
  harvest(workspace: Workspace): Promise<Changes>;
  /** Makes the work of this one, which was harvested, the workstream's, after others have worked on the same. */
  choose(workspace: Workspace): Promise<Changes>;
  /**
   * Copies what was harvested from a worktree.
   * @param length most characters of the text of the change.
   */
  copyForReview(workspace: Workspace, length: number): Promise<ReviewCopy | Failure>;
  /** Removes a copy with all that was written in it. Returns the tracked files that are not as they were. */
  discardCopy(copy: ReviewCopy): Promise<readonly string[]>;
  /** Takes accepted work into the run's own branch, one at a time. Rejects where git fails. */
  merge(workspace: Workspace): Promise<Merge>;
  /** Finds out what that would give, and merges nothing: conflicts with what was accepted before are known early. */
  predict(workspace: Workspace): Promise<Merge>;
  /**
   * Lets go of the folder; a worktree is removed only when everything in it is in a commit. Returns what a person should
   * know of it, in a sentence each: what changed after the work was looked at is kept and counts for nothing.
   */
  close(workspace: Workspace): Promise<readonly string[]>;
}

/** Whether a thing that may be a failure is one. */
export const isFailure = (value: Workspace | ReviewCopy | Failure): value is Failure => 'reason' in value;
