import type { Changes, Merge } from '../../domain/changes.ts';
import type { Failure } from '../../domain/failure.ts';
import type { EarlierWork } from '../../domain/history/earlier-run.ts';
import {
  isFailure,
  type ReviewCopy,
  type Workspace,
  type WorkspaceLimits,
  type Workspaces,
} from '../../domain/workspaces.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { messageOf } from '../../text/error-message.ts';
import { nameSome } from '../../text/format.ts';

export interface WorkspaceManagerParts {
  workspaces: Workspaces;
  /** Absolute folder that workstreams without a workspace of their own work in. */
  folder: string;
  /** Whether accepted work is merged into the run's own branch. */
  merge: boolean;
  /** Completed workstreams of earlier sessions, which others may build on. */
  earlierWork: readonly EarlierWork[];
}

export type WorkspaceError = Extract<Failure, { reason: 'workspace-error' }>;

/**
 * Opens and closes the workspaces of attempts and accepts their work, with everything that goes wrong there as data. In
 * the shared folder changes are only tracked where a workstream names its files.
 */
export class WorkspaceManager {
  readonly #parts: WorkspaceManagerParts;
  readonly #parents = new ParentCommits();
  /** Those that `Workspaces` has opened; the shared folder alone needs neither harvest nor close. */
  readonly #managed = new WeakSet<Workspace>();
  /** The folder that workstreams work in of which nothing has to be known. */
  readonly shared: Workspace;

  constructor(parts: WorkspaceManagerParts) {
    this.#parts = parts;
    this.shared = { folder: parts.folder, kind: 'shared', setup: null };
    for (const work of parts.earlierWork) this.#parents.restore(work);
  }

  /** A folder for one attempt, or why there is none. */
  async open(
    workstream: Workstream,
    who: { agentId: string; attempt: number },
    limits: WorkspaceLimits,
  ): Promise<Workspace | Failure> {
    const { workspaces } = this.#parts;
    const kind = workstream.workspace ?? 'shared';
    if (kind === 'shared' && !hasScope(workstream) && !isUnsettled(workstream)) return this.shared;
    const parents = this.#parents.parentsOf(workstream);
    const request = { workstream, ...who, kind, parents, limits };
    const opened = await workspaces.open(request).catch(asFailure);
    if (!isFailure(opened)) this.#managed.add(opened);
    return opened;
  }

  /** What changed there; null where changes are not tracked. */
  async harvest(workspace: Workspace): Promise<Changes | WorkspaceError | null> {
    if (!this.#managed.has(workspace)) return null;
    return this.#parts.workspaces.harvest(workspace).catch(asFailure);
  }

  /** Makes the work of one of several candidates that of the workstream; null where changes are not tracked. */
  async choose(workspace: Workspace): Promise<Changes | WorkspaceError | null> {
    if (!this.#managed.has(workspace)) return null;
    return this.#parts.workspaces.choose(workspace).catch(asFailure);
  }

  /**
   * Accepts the work of an attempt that completed: dependents build on it, and it is merged into the run's own branch, or
   * it is found out whether it could be. Work that git did not commit is not accepted.
   */
  async accept(
    workstream: Workstream,
    workspace: Workspace,
    changes: Changes | null,
  ): Promise<Merge | WorkspaceError | null> {
    if (workspace.kind === 'worktree') {
      const { workspaces, merge } = this.#parts;
      const taken = merge ? workspaces.merge(workspace) : workspaces.predict(workspace);
      const result = await taken.catch(asFailure);
      if (!('reason' in result)) this.#parents.add(workstream, changes);
      return result;
    }
    this.acceptShared(workstream, changes);
    return null;
  }

  /** As `accept`, in the shared folder, where nothing is merged. */
  acceptShared(workstream: Workstream, changes: Changes | null = null): void {
    this.#parents.add(workstream, changes);
  }

  /** A copy of what an attempt left, with the text of the change in at most `length` characters. */
  async copyForReview(workspace: Workspace, length: number): Promise<ReviewCopy | Failure> {
    if (!this.#managed.has(workspace)) return NO_COPY;
    return this.#parts.workspaces.copyForReview(workspace, length).catch(asFailure);
  }

  /** Removes a copy. Returns what a person should know of it, in a sentence each. */
  async discardCopy(copy: ReviewCopy): Promise<string[]> {
    const changed = await this.#parts.workspaces.discardCopy(copy).catch(asFailure);
    if ('reason' in changed) return [`The copy ${copy.workspace.folder} was left: ${changed.detail}`];
    if (changed.length === 0) return [];
    return [`Its reviewer changed files in the copy, which count for nothing: ${nameSome(changed)}.`];
  }

  /** Returns what a person should know of it, in a sentence each. */
  async close(workspace: Workspace): Promise<readonly string[]> {
    if (!this.#managed.has(workspace)) return [];
    return this.#parts.workspaces
      .close(workspace)
      .catch((error: unknown) => [`Its workspace was left: ${asFailure(error).detail}`]);
  }
}

const hasScope = ({ filesScope, filesCreate }: Workstream): boolean =>
  filesScope.length + filesCreate.length > 0;

/** A tool step without a setting works in the shared folder only where there is no repository, with a warning. */
const isUnsettled = ({ workspace, steps }: Workstream): boolean =>
  workspace === null && steps.some(({ kind }) => kind === 'tool');

const NO_COPY: Failure = {
  reason: 'workspace-error',
  detail: 'it worked in the shared folder, of which there is no copy',
};

function asFailure(error: unknown): WorkspaceError {
  return { reason: 'workspace-error', detail: messageOf(error) };
}

/**
 * Tracks whose commits a workstream builds on: those of its dependencies, and where one left none, those that it built
 * on itself.
 */
class ParentCommits {
  readonly #sources = new Map<string, readonly string[]>();

  /** Adds a workstream that completed. */
  add(workstream: Workstream, changes: Changes | null): void {
    const own = changes?.source === 'git' && changes.branch !== null;
    const sources = own ? [workstream.id] : this.parentsOf(workstream);
    if (sources.length > 0) this.#sources.set(workstream.id, sources);
  }

  /** Adds a workstream that completed in an earlier session or run. */
  restore({ id, dependsOn, hasCommits }: EarlierWork): void {
    const sources = hasCommits ? [id] : this.parentsOf({ dependsOn });
    if (sources.length > 0) this.#sources.set(id, sources);
  }

  /** The workstreams whose commits this one starts from, each once. */
  parentsOf({ dependsOn }: Pick<EarlierWork, 'dependsOn'>): string[] {
    if (this.#sources.size === 0) return [];
    return [...new Set(dependsOn.flatMap(({ id }) => this.#sources.get(id) ?? []))];
  }
}
