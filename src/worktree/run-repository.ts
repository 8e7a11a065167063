/** The user's repository as one run sees it: where it started, what its workstreams left, what is merged. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Changes } from '../domain/changes.ts';
import type { Failure } from '../domain/failure.ts';
import type { WorkspaceRequest } from '../domain/workspaces.ts';
import { ownIdentity } from '../os/process-identity.ts';
import { messageOf } from '../text/error-message.ts';
import { IDENTITY } from './commit.ts';
import { copyIn, type OpenCopy } from './copies/review-copy.ts';
import {
  copyIgnoredFiles,
  findIgnoredFiles,
  type IgnoredFilePatterns,
  type IgnoredFiles,
} from './copy-ignored-files.ts';
import { createWorktree, discardWorktree } from './create-worktree.ts';
import { complaint, splitNul } from './git.ts';
import { keptOf, lastResult, listRefs } from './kept-refs.ts';
import { listWorktrees } from './left-overs.ts';
import { type StartQuestion, startOf } from './merging/earlier-merge.ts';
import { RunBranch, type TestTree } from './merging/run-branch.ts';
import { baseRef, REVIEWS, TESTS } from './names.ts';
import { type ParentCommit, startPoint } from './parent-commits.ts';
import { gitWrite, isAtLeast, OLDEST_GIT, type Repository } from './repository.ts';
import { UserTree, uncommittedNotes } from './user-tree.ts';
import { changeOwner, gitIn, listed, type Worktree, type WorktreeOwner } from './worktree.ts';
import { WorktreeSession } from './worktree-session.ts';

interface Settings extends IgnoredFilePatterns {
  runId: string;
  stateFolder: string;
  /** Whether the run began in an earlier process. */
  isResumed: boolean;
  /** The run whose failures this one tries again; null for none. */
  retryOf: string | null;
  /** A shell line that prepares a worktree; null for none. */
  setup: string | null;
  /** People that commits of Millrace name as co-authors. */
  coAuthors: readonly string[];
  /** Ids of the workstreams of the folder, and of those that are run. */
  backlog: Pick<StartQuestion, 'known' | 'toRun'>;
  /** Called with a sentence that concerns the whole run. */
  notify: (text: string) => void;
}

export class RunRepository {
  readonly repository: Repository;
  readonly #settings: Settings;
  /** The commit that holds each workstream's last result. */
  readonly #results = new Map<string, string>();
  readonly #inShared = new Set<string>();
  readonly #uncommitted: Promise<string[]>;
  readonly #userTree: UserTree;
  #haveNoted = false;
  #base: Promise<string> | null = null;
  #luggage: Promise<IgnoredFiles> | null = null;

  constructor(repository: Repository, settings: Settings) {
    this.repository = repository;
    this.#settings = settings;
    this.#uncommitted = uncommittedNotes(repository, settings.stateFolder);
    this.#userTree = new UserTree(repository, settings.stateFolder);
  }

  get root(): string {
    return this.repository.root;
  }

  /** A worktree for one attempt, with what is brought along, at the merged results of its parents. */
  async open(request: WorkspaceRequest): Promise<WorktreeSession | Failure> {
    const { kept } = request;
    if (!isAtLeast(this.repository.version, OLDEST_GIT)) return tooOld(this.repository);
    try {
      await this.#userTree.begin();
      if (kept !== undefined && 'folder' in kept) return await this.#takeOver(request, kept.folder);
      const start = kept === undefined ? await this.#startOf(request.parents) : { commit: kept.base };
      return 'commit' in start ? await this.#create(request, start.commit, kept?.head) : start;
    } catch (error) {
      return { reason: 'workspace-error', detail: messageOf(error) };
    }
  }

  /** @param commit that is checked out; `start` by default. @throws where it could not be made ready */
  async #create(
    { workstream, agentId, attempt, parents }: WorkspaceRequest,
    start: string,
    commit?: string,
  ): Promise<WorktreeSession | Failure> {
    const { repository } = this;
    const { runId, stateFolder } = this.#settings;
    const owner = { runId, workstreamId: workstream.id, attempt, agentId, start, process: ownIdentity() };
    const worktree = await createWorktree(repository, stateFolder, owner, commit);
    if (isFailureOf(worktree)) return worktree;
    try {
      const { brought, notes } = await copyIgnoredFiles(repository, worktree, await this.#findLuggage());
      const all = [...(await this.#notesOnce()), ...notes, ...this.#notesOnParents(parents)];
      const session = new WorktreeSession(this, { ...worktree, brought }, workstream.title, all);
      // A folder that holds nothing tracked is not in a commit.
      await mkdir(session.folder, { recursive: true });
      return session;
    } catch (error) {
      await discardWorktree(repository, worktree.root);
      throw error;
    }
  }

  /** The worktree that a process of this run has left, which is gone, with everything in it. */
  async #takeOver(
    { workstream, agentId, attempt }: WorkspaceRequest,
    folder: string,
  ): Promise<WorktreeSession | Failure> {
    const { repository } = this;
    const { runId } = this.#settings;
    const left = (await listWorktrees(repository)).find(
      ({ worktree: { root, owner }, alive }) =>
        !alive &&
        owner.runId === runId &&
        owner.workstreamId === workstream.id &&
        join(root, repository.prefix) === join(folder, '.'),
    );
    if (left === undefined || !existsSync(folder))
      return { reason: 'workspace-error', detail: `its worktree ${folder} is not there any more` };
    const { worktree } = left;
    const owner = { ...worktree.owner, agentId, attempt, process: ownIdentity() };
    await changeOwner(worktree, owner);
    return new WorktreeSession(this, { ...worktree, owner }, workstream.title, await this.#notesOnce());
  }

  /** The commit that work begins from which builds on these, or why there is none. */
  async #startOf(parents: readonly string[]): ReturnType<typeof startPoint> {
    const base = await this.base();
    return startPoint(this.repository, this.#settings.runId, base, await this.#resultsOf(parents));
  }

  /** A worktree with what an attempt left, and what is brought along. Nothing of it is ever kept. */
  async openCopy({ attempt, agentId }: WorktreeOwner, { head }: Changes): Promise<OpenCopy | Failure> {
    const { repository } = this;
    const { runId, stateFolder } = this.#settings;
    if (head === null) return { reason: 'workspace-error', detail: 'what it changed is in no commit' };
    const owner = { runId, workstreamId: REVIEWS, attempt, agentId, start: head, process: ownIdentity() };
    const created = await createWorktree(repository, stateFolder, owner);
    if (isFailureOf(created)) return created;
    await copyIgnoredFiles(repository, created, await this.#findLuggage());
    return copyIn(repository, created);
  }

  /** The commit that the run started from: of a run that is resumed the same as before. @throws if it can't be kept */
  base(): Promise<string> {
    this.#base ??= this.#keepBase().catch((error: unknown) => {
      this.#base = null;
      throw error;
    });
    return this.#base;
  }

  /** What is true of every worktree of the run is said of the first. */
  async #notesOnce(): Promise<string[]> {
    if (this.#haveNoted) return [];
    this.#haveNoted = true;
    return this.#uncommitted;
  }

  remember(workstreamId: string, commit: string): void {
    this.#results.set(workstreamId, commit);
  }

  /** Its changes are in the user's tree, and in no commit that a worktree could start from. */
  workedInShared(workstreamId: string): void {
    this.#inShared.add(workstreamId);
  }

  /** What changed in the user's tree since the last call, in a sentence each. */
  changesOutside(): Promise<string[]> {
    return this.#userTree.changes();
  }

  merged(predicts: boolean): RunBranch {
    return new RunBranch(this, predicts);
  }

  get coAuthors(): readonly string[] {
    return this.#settings.coAuthors;
  }

  get runId(): string {
    return this.#settings.runId;
  }

  /** A worktree for the tests of what is merged. Nothing of it is ever kept. */
  async openTests(commit: string, number: number, agentId: string): Promise<TestTree | Failure> {
    const { repository } = this;
    const { runId, stateFolder, setup } = this.#settings;
    const owner = { runId, workstreamId: TESTS, attempt: number, agentId, start: commit };
    const created = await createWorktree(repository, stateFolder, { ...owner, process: ownIdentity() });
    if (isFailureOf(created)) return created;
    await copyIgnoredFiles(repository, created, await this.#findLuggage());
    const folder = join(created.root, repository.prefix);
    await mkdir(folder, { recursive: true });
    return {
      folder,
      setup,
      discard: async () => {
        const changed = await changedFiles(created);
        await discardWorktree(repository, created.root);
        return changed;
      },
    };
  }

  async #keepBase(): Promise<string> {
    const { runId, isResumed } = this.#settings;
    const ref = baseRef(runId);
    const [kept] = await listRefs(this.repository, ref);
    if (kept !== undefined && isResumed) return kept.commit;
    if (kept !== undefined)
      throw new Error(
        `Another run of this repository, with another state folder, is called ${runId} too. Run it again.`,
      );
    const { retryOf, backlog, notify } = this.#settings;
    const { commit, why } = await startOf(this.repository, { runId, retryOf, ...backlog });
    const made = await gitWrite(this.repository, ['update-ref', '--stdin'], {
      env: IDENTITY,
      input: `create ${ref} ${commit}\n`,
    });
    if (made.exitCode !== 0) throw new Error(complaint(made));
    if (why !== null) notify(why);
    return commit;
  }

  #findLuggage(): Promise<IgnoredFiles> {
    this.#luggage ??= findIgnoredFiles(this.repository, this.#settings, this.#settings.stateFolder);
    return this.#luggage;
  }

  /** Of the parents that have one: in this process, or kept before the run was resumed, or by the one it repeats. */
  async #resultsOf(parents: readonly string[]): Promise<ParentCommit[]> {
    const { runId, retryOf } = this.#settings;
    const results: ParentCommit[] = [];
    for (const workstreamId of parents.filter((parent) => !this.#inShared.has(parent))) {
      const commit =
        this.#results.get(workstreamId) ??
        (await this.#keptBy(runId, workstreamId)) ??
        (retryOf === null ? undefined : await this.#keptBy(retryOf, workstreamId));
      // It is a parent because it left commits: without them this one would begin from less than it depends on.
      if (commit === undefined)
        throw new Error(
          `The work of ${workstreamId}, which it depends on, is kept by no ref any more: run that again.`,
        );
      results.push({ workstreamId, commit });
    }
    return results;
  }

  async #keptBy(runId: string, workstreamId: string): Promise<string | undefined> {
    return lastResult(await keptOf(this.repository, runId, workstreamId))?.commit;
  }

  #notesOnParents(parents: readonly string[]): string[] {
    const inShared = parents.filter((parent) => this.#inShared.has(parent));
    if (inShared.length === 0) return [];
    return [`Worked in the shared folder, so what they changed is not in its worktree: ${listed(inShared)}.`];
  }
}

const isFailureOf = (value: object): value is Failure => 'reason' in value;

const tooOld = ({ version }: Repository): Failure => ({
  reason: 'workspace-error',
  detail: `Worktrees need git ${OLDEST_GIT.join('.')} or later, and this is ${version.join('.')}.`,
});

/** Tracked files that differ from the commit; none where git can't tell. */
async function changedFiles(worktree: Worktree): Promise<string[]> {
  const diff = await gitIn(worktree, ['diff', '--name-only', '-z', '--no-ext-diff', 'HEAD', '--']);
  return diff.exitCode === 0 ? splitNul(diff.stdout) : [];
}
