/** Removes branches and refs of old runs whose work is somewhere else too. */
import { outputOf } from './git.ts';
import { withinLimits } from './git-limits.ts';
import { attemptOf, type KeptRef, listRefs } from './kept-refs.ts';
import { baseRef, branchRef, mergedBranch, mergedRef, predictedRef } from './names.ts';
import { gitRead, gitWrite, type Repository } from './repository.ts';
import { isSquashed } from './squashed.ts';

/** What becomes of the branches and refs of some runs. */
export interface RefPlan {
  remove: { runId: string; refs: KeptRef[] }[];
  /** With why, in a few words. */
  keep: { ref: string; why: string }[];
}

/** Longest that removing those of one run may take. */
const EACH_SECONDS = 120;

/**
 * Finds those whose commits, or provably all that is in them, are in a ref that stays: one of the user's, of another
 * run, or of the same run. Of the refs that hold the same work, the one that a person would look at stays. Changes
 * nothing.
 * @throws GitError where git can't tell
 */
export async function planRefs(repository: Repository, runIds: readonly string[]): Promise<RefPlan> {
  const wanted = new Set(runIds);
  const all = await listRefs(repository);
  const candidates = all.filter((ref) => wanted.has(runOf(ref) ?? ''));
  const plan: RefPlan = { remove: [], keep: [] };
  if (candidates.length === 0) return plan;
  const own = new Set(candidates);
  const staying = all.filter((ref) => !own.has(ref)).map(({ name }) => name);
  const alone = await commitsOnlyIn(repository, candidates, staying);
  const covered = new Set<string>();
  for (const runId of wanted) {
    const refs: KeptRef[] = [];
    for (const ref of candidates.filter((one) => runOf(one) === runId).toSorted(bySignificance(runId))) {
      const isElsewhere = async (): Promise<boolean> =>
        !alone.has(ref.commit) ||
        covered.has(ref.commit) ||
        // What is merged for a prediction is kept where it was made.
        ref.name === predictedRef(runId) ||
        (await isSquashed(repository, ref, { alone, staying }));
      if (ref.checkedOutIn === null && (await isElsewhere())) refs.push(ref);
      else {
        plan.keep.push({ ref: shortName(ref), why: whyKept(ref) });
        cover(ref.commit, alone, covered);
      }
    }
    if (refs.length > 0) plan.remove.push({ runId, refs });
  }
  return plan;
}

const whyKept = ({ checkedOutIn }: KeptRef): string =>
  checkedOutIn === null
    ? 'its work is in no branch of yours: no commit there has all of its files as they are in it'
    : `it is checked out in ${checkedOutIn}`;

const shortName = ({ name }: KeptRef): string => name.replace(/^refs\/heads\//, '');

/** The run that a ref of Millrace's belongs to; null for any other. */
function runOf({ name }: KeptRef): string | null {
  return /^refs\/(?:heads\/)?millrace\/([^/]+)\//.exec(name)?.[1] ?? null;
}

/** The run's own branch first, then those of its workstreams, then attempts, then all else. */
function bySignificance(runId: string): (one: KeptRef, other: KeptRef) => number {
  const first = [branchRef(mergedBranch(runId)), mergedRef(runId)];
  const last = [baseRef(runId), predictedRef(runId)];
  const rank = (ref: KeptRef): number => {
    if (first.includes(ref.name)) return 0;
    if (ref.name.startsWith('refs/heads/')) return 1;
    if (last.includes(ref.name)) return 4 + last.indexOf(ref.name);
    return attemptOf(ref) === null ? 3 : 2;
  };
  return (one, other) => rank(one) - rank(other);
}

/** Commits that only the candidates reach, each with its parents. */
async function commitsOnlyIn(
  repository: Repository,
  candidates: readonly KeptRef[],
  staying: readonly string[],
): Promise<Map<string, string[]>> {
  const others = staying.map((name) => `^${name}`);
  const input = [...new Set(candidates.map(({ commit }) => commit)), ...others];
  const listed = outputOf(
    await gitRead(repository, ['rev-list', '--parents', '--stdin'], { input: `${input.join('\n')}\n` }),
  );
  return new Map(
    listed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [commit = '', ...parents] = line.split(' ');
        return [commit, parents];
      }),
  );
}

/** A ref that stays keeps all that it comes from. */
function cover(from: string, alone: ReadonlyMap<string, string[]>, covered: Set<string>): void {
  const next = [from];
  for (let commit = next.pop(); commit !== undefined; commit = next.pop()) {
    if (covered.has(commit) || !alone.has(commit)) continue;
    covered.add(commit);
    next.push(...(alone.get(commit) ?? []));
  }
}

/** Removes them, those of a run all or none, unless one has been moved since. @throws GitError where they stay */
export async function removeRefs(
  repository: Repository,
  { runId, refs }: RefPlan['remove'][number],
): Promise<void> {
  const input = refs.map(({ name, commit }) => `delete ${name} ${commit}\n`).join('');
  await withinLimits({ runId, seconds: EACH_SECONDS }, async () =>
    outputOf(await gitWrite(repository, ['update-ref', '--stdin'], { input })),
  );
}
