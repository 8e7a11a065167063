import type { Workspace } from '../domain/workspaces.ts';
import type { Workstream } from '../domain/workstream.ts';
import { canIsolate } from '../worktree/can-isolate.ts';

/**
 * Says of each workstream where it works: as it says itself, as the run says, or in a worktree of its own if it has a
 * tool step. One with a tree of its own is in nobody's way there, so it owns nothing of the common one.
 */
export function settleWorkspaces(
  workstreams: Workstream[],
  ofTheRun: Workspace['kind'] | null,
  cwd: string,
): Workstream[] {
  const kinds = workstreams.map((workstream) => kindOf(workstream, ofTheRun));
  if (!kinds.includes('worktree')) return workstreams;
  const isolated = canIsolate(cwd);
  return workstreams.map((workstream, index) =>
    kinds[index] === 'worktree'
      ? { ...workstream, workspace: 'worktree', scopes: isolated ? [] : workstream.scopes }
      : workstream,
  );
}

function kindOf({ workspace, steps }: Workstream, ofTheRun: Workspace['kind'] | null): Workspace['kind'] {
  return workspace ?? ofTheRun ?? (steps.some(({ kind }) => kind === 'tool') ? 'worktree' : 'shared');
}
