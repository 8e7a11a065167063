/** Pull requests of accepted work: of each workstream, or one of a run. */
import type { PullOutcome, PullSync, PullWork } from '../../github/pulls.ts';
import { bringPulls } from '../../github/pulls.ts';
import { type PullFacts, pullText, pullTitle, runPullText } from '../../report/issue-text.ts';
import { keptCommits, pushBranch, type Remote, remoteBranches, tipOf } from '../../worktree/remote/remote.ts';
import type { Repository } from '../../worktree/repository.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { Refusal } from '../refusal.ts';
import {
  type AcceptedRun,
  type AcceptedWork,
  acceptedWork,
  type DefinedNow,
  definedNow,
  numbersOf,
  pullBranch,
} from './accepted-work.ts';
import { connect, findCheckout, type GitHub, PublishedStore, type Where } from './connect.ts';
import { issueNumber } from './folder-files.ts';

export interface PullOptions extends Where {
  /** Name of the run; null for the newest. */
  runName: string | null;
  /** One pull request of the run's own branch, in place of one of each workstream. */
  one: boolean;
  /** Branch that they are to be merged into; null for the one that the run was started on. */
  base: string | null;
  dryRun: boolean;
  notify: (sentence: string) => void;
}

export interface PullsResult {
  runId: string;
  base: string;
  dryRun: boolean;
  pulls: PullOutcome[];
  /** What failed beside them, in a sentence each. */
  problems: string[];
}

/**
 * A failure is the outcome of its pull request, and the rest goes on. Nothing is written where nothing changed.
 * @throws Refusal with exit code 2 where it can't begin, 4 where nothing was accepted.
 */
export async function openPulls(run: RunOptions, paths: Paths, options: PullOptions): Promise<PullsResult> {
  const accepted = acceptedWork(paths, options.runName);
  const { repository, remote } = await findCheckout(paths.cwd, options);
  if (remote === null)
    throw new Refusal(2, 'The repository has no remote to push to. Add one with: git remote add origin URL');
  const github = await connect(options, remote, options.notify);
  const there = await branchesThere(
    repository,
    remote,
    options.base ?? accepted.run.checkout?.branch ?? null,
  );
  const base = options.base ?? there.base ?? (await defaultBranch(github));
  const works = options.one
    ? [await ofRun(run, paths, accepted, { github, repository }, base)]
    : ofEach(run, paths, accepted, github, base);
  const store = new PublishedStore(paths);
  const known = numbersOf(paths, github.place.key, 'pull');
  const pulls: PullOutcome[] = [];
  try {
    await bringPulls(github.api, works, {
      write: !options.dryRun,
      push: pusher(repository, remote, there.branches),
      onOutcome: (pull) => {
        pulls.push(pull);
        const { subject, number } = pull;
        if (number !== null && !options.dryRun && known.get(subject) !== number)
          store.link({ repository: github.place.key, kind: 'pull', subject, number });
      },
    });
    const problems = [...accepted.left, ...store.problems];
    return { runId: accepted.run.runId, base, dryRun: options.dryRun, pulls, problems };
  } finally {
    store.close();
  }
}

async function defaultBranch({ api }: GitHub): Promise<string> {
  try {
    return await api.defaultBranch();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Refusal(2, `${error.message} Name the branch to merge into with --base.`, error);
  }
}

/** The branches of pull requests on the remote, and the wanted base if it is there. */
async function branchesThere(
  repository: Repository,
  remote: Remote,
  wanted: string | null,
): Promise<{ branches: ReadonlyMap<string, string>; base: string | null }> {
  const patterns = [pullBranch('*'), ...(wanted === null ? [] : [wanted])];
  const branches = await remoteBranches(repository, remote, ...patterns);
  if (typeof branches === 'string')
    throw new Refusal(2, `The remote ${remote.name} does not answer: ${branches}.`);
  return { branches, base: wanted !== null && branches.has(wanted) ? wanted : null };
}

/** Pushes over a commit of Millrace, and over no other. */
function pusher(
  repository: Repository,
  remote: Remote,
  branches: ReadonlyMap<string, string>,
): PullSync['push'] {
  return async ({ branch, commit }, ours) => {
    const expected = branches.get(branch) ?? null;
    if (expected === commit) return null;
    const isOurs =
      expected === null || ours.includes(expected) || (await keptCommits(repository)).has(expected);
    if (!isOurs)
      return `Somebody else pushed to ${branch} of ${remote.name}, and that would be lost. Merge it, or remove the branch there.`;
    return pushBranch(repository, remote, { branch, commit, expected });
  };
}

function ofEach(
  run: RunOptions,
  paths: Paths,
  { works }: AcceptedRun,
  { place }: GitHub,
  base: string,
): PullWork[] {
  const defined = definedNow(run, paths);
  const issues = numbersOf(paths, place.key, 'issue');
  return works.map((work) => {
    const { result, commit } = work;
    const facts = factsOf(work, defined, issues);
    const subject = result.workstreamId;
    const draft = needsPerson(result);
    return {
      subject,
      branch: pullBranch(subject),
      commit,
      base,
      title: pullTitle(facts),
      content: pullText(facts),
      draft,
    };
  });
}

/** Whether a check is left for a person, or the work is parked because it is outside its scope. */
const needsPerson = ({ testResults, metadata }: AcceptedWork['result']): boolean =>
  testResults.manual > 0 || metadata.merge?.status === 'outside-scope';

/** Of what was merged into the run's own branch. @throws Refusal with exit code 4 where nothing was. */
async function ofRun(
  run: RunOptions,
  paths: Paths,
  { run: { runId }, works }: AcceptedRun,
  { github: { place }, repository }: { github: GitHub; repository: Repository },
  base: string,
): Promise<PullWork> {
  const merged = works.filter(({ result }) => result.metadata.merge?.status === 'merged');
  const last = merged.at(-1)?.result.metadata.merge ?? null;
  const commit = last === null ? null : ((await tipOf(repository, last.branch)) ?? last.commit);
  if (commit === null)
    throw new Refusal(
      4,
      `Nothing was merged into a branch of ${runId}, which --one is of. Run with --merge run, or use --each.`,
    );
  const defined = definedNow(run, paths);
  const issues = numbersOf(paths, place.key, 'issue');
  const facts = merged.map((work) => factsOf(work, defined, issues));
  const count = merged.length === 1 ? '1 workstream' : `${merged.length} workstreams`;
  return {
    subject: runId,
    branch: pullBranch(runId),
    commit,
    base,
    title: `Run ${runId}: ${count}`,
    content: runPullText(runId, facts),
    draft: merged.some(({ result }) => needsPerson(result)),
  };
}

function factsOf(
  { result }: AcceptedWork,
  { definitions, redactor }: DefinedNow,
  issues: ReadonlyMap<string, number>,
): PullFacts {
  const defined = definitions.get(result.workstreamId) ?? null;
  const base = defined?.base ?? result.workstreamId;
  const named = issueNumber({ extra: result.metadata.definition });
  // An issue of many members is not closed by the first of them.
  const isWhole = defined === null || defined.base === defined.id;
  return {
    result: redactor.fields(result),
    definition: defined === null ? null : redactor.fields(defined),
    issue: isWhole ? (named ?? issues.get(base) ?? null) : null,
  };
}
