/** The refs that keep a workstream's work: one an attempt, and the branch of the last. */
import { outputOf, splitNul } from './git.ts';
import { attemptRefs, branchRef, workstreamBranch } from './names.ts';
import { gitRead, type Repository } from './repository.ts';

export interface KeptRef {
  name: string;
  commit: string;
  tree: string;
  /** The commit's parents. */
  parents: string[];
  /** The work tree in which it is checked out; null for none. */
  checkedOutIn: string | null;
}

const FORMAT = '%(refname)%00%(objectname)%00%(tree)%00%(parent)%00%(worktreepath)%00';
const FIELDS = 5;

/** Refs that match patterns of `git for-each-ref`. @throws GitError where they can't be listed */
export async function listRefs(repository: Repository, ...patterns: string[]): Promise<KeptRef[]> {
  const listed = await gitRead(repository, ['for-each-ref', `--format=${FORMAT}`, ...patterns]);
  const fields = splitNul(outputOf(listed));
  const refs: KeptRef[] = [];
  for (let at = 0; at + FIELDS <= fields.length; at += FIELDS) {
    const [name = '', commit = '', tree = '', parents = '', folder = ''] = fields.slice(at, at + FIELDS);
    refs.push({
      name: name.trimStart(),
      commit,
      tree,
      parents: parents.split(' ').filter((hash) => hash !== ''),
      checkedOutIn: folder === '' ? null : folder,
    });
  }
  return refs;
}

/** Everything that is kept of one workstream. */
export function keptOf(repository: Repository, runId: string, workstreamId: string): Promise<KeptRef[]> {
  return listRefs(
    repository,
    attemptRefs(runId, workstreamId),
    branchRef(workstreamBranch(runId, workstreamId)),
  );
}

/** The attempt that a ref keeps; null for a branch and for what was set aside. */
export function attemptOf({ name }: KeptRef): number | null {
  const last = name.slice(name.lastIndexOf('/') + 1);
  return name.startsWith('refs/millrace/') && /^\d+$/.test(last) ? Number(last) : null;
}

/**
 * The last result of a workstream: what its branch holds, unless another program has moved that. Without a branch its
 * last attempt, which is there even when nothing was changed.
 */
export function lastResult(refs: readonly KeptRef[]): KeptRef | null {
  const attempts = refs.filter((ref) => attemptOf(ref) !== null);
  const branch = refs.find(({ name }) => name.startsWith('refs/heads/'));
  const held = attempts.find(({ commit }) => commit === branch?.commit);
  if (held !== undefined) return held;
  return attempts.toSorted((a, b) => (attemptOf(b) ?? 0) - (attemptOf(a) ?? 0))[0] ?? null;
}
