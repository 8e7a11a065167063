/** The workspaces of one run: worktrees of the user's repository, or the folder that Millrace was started in. */
import type { Changes } from '../domain/changes.ts';
import type { Failure } from '../domain/failure.ts';
import type {
  Credit,
  MergedBranch,
  ReviewCopy,
  Workspace,
  WorkspaceLimits,
  WorkspaceRequest,
  Workspaces,
} from '../domain/workspaces.ts';
import type { Workstream } from '../domain/workstream.ts';
import { messageOf } from '../text/error-message.ts';
import { noWorktree } from './can-isolate.ts';
import { type OpenCopy, textOfChange } from './copies/review-copy.ts';
import { withinLimits } from './git.ts';
import type { NoRepository } from './repository.ts';
import { type Rescued, rescue } from './rescue.ts';
import { RunRepository } from './run-repository.ts';
import type { FolderUse, SharedFolder } from './shared-folder.ts';
import type { Closing, WorktreeSession } from './worktree-session.ts';

/** What the workspaces of a run are made of. */
export interface Description {
  /** Root of the repository; null where there is none, and every workspace is the shared folder. */
  repository: string | null;
  /** Why there are no worktrees; null when there can be. */
  whyShared: string | null;
}

/** A worktree that was to be removed and is still there. */
export interface StayingWorktree {
  folder: string;
  workstreamId: string;
  attempt: number;
  /** Why, in a few words. */
  why: string;
}

interface Parts {
  cwd: string;
  runId: string;
  setup: string | null;
  shared: SharedFolder;
  /** Or why there is none. */
  repository: RunRepository | NoRepository;
}

type Opened =
  | { kind: 'worktree'; session: WorktreeSession; limits: WorkspaceLimits }
  | { kind: 'shared'; stay: FolderUse; notes: string[]; changes: Changes | null };

/** Work is kept also where the workstream had little time, and for some time after the run was interrupted. */
const CAPTURE_SECONDS = 10;

/** Made by `openWorkspaces`. */
export class GitWorkspaces implements Workspaces {
  readonly #parts: Parts;
  /** By the object that `open` gave: workspaces in the shared folder are alike otherwise. */
  readonly #opened = new WeakMap<Workspace, Opened>();
  readonly #copies = new WeakMap<ReviewCopy, OpenCopy>();
  readonly #staying: StayingWorktree[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A folder to work in, or why there is none: where a worktree is asked for and can't be, nothing starts. */
  async open(request: WorkspaceRequest): Promise<Workspace | Failure> {
    const { repository, setup, runId } = this.#parts;
    const { kind, limits } = request;
    if (kind === 'shared') return this.#openShared(request);
    if (!(repository instanceof RunRepository))
      return { reason: 'workspace-error', detail: noWorktree(repository.why) };
    const session = await withinLimits({ runId, ...limits }, () => repository.open(request));
    if ('reason' in session) return session;
    return this.#remember({ folder: session.folder, kind, setup }, { kind, session, limits });
  }

  /** Commits and keeps everything, and returns what has changed. Never rejects: what could not be determined is a note. */
  async harvest(workspace: Workspace, credit?: Credit): Promise<Changes> {
    const opened = this.#find(workspace);
    if (opened.kind === 'worktree')
      return this.#limited(opened, async () => (await opened.session.harvest(credit)).changes);
    opened.changes = await this.#lookAgain(opened.stay, opened.notes);
    return opened.changes;
  }

  /** Makes this candidate the one that counts, as it was judged. What is in the shared folder counts anyway. */
  async choose(workspace: Workspace): Promise<Changes> {
    const opened = this.#find(workspace);
    if (opened.kind === 'worktree') return this.#limited(opened, () => opened.session.choose());
    return opened.changes ?? this.harvest(workspace);
  }

  async copyForReview(workspace: Workspace, length: number): Promise<ReviewCopy | Failure> {
    const { repository, setup } = this.#parts;
    const opened = this.#find(workspace);
    if (opened.kind !== 'worktree' || !(repository instanceof RunRepository))
      return {
        reason: 'workspace-error',
        detail: 'it worked in the shared folder, of which there is no copy',
      };
    return this.#limited(opened, async () => {
      const { changes } = await opened.session.harvested();
      const copy = await repository.openCopy(opened.session.worktree.owner, changes);
      if ('reason' in copy) return copy;
      const { diff, isCut } = await textOfChange(repository.repository, changes, length);
      const made: ReviewCopy = { workspace: { folder: copy.folder, kind: 'worktree', setup }, diff, isCut };
      this.#copies.set(made, copy);
      return made;
    });
  }

  async discardCopy(copy: ReviewCopy): Promise<readonly string[]> {
    const opened = this.#copies.get(copy);
    if (opened === undefined) throw new Error(`The copy ${copy.workspace.folder} is not open.`);
    this.#copies.delete(copy);
    return withinLimits({ runId: this.#parts.runId, seconds: CAPTURE_SECONDS }, () => opened.discard());
  }

  /** Releases the folder. A worktree that holds something that is in no commit stays and is listed. */
  async close(workspace: Workspace): Promise<readonly string[]> {
    const opened = this.#find(workspace);
    this.#opened.delete(workspace);
    if (opened.kind === 'shared') {
      this.#parts.shared.leave(opened.stay);
      return [];
    }
    const { session } = opened;
    const { why, notes } = await this.#limited(opened, () => session.close()).catch(stillThere);
    if (why === null) return notes;
    const { root, owner } = session.worktree;
    const { workstreamId, attempt } = owner;
    this.#staying.push({ folder: root, workstreamId, attempt, why });
    return notes;
  }

  #limited<T>(opened: Opened & { kind: 'worktree' }, work: () => Promise<T>): Promise<T> {
    const { signal, seconds } = opened.limits;
    const enough = { seconds: Math.max(seconds, CAPTURE_SECONDS), secondsAfterAbort: CAPTURE_SECONDS };
    return withinLimits({ runId: this.#parts.runId, signal, ...enough }, work);
  }

  async merged(predicts: boolean): Promise<MergedBranch> {
    const { repository } = this.#parts;
    if (repository instanceof RunRepository) return repository.merged(predicts);
    throw new Error(`There is no branch to merge into: ${repository.why}.`);
  }

  /** Worktrees of this run that were closed and could not be removed. */
  staying(): readonly StayingWorktree[] {
    return this.#staying;
  }

  /**
   * Keeps what this run, or all runs, left in worktrees of killed processes; for the start of a run that is
   * resumed. The folders stay. Nothing without a repository.
   */
  async rescue(runId: string | null): Promise<Rescued[]> {
    const { repository } = this.#parts;
    return repository instanceof RunRepository ? rescue(repository.repository, runId) : [];
  }

  describe(): Description {
    const { repository } = this.#parts;
    return repository instanceof RunRepository
      ? { repository: repository.root, whyShared: null }
      : { repository: null, whyShared: repository.why };
  }

  async #openShared({ workstream }: WorkspaceRequest): Promise<Workspace | Failure> {
    const { shared, cwd, setup, repository } = this.#parts;
    try {
      const stay = await shared.enter(workstream);
      const isRepository = repository instanceof RunRepository;
      if (isRepository) repository.workedInShared(workstream.id);
      const notes =
        isRepository || workstream.workspace !== null || !hasTool(workstream)
          ? []
          : [`It could not work in a worktree: ${repository.why}.`];
      const opened: Opened = { kind: 'shared', stay, notes, changes: null };
      return this.#remember({ folder: cwd, kind: 'shared', setup }, opened);
    } catch (error) {
      return { reason: 'workspace-error', detail: messageOf(error) };
    }
  }

  async #lookAgain(stay: FolderUse, notes: readonly string[]): Promise<Changes> {
    try {
      return await this.#parts.shared.changes(stay, notes);
    } catch (error) {
      const note = `What it changed is not known: ${messageOf(error)}.`;
      const nothing = { files: [], commits: [], branch: null, base: null, head: null, contentHash: null };
      const known = { ...nothing, conflictMarkers: [] };
      return { source: 'scope-look', ...known, notes: [...notes, note] };
    }
  }

  #remember(workspace: Workspace, opened: Opened): Workspace {
    this.#opened.set(workspace, opened);
    return workspace;
  }

  /** @throws for a workspace that `open` did not return or that is closed, which is a bug */
  #find(workspace: Workspace): Opened {
    const opened = this.#opened.get(workspace);
    if (opened === undefined) throw new Error(`The workspace ${workspace.folder} is not open.`);
    return opened;
  }
}

const hasTool = ({ steps }: Workstream): boolean => steps.some(({ kind }) => kind === 'tool');

const stillThere = (error: unknown): Closing => ({ why: messageOf(error), notes: [] });
