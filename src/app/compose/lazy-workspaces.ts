import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Changes } from '../../domain/changes.ts';
import type { Failure } from '../../domain/failure.ts';
import type {
  Credit,
  MergedBranch,
  ReviewCopy,
  Workspace,
  WorkspaceRequest,
  Workspaces,
} from '../../domain/workspaces.ts';
import type { GitWorkspaces } from '../../worktree/git-workspaces.ts';
import type { Paths } from '../paths.ts';

interface WorkspaceOptions {
  paths: Paths;
  runId: string;
  /** Ignored files that worktrees get as copies, and as links. */
  copy: string[];
  link: string[];
  /** A shell line that prepares a worktree; null for none. */
  setup: string | null;
  /** Whether the run began in an earlier process. */
  isResumed: boolean;
  /** The run whose work this one may build on; null for none. */
  retryOf: string | null;
  /** People that commits of Millrace name as co-authors. */
  coAuthors: readonly string[];
  /** Ids of the workstreams of the folder, and of those that are run. */
  backlog: { known: ReadonlySet<string>; toRun: ReadonlySet<string> };
  /** Called with a sentence that concerns the whole run. */
  notify: (text: string) => void;
}

/** Loads the code for workspaces, and asks git, when the first workstream needs it: most runs never do. */
export class LazyGitWorkspaces implements Workspaces {
  readonly #options: WorkspaceOptions;
  #loaded: Promise<GitWorkspaces> | null = null;

  constructor(options: WorkspaceOptions) {
    this.#options = options;
  }

  async open(request: WorkspaceRequest): Promise<Workspace | Failure> {
    return (await this.#load()).open(request);
  }

  async harvest(workspace: Workspace, credit?: Credit): Promise<Changes> {
    return (await this.#load()).harvest(workspace, credit);
  }

  async choose(workspace: Workspace): Promise<Changes> {
    return (await this.#load()).choose(workspace);
  }

  async copyForReview(workspace: Workspace, length: number): Promise<ReviewCopy | Failure> {
    return (await this.#load()).copyForReview(workspace, length);
  }

  async discardCopy(copy: ReviewCopy): Promise<readonly string[]> {
    return (await this.#load()).discardCopy(copy);
  }

  async merged(predicts: boolean): Promise<MergedBranch> {
    return (await this.#load()).merged(predicts);
  }

  async close(workspace: Workspace): Promise<readonly string[]> {
    const workspaces = await this.#load();
    const notes = await workspaces.close(workspace);
    const stays = workspaces
      .staying()
      .find(({ folder }) => workspace.folder === folder || workspace.folder.startsWith(`${folder}${sep}`));
    if (stays === undefined) return notes;
    const isThere = existsSync(stays.folder);
    const what = isThere ? 'Its workspace was left' : 'Its workspace could not be cleared away';
    return [...notes, `${what}: ${stays.folder}, because ${stays.why}.`];
  }

  /**
   * Keeps what a process of this run that was killed left in worktrees. The folders stay, `millrace worktrees` has
   * them. Returns a sentence for each.
   */
  async rescue(): Promise<string[]> {
    const { paths, runId } = this.#options;
    if (!existsSync(join(paths.state, 'worktrees', runId))) return [];
    const rescued = await (await this.#load()).rescue(runId);
    return rescued.map(({ folder, workstreamId, commit, why }) => {
      const what =
        commit === null
          ? `What the worktree ${folder} of ${workstreamId} held could not be kept`
          : `What the worktree ${folder} of ${workstreamId} held is kept as ${commit.slice(0, 12)}`;
      return why === null ? `${what}.` : `${what}: ${why}.`;
    });
  }

  #load(): Promise<GitWorkspaces> {
    this.#loaded ??= this.#open();
    return this.#loaded;
  }

  async #open(): Promise<GitWorkspaces> {
    const { paths, ...options } = this.#options;
    const { openWorkspaces } = await import('../../worktree/open-workspaces.ts');
    return openWorkspaces({ cwd: paths.cwd, stateFolder: paths.state, ...options });
  }
}
