/** The commit that a worktree starts from: the run's base with the results of those it depends on. */
import type { Failure } from '../domain/failure.ts';
import { makeCommit } from './commit.ts';
import { isAncestor, mergeTrees } from './merging/merge-trees.ts';
import type { Repository } from './repository.ts';
import { relativeTo } from './tree-changes.ts';

/** A workstream's result, by the commit that holds it. */
export interface ParentCommit {
  workstreamId: string;
  commit: string;
}

type Joined = { commit: string } | Failure;

/**
 * Merges the results into `base`, in their order, without a checkout. Two that conflict are a `merge-conflict` that
 * names both and the files.
 */
export async function startPoint(
  repository: Repository,
  runId: string,
  base: string,
  parents: readonly ParentCommit[],
): Promise<Joined> {
  let commit = base;
  for (const [index, parent] of parents.entries()) {
    const joined = await join(repository, runId, commit, parent, parents.slice(0, index));
    if (!('commit' in joined)) return joined;
    commit = joined.commit;
  }
  return { commit };
}

async function join(
  repository: Repository,
  runId: string,
  commit: string,
  parent: ParentCommit,
  earlier: readonly ParentCommit[],
): Promise<Joined> {
  if (await isAncestor(repository, parent.commit, commit)) return { commit };
  if (await isAncestor(repository, commit, parent.commit)) return { commit: parent.commit };
  const merged = await mergeTrees(repository, commit, parent.commit);
  if (merged.kind === 'failed') return { reason: 'workspace-error', detail: merged.problem };
  if (merged.kind === 'conflict') {
    const others = await whoConflicts(repository, parent, earlier);
    const files = merged.files.map((path) => relativeTo(repository.prefix, path));
    return { reason: 'merge-conflict', between: [...others, parent.workstreamId], files };
  }
  const made = await makeCommit(repository, {
    tree: merged.tree,
    parents: [commit, parent.commit],
    subject: `Start from ${[...earlier, parent].map(({ workstreamId }) => workstreamId).join(', ')}`,
    trailers: { Run: runId },
  });
  return 'problem' in made ? { reason: 'workspace-error', detail: made.problem } : made;
}

/** Those of the earlier parents that conflict with it pair by pair; all of them where only the whole does. */
async function whoConflicts(
  repository: Repository,
  parent: ParentCommit,
  earlier: readonly ParentCommit[],
): Promise<string[]> {
  const found: string[] = [];
  for (const { workstreamId, commit } of earlier) {
    if ((await mergeTrees(repository, commit, parent.commit)).kind === 'conflict') found.push(workstreamId);
  }
  return found.length > 0 ? found : earlier.map(({ workstreamId }) => workstreamId);
}
