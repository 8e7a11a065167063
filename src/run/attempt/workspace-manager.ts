import { type Changes, type Merge, mergeOf } from '../../domain/changes.ts';
import type { Failure } from '../../domain/failure.ts';
import type { EarlierWork } from '../../domain/history/earlier-run.ts';
import {
  type Credit,
  isFailure,
  type KeptWorkspace,
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
  /** Whether work on files outside its scope stays on its own branch. */
  parksOutsideScope: boolean;
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

  /**
   * A folder for one attempt, or why there is none.
   * @param kept what an earlier session of the run has left of it. Default: nothing, it begins anew.
   */
  async open(
    workstream: Workstream,
    who: { agentId: string; attempt: number },
    limits: WorkspaceLimits,
    kept?: KeptWorkspace,
  ): Promise<Workspace | Failure> {
    const { workspaces } = this.#parts;
    const kind = workstream.workspace ?? 'shared';
    if (kind === 'shared' && !hasScope(workstream) && !isUnsettled(workstream)) return this.shared;
    const parents = this.#parents.parentsOf(workstream);
    const request = { workstream, ...who, kind, parents, limits, ...(kept === undefined ? {} : { kept }) };
    const opened = await workspaces.open(request).catch(asFailure);
    if (!isFailure(opened)) this.#managed.add(opened);
    return opened;
  }

  /** What changed there; null where changes are not tracked. */
  async harvest(workspace: Workspace, credit?: Credit): Promise<Changes | WorkspaceError | null> {
    if (!this.#managed.has(workspace)) return null;
    return this.#parts.workspaces.harvest(workspace, credit).catch(asFailure);
  }

  /** Makes the work of one of several candidates that of the workstream; null where changes are not tracked. */
  async choose(workspace: Workspace): Promise<Changes | WorkspaceError | null> {
    if (!this.#managed.has(workspace)) return null;
    return this.#parts.workspaces.choose(workspace).catch(asFailure);
  }

  /**
   * Accepts the work of an attempt that completed: dependents build on it, and it is to be merged into the run's own
   * branch, unless it changed files outside its scope and such work is parked. Null where nothing is ever merged.
   */
  accept(
    workstream: Workstream,
    workspace: Workspace,
    { changes, outsideScope }: { changes: Changes | null; outsideScope: string[] },
  ): Merge | null {
    this.#parents.add(workstream, changes);
    if (workspace.kind !== 'worktree') return null;
    if (changes === null || changes.contentHash === null) return mergeOf({ status: 'nothing-to-merge' });
    const isParked = this.#parts.parksOutsideScope && outsideScope.length > 0;
    const detail = isParked ? 'it changed files outside its files_scope (--outside-scope park)' : '';
    return mergeOf({ status: isParked ? 'outside-scope' : 'pending', detail, outsideScope });
  }

  /** As `accept`, in the shared folder, of which no changes are known. */
  acceptShared(workstream: Workstream): void {
    this.#parents.add(workstream, null);
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
