/** The user's repository as one run sees it: where it started, what its workstreams left, what is merged. */
import { mkdir } from 'node:fs/promises';
import type { Changes, Merge } from '../domain/changes.ts';
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
import { complaint } from './git.ts';
import { keptOf, lastResult, listRefs } from './kept-refs.ts';
import { type MergeSource, mergeWork, predictMerge } from './merge.ts';
import { baseRef, REVIEWS } from './names.ts';
import { type ParentCommit, startPoint } from './parent-commits.ts';
import { gitWrite, isAtLeast, OLDEST_GIT, type Repository } from './repository.ts';
import { UserTree, uncommittedNotes } from './user-tree.ts';
import { listed, type Worktree, type WorktreeOwner } from './worktree.ts';
import { WorktreeSession } from './worktree-session.ts';

interface Settings extends IgnoredFilePatterns {
  runId: string;
  stateFolder: string;
  /** Whether the run began in an earlier process. */
  isResumed: boolean;
  /** The run whose failures this one tries again; null for none. */
  retryOf: string | null;
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
  #merging: Promise<unknown> = Promise.resolve();

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
  async open({
    workstream,
    agentId,
    attempt,
    parents,
  }: WorkspaceRequest): Promise<WorktreeSession | Failure> {
    const { repository } = this;
    const { runId, stateFolder } = this.#settings;
    if (!isAtLeast(repository.version, OLDEST_GIT)) return tooOld(repository);
    let worktree: Worktree | null = null;
    try {
      await this.#userTree.begin();
      const base = await this.base();
      const start = await startPoint(repository, runId, base, await this.#resultsOf(parents));
      if (!('commit' in start)) return start;
      const owner = {
        runId,
        workstreamId: workstream.id,
        attempt,
        agentId,
        start: start.commit,
        process: ownIdentity(),
      };
      const created = await createWorktree(repository, stateFolder, owner);
      if (isFailureOf(created)) return created;
      worktree = created;
      const { brought, notes } = await copyIgnoredFiles(repository, worktree, await this.#findLuggage());
      const all = [...(await this.#notesOnce()), ...notes, ...this.#notesOnParents(parents)];
      const session = new WorktreeSession(this, { ...worktree, brought }, workstream.title, all);
      // A folder that holds nothing tracked is not in a commit.
      await mkdir(session.folder, { recursive: true });
      return session;
    } catch (error) {
      if (worktree !== null) await discardWorktree(repository, worktree.root);
      return { reason: 'workspace-error', detail: messageOf(error) };
    }
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

  /** One at a time. Rejects where git fails. */
  merge(work: MergeSource): Promise<Merge> {
    return this.#oneByOne(mergeWork, work);
  }

  /** What merging would give; one at a time, so that each is held against those before it. */
  predict(work: MergeSource): Promise<Merge> {
    return this.#oneByOne(predictMerge, work);
  }

  #oneByOne(merge: typeof mergeWork, work: MergeSource): Promise<Merge> {
    const result = this.#merging.then(async () => merge(this.repository, await this.base(), work));
    this.#merging = result.catch(() => undefined);
    return result;
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
    const made = await gitWrite(this.repository, ['update-ref', '--stdin'], {
      env: IDENTITY,
      input: `create ${ref} ${this.repository.head}\n`,
    });
    if (made.exitCode !== 0) throw new Error(complaint(made));
    return this.repository.head;
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
