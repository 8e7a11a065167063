/** What keeps workstreams of one run from running beside those of another that uses the same database. */

/** What a workstream has to hold while it runs. */
export interface LockRequest {
  workstreamId: string;
  /** Nothing of any other run may run beside it. */
  alone: boolean;
  conflictGroups: readonly string[];
  /** Absolute paths that it owns, each with all below it. */
  paths: readonly string[];
}

/**
 * What the acceptance tests of merged workstreams have to hold while they are run: what these workstreams hold while
 * they do, but for their scopes, because the tests have a worktree of their own.
 */
export type TestHold = Pick<LockRequest, 'alone' | 'conflictGroups'>;

/** One thing that a run holds. */
export interface HeldLock {
  runId: string;
  /** Empty for `busy`. */
  workstreamId: string;
  /** `busy`: the run has workstreams in hand. `alone`: nothing may run beside this workstream. */
  kind: 'busy' | 'alone' | 'group' | 'scope';
  /** The conflict group, or the path; empty for the other kinds. */
  name: string;
  /** Whether the process of its run is gone: what that left may still be at work. */
  isLeft: boolean;
}

/** The locks of one run, in a table that all runs of a database see. Never throws because of the database. */
export interface LockTable {
  /** Takes everything at once, or nothing: then says what another run holds of it. */
  take(request: LockRequest): HeldLock | null;
  /** Says that the run has workstreams in hand, unless another run has one that runs alone: then gives that. */
  takeBusy(): HeldLock | null;
  /** Gives up what a workstream holds. */
  release(workstreamId: string): void;
  /** Says that the run has nothing in hand. */
  releaseBusy(): void;
  /** Whether a run that is alive holds it still: not when that has given it up, has ended, or its process is gone. */
  isHeld(lock: HeldLock): boolean;
}

/** Whether what another run holds keeps this workstream from running. */
export function keepsFrom(held: HeldLock, request: LockRequest): boolean {
  switch (held.kind) {
    case 'alone':
      return true;
    case 'busy':
      return request.alone;
    case 'group':
      return request.conflictGroups.includes(held.name);
    case 'scope':
      return request.paths.some((path) => isInside(path, held.name) || isInside(held.name, path));
  }
}

const isInside = (path: string, area: string): boolean =>
  path === area || area === '/' || path.startsWith(`${area}/`);

/** Keeps workstreams of a run from running beside those of other runs. A workstream is its position in the plan. */
export interface Gate {
  /** Whether nothing at all may be started for now. */
  readonly isShut: boolean;
  /**
   * Whether a workstream that may run as far as its own run is concerned may also run beside what other runs have in
   * hand. Takes what it has to hold, all of it or nothing. One that was refused may be asked for again once
   * something was given up.
   */
  admit(index: number): boolean;
  /** Says that it does not run any more, or was not begun. */
  leave(index: number): void;
}

/** Of a run that has its database for itself. */
export const OPEN_GATE: Gate = { isShut: false, admit: () => true, leave: () => undefined };
