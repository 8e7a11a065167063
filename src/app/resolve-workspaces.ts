import { describeFailure } from '../domain/failure-message.ts';
import type { Broken, LoadedFolder, Problem } from '../domain/plan.ts';
import type { Workspace } from '../domain/workspaces.ts';
import { copyOf, type Workstream } from '../domain/workstream.ts';
import { noWorktree, whyNoWorktrees } from '../worktree/can-isolate.ts';

type Loaded = Pick<LoadedFolder, 'workstreams' | 'broken' | 'problems'>;

/**
 * Decides where each workstream works: as its definition says, as the run says, or in a worktree of its own if it has a
 * tool step. One with a worktree needs no locks on the shared folder, so its scopes are dropped. One that needs a
 * worktree where there can be none is broken, so that nothing of it starts; but outside of any repository a tool step
 * that does not ask for a worktree works in the shared folder.
 */
export function resolveWorkspaces<L extends Loaded>(
  loaded: L,
  ofTheRun: Workspace['kind'] | null,
  cwd: string,
): L {
  if (!loaded.workstreams.some((workstream) => wants(workstream, ofTheRun) !== null)) return loaded;
  const without = loaded.workstreams.some((workstream) => wants(workstream, ofTheRun) === 'worktree')
    ? whyNoWorktrees(cwd)
    : null;
  const workstreams: Workstream[] = [];
  const broken: Broken[] = [];
  for (const workstream of loaded.workstreams) {
    const wanted = wants(workstream, ofTheRun);
    const isAsked = (workstream.workspace ?? ofTheRun) !== null;
    if (wanted === null || (wanted === 'worktree' && without?.inside === false && !isAsked))
      workstreams.push(workstream);
    else if (wanted === 'shared') workstreams.push(copyOf(workstream, { workspace: wanted }));
    else if (without === null) workstreams.push(copyOf(workstream, { workspace: wanted, scopes: [] }));
    else broken.push(breakIt(workstream, without.why));
  }
  return {
    ...loaded,
    workstreams,
    broken: [...loaded.broken, ...broken],
    problems: [...loaded.problems, ...broken.map(asProblem)],
  };
}

/** Null for a workstream that works in the shared folder by default. */
function wants(
  { workspace, steps }: Workstream,
  ofTheRun: Workspace['kind'] | null,
): Workspace['kind'] | null {
  const asked = workspace ?? ofTheRun;
  if (asked === 'worktree') return asked;
  return steps.some(({ kind }) => kind === 'tool') ? (asked ?? 'worktree') : workspace;
}

const breakIt = ({ id, title, source }: Workstream, why: string): Broken => ({
  id,
  title,
  source,
  failure: { reason: 'workspace-error', detail: noWorktree(why) },
});

const asProblem = ({ id, source, failure }: Broken): Problem => ({
  severity: 'error',
  file: source.file,
  line: null,
  column: null,
  path: '',
  message: `${id}: ${describeFailure(failure)}`,
  workstreamId: id,
});
