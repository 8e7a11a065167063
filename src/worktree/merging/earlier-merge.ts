/** Whether a new run starts from the work that an earlier one merged. */
import { makeCommit } from '../commit.ts';
import { GitError, outputOf } from '../git.ts';
import { type KeptRef, listRefs } from '../kept-refs.ts';
import { mergedBranch, mergedRef } from '../names.ts';
import { gitRead, type Repository } from '../repository.ts';
import { relativeTo } from '../tree-changes.ts';
import { listed } from '../worktree.ts';
import { isAncestor, mergeTrees } from './merge-trees.ts';
import { stepsBetween } from './run-branch.ts';

export interface StartQuestion {
  runId: string;
  /** The run whose failures this one tries again: its merged work comes before that of others; null for none. */
  retryOf: string | null;
  /** Ids of the workstreams of the folder: merged work of others is not gone on from. */
  known: ReadonlySet<string>;
  /** Ids of the workstreams of the run. */
  toRun: ReadonlySet<string>;
}

/** The commit to start from, and what was chosen and why in a sentence; null where there was nothing to choose. */
export interface StartPoint {
  commit: string;
  why: string | null;
}

/** Most earlier runs that are looked at, the newest first. */
const MOST = 50;

/**
 * The newest merged work of the same backlog, where the user's branch does not have it yet and nothing of it is to be done
 * again; what is checked out otherwise. Where both have moved on, a merge of both.
 * @throws GitError where git can't tell
 */
export async function startOf(repository: Repository, question: StartQuestion): Promise<StartPoint> {
  const { head } = repository;
  for (const ref of await earlierMerges(repository, question)) {
    if (await isAncestor(repository, ref.commit, head)) {
      if (runOf(ref) === question.retryOf) break;
      continue;
    }
    const steps = await stepsBetween(repository, head, ref.commit);
    const ids = [...new Set(steps.map(({ workstreamId }) => workstreamId))];
    if (!ids.some((id) => question.known.has(id))) continue;
    return startAt(repository, question, ref, ids);
  }
  return { commit: head, why: null };
}

async function startAt(
  repository: Repository,
  { toRun, runId }: StartQuestion,
  ref: KeptRef,
  ids: readonly string[],
): Promise<StartPoint> {
  const { head } = repository;
  const name = ref.name.replace(/^refs\/heads\//, '');
  const what = `the merged work of ${runOf(ref) ?? name} (${listed(ids)})`;
  const again = ids.filter((id) => toRun.has(id));
  if (again.length > 0)
    return {
      commit: head,
      why: `Starts from what is checked out and not from ${what}: ${listed(again)} of it is to be done again.`,
    };
  if (await isAncestor(repository, head, ref.commit))
    return { commit: ref.commit, why: `Starts from ${what}, which is not in your branch yet: ${name}.` };
  const merged = await mergeTrees(repository, ref.commit, head);
  if (merged.kind !== 'merged') {
    const files = merged.kind === 'conflict' ? merged.files : [];
    const where =
      files.length === 0 ? '' : ` in ${listed(files.map((path) => relativeTo(repository.prefix, path)))}`;
    return {
      commit: head,
      why: `Starts from what is checked out: ${what} conflicts with it${where}. Merge ${name} first to go on from it.`,
    };
  }
  const made = await makeCommit(repository, {
    tree: merged.tree,
    parents: [ref.commit, head],
    subject: `Start from ${name} and what is checked out`,
    trailers: { Run: runId },
  });
  if ('problem' in made) throw new GitError(made.problem);
  return {
    commit: made.commit,
    why: `Starts from ${what} and from what is checked out, merged with each other: neither has the other's commits.`,
  };
}

/** The newest first; that of the run which is tried again before all others. */
async function earlierMerges(repository: Repository, { runId, retryOf }: StartQuestion): Promise<KeptRef[]> {
  const refs = await listRefs(repository, `refs/heads/${mergedBranch('*')}`, mergedRef('*'));
  const rank = (ref: KeptRef): string => `${runOf(ref) === retryOf ? 1 : 0} ${runOf(ref) ?? ''}`;
  return refs
    .filter((ref) => runOf(ref) !== runId)
    .toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1))
    .slice(0, MOST);
}

const runOf = ({ name }: KeptRef): string | null =>
  /^refs\/(?:heads\/)?millrace\/([^/]+)\/_merged$/.exec(name)?.[1] ?? null;

/** Those of these commits that what is checked out has. @throws GitError where git can't tell */
export async function commitsInHead(
  repository: Repository,
  commits: readonly string[],
): Promise<ReadonlySet<string>> {
  const input = [...new Set(commits), `^${repository.head}`].join('\n');
  const walked = await gitRead(repository, ['rev-list', '--ignore-missing', '--stdin'], { input });
  const missing = new Set(outputOf(walked).split('\n'));
  return new Set(commits.filter((commit) => !missing.has(commit)));
}
