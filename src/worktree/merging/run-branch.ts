/** The branch into which a run merges accepted work: it moves by compare and swap, and only forward. */
import type { Failure } from '../../domain/failure.ts';
import type {
  JoinedWork,
  MergedBranch,
  MergedStep,
  MergedTip,
  MergeWork,
  Workspace,
  WorkspaceLimits,
} from '../../domain/workspaces.ts';
import { IDENTITY, makeCommit } from '../commit.ts';
import { complaint, GitError, outputOf, splitNul, withinLimits } from '../git.ts';
import { listRefs } from '../kept-refs.ts';
import { branchRef, mergedBranch, mergedRef, predictedRef } from '../names.ts';
import { gitRead, gitWrite, type Repository } from '../repository.ts';
import { relativeTo } from '../tree-changes.ts';
import { isAncestor, mergeTrees } from './merge-trees.ts';

/** What the branch needs of its run. */
interface RunContext {
  readonly repository: Repository;
  readonly runId: string;
  base(): Promise<string>;
  /** A worktree at a commit in which tests are run, and from which nothing is kept. */
  openTests(commit: string, number: number, agentId: string): Promise<TestTree | Failure>;
}

/** A worktree for tests. */
export interface TestTree {
  /** The folder to run them in. */
  folder: string;
  setup: string | null;
  /** Removes it. Returns the tracked files that are not as they were. */
  discard(): Promise<string[]>;
}

/** Longest that git may take for one merge, in seconds. */
const MERGE_SECONDS = 120;

/** Git's message for a ref below another one, below a file that is no ref, or above others. */
const NO_ROOM = /exists; cannot create|non-directory in the way|unable to resolve reference '[^']+'$/m;

export class RunBranch implements MergedBranch {
  readonly #run: RunContext;
  readonly #predicts: boolean;
  /** The ref, once it is known; null before. */
  #ref: string | null = null;
  readonly #trees = new WeakMap<Workspace, TestTree>();

  /** @param predicts whether a ref of Millrace's holds what would be merged, and there is no branch. */
  constructor(run: RunContext, predicts: boolean) {
    this.#run = run;
    this.#predicts = predicts;
  }

  tip(): Promise<MergedTip> {
    return this.#limited(async () => {
      const ref = await this.#findRef();
      const [tip] = await listRefs(this.#run.repository, ref);
      return {
        commit: tip?.commit ?? (await this.#run.base()),
        branch: this.#nameOf(ref),
        checkedOutIn: tip?.checkedOutIn ?? null,
      };
    });
  }

  history(): Promise<MergedStep[]> {
    return this.#limited(async () => {
      const { repository } = this.#run;
      const [{ commit }, base] = [await this.tip(), await this.#run.base()];
      const from = (await isAncestor(repository, repository.head, base)) ? repository.head : base;
      return stepsBetween(repository, from, commit);
    });
  }

  /** The merge is a commit that nothing points to yet. */
  join(onto: string, { workstreamId, agentId, attempt, commit }: MergeWork): Promise<JoinedWork> {
    return this.#limited(async () => {
      const { repository, runId } = this.#run;
      if (await isAncestor(repository, commit, onto)) return { kind: 'joined', commit: onto };
      const merged = await mergeTrees(repository, onto, commit);
      if (merged.kind === 'failed') return { kind: 'failed', detail: merged.problem };
      if (merged.kind === 'conflict') {
        const conflictsWith = await whoTouched(repository, await this.#run.base(), onto, merged.files);
        const files = merged.files.map((path) => relativeTo(repository.prefix, path));
        return { kind: 'conflict', conflictsWith, files };
      }
      const made = await makeCommit(repository, {
        tree: merged.tree,
        parents: [onto, commit],
        subject: `Merge ${workstreamId}`,
        trailers: { Run: runId, Workstream: workstreamId, Agent: agentId, Attempt: attempt },
      });
      if ('problem' in made) throw new GitError(made.problem);
      return { kind: 'joined', commit: made.commit };
    });
  }

  advance(from: string, to: string): Promise<boolean> {
    return this.#limited(async () => {
      const ref = await this.#findRef();
      const problem = await this.#move(ref, from, to);
      if (problem === null) return true;
      if (!this.#predicts && NO_ROOM.test(problem)) {
        this.#ref = mergedRef(this.#run.runId);
        if ((await this.#move(this.#ref, from, to)) === null) return true;
      }
      if ((await this.tip()).commit !== from) return false;
      throw new GitError(`${this.#nameOf(this.#ref ?? ref)} could not be moved: ${problem}`);
    });
  }

  checkOut(
    commit: string,
    number: number,
    agentId: string,
    limits: WorkspaceLimits,
  ): Promise<Workspace | Failure> {
    const { runId } = this.#run;
    return withinLimits({ runId, ...limits }, async () => {
      const tree = await this.#run.openTests(commit, number, agentId);
      if ('reason' in tree) return tree;
      const workspace: Workspace = { folder: tree.folder, kind: 'worktree', setup: tree.setup };
      this.#trees.set(workspace, tree);
      return workspace;
    });
  }

  async release(workspace: Workspace): Promise<readonly string[]> {
    const tree = this.#trees.get(workspace);
    if (tree === undefined) throw new Error(`The worktree ${workspace.folder} is not open.`);
    return this.#limited(() => tree.discard());
  }

  /** The branch, or the ref that takes its place where a branch of the user's leaves no room for it. */
  async #findRef(): Promise<string> {
    const { repository, runId } = this.#run;
    if (this.#predicts) return predictedRef(runId);
    if (this.#ref === null) {
      const instead = await listRefs(repository, mergedRef(runId)).catch((error: unknown) => {
        if (error instanceof Error && NO_ROOM.test(error.message)) return [];
        throw error;
      });
      this.#ref = instead.length === 0 ? branchRef(mergedBranch(runId)) : mergedRef(runId);
    }
    return this.#ref;
  }

  #nameOf(ref: string): string {
    if (this.#predicts) return '';
    return ref.replace(/^refs\/heads\//, '');
  }

  /** Returns git's complaint where it did not move: also because another process has moved it. */
  async #move(ref: string, from: string, to: string): Promise<string | null> {
    const { repository } = this.#run;
    const [tip] = await listRefs(repository, ref);
    const line = tip === undefined ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
    const moved = await gitWrite(repository, ['update-ref', '--stdin'], {
      env: IDENTITY,
      input: `${line}\n`,
    });
    return moved.exitCode === 0 ? null : complaint(moved);
  }

  #limited<T>(work: () => Promise<T>): Promise<T> {
    return withinLimits({ runId: this.#run.runId, seconds: MERGE_SECONDS }, work);
  }
}

const STEP = '%H%x00%(trailers:key=Millrace-Workstream,valueonly,separator=%x2C)%x00';

/** The merges between two commits, the oldest first. */
export async function stepsBetween(repository: Repository, from: string, to: string): Promise<MergedStep[]> {
  const range = ['log', '--first-parent', '--reverse', `--format=${STEP}`, `${from}..${to}`];
  const fields = splitNul(outputOf(await gitRead(repository, range)));
  const steps: MergedStep[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [commit = '', workstreamId = ''] = fields.slice(at, at + 2).map((field) => field.trim());
    if (workstreamId !== '') steps.push({ workstreamId, commit });
  }
  return steps;
}

/** The workstreams whose merges changed one of the files, in the order of their merging. */
async function whoTouched(
  repository: Repository,
  base: string,
  tip: string,
  files: readonly string[],
): Promise<string[]> {
  const trailer = '%(trailers:key=Millrace-Workstream,valueonly,separator=%x2C)';
  const range = ['log', '--first-parent', '--reverse', `--format=${trailer}`, '--stdin', `${base}..${tip}`];
  const literal = files.map((file) => `:(top,literal)${file}`);
  // There may be more than a program takes as arguments, which only names with a line end have to be.
  const input = ['--', ...literal.filter((path) => !path.includes('\n')), ''].join('\n');
  const inArguments = literal.filter((path) => path.includes('\n'));
  const log = await gitRead(repository, [...range, '--', ...inArguments], { input });
  return [
    ...new Set(
      outputOf(log)
        .split('\n')
        .filter((line) => line !== ''),
    ),
  ];
}
