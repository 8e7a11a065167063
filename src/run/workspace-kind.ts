import type { Workspace } from '../domain/workspaces.ts';
import type { Workstream } from '../domain/workstream.ts';

/** Where a workstream works: as it says, as the run says, or in a worktree of its own if it has a tool step. */
export function workspaceKind(
  { workspace, steps }: Pick<Workstream, 'workspace' | 'steps'>,
  ofTheRun: Workspace['kind'] | null,
): Workspace['kind'] {
  return workspace ?? ofTheRun ?? (steps.some(({ kind }) => kind === 'tool') ? 'worktree' : 'shared');
}
