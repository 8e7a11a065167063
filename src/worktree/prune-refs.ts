/** Removes branches and refs of old runs whose work is somewhere else too. */
import { outputOf, splitNul, withinLimits } from './git.ts';
import { attemptOf, type KeptRef, listRefs } from './kept-refs.ts';
import { baseRef, branchRef, mergedBranch, mergedRef, predictedRef } from './names.ts';
import { gitRead, gitWrite, type Repository } from './repository.ts';

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
 * run, or of the same run. Of the refs that hold the same work, the most useful to a person stays. Changes
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

// Whether a user has committed a branch's work themselves, such as by `git merge --squash`.

/** Most changed paths of a branch, and most commits of the user's, that are compared. */
const MOST = { paths: 1_000, commits: 50 } as const;

interface Squashing {
  /** Commits that only refs reach that may be removed, each with its parents. */
  alone: ReadonlyMap<string, readonly string[]>;
  /** Names of the refs that stay. */
  staying: readonly string[];
}

/**
 * Whether all that a ref holds is in refs that stay, although its commits are not: one commit there has every path that
 * the branch changed just as the branch has it, and no version of a file is in the branch alone. False where that
 * can't be proved.
 * @throws GitError where git can't tell
 */
async function isSquashed(
  repository: Repository,
  ref: Pick<KeptRef, 'commit'>,
  { alone, staying }: Squashing,
): Promise<boolean> {
  const base = baseOf(ref.commit, alone);
  if (base === null || staying.length === 0) return false;
  const paths = await changedPaths(repository, base, ref.commit);
  // A list of paths has one a line.
  if (paths.length > MOST.paths || paths.some((path) => path.includes('\n'))) return false;
  const wanted = paths.length === 0 ? '' : await entries(repository, ref.commit, paths);
  if (await hasOtherVersions(repository, ref.commit, { wanted, staying })) return false;
  if (paths.length === 0) return true;
  for (const commit of await commitsThatChange(repository, paths, { base, staying })) {
    if ((await entries(repository, commit, paths)) === wanted) return true;
  }
  return false;
}

/** The commit of refs that stay from which the branch was begun; null for none. */
function baseOf(commit: string, alone: Squashing['alone']): string | null {
  let at: string | undefined = commit;
  while (at !== undefined && alone.has(at)) at = alone.get(at)?.[0];
  return at ?? null;
}

async function changedPaths(repository: Repository, from: string, to: string): Promise<string[]> {
  const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to];
  return splitNul(outputOf(await gitRead(repository, args)));
}

/**
 * Whether the branch's own commits hold versions of files beside those that it has in the end: changed again later, they
 * may be in no ref that stays.
 */
async function hasOtherVersions(
  repository: Repository,
  commit: string,
  { wanted, staying }: { wanted: string; staying: readonly string[] },
): Promise<boolean> {
  const revisions = [commit, ...staying.map((name) => `^${name}`)].join('\n');
  const listing = ['rev-list', '--objects', '--no-object-names', '--stdin'];
  const objects = outputOf(await gitRead(repository, listing, { input: `${revisions}\n` }));
  const format = '--batch-check=%(objecttype) %(objectname)';
  const listed = outputOf(await gitRead(repository, ['cat-file', format], { input: objects })).split('\n');
  return listed.some((line) => {
    const [type = '', name = ''] = line.split(' ');
    return type !== '' && type !== 'commit' && type !== 'tree' && !wanted.includes(` ${name}\t`);
  });
}

/** The newest first. */
async function commitsThatChange(
  repository: Repository,
  paths: readonly string[],
  { base, staying }: { base: string; staying: readonly string[] },
): Promise<string[]> {
  const revisions = [...staying, `^${base}`, '--', ...paths].join('\n');
  const args = ['--literal-pathspecs', 'rev-list', `--max-count=${MOST.commits}`, '--stdin'];
  const listed = outputOf(await gitRead(repository, args, { input: `${revisions}\n` }));
  return listed.split('\n').filter((line) => line !== '');
}

/** Mode, kind and content of each path that a commit has, as one text. */
async function entries(repository: Repository, commit: string, paths: readonly string[]): Promise<string> {
  return outputOf(await gitRead(repository, ['ls-tree', '-z', '--full-tree', commit, '--', ...paths]));
}
