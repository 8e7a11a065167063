import type { Changes, Merge } from '../domain/changes.ts';
import type { Failure } from '../domain/failure.ts';
import type { Workspace, WorkspaceRequest, Workspaces } from '../domain/workspaces.ts';
import type { Paths } from './paths.ts';

interface WorkspaceOptions {
  paths: Paths;
  runId: string;
  /** Ignored files that worktrees get as copies, and as links. */
  copy: string[];
  link: string[];
  /** A shell line that prepares a worktree; null for none. */
  setup: string | null;
}

/** Loads what it takes to look after files, and asks git, when the first workstream needs it: most runs never do. */
export class LazyWorkspaces implements Workspaces {
  readonly #options: WorkspaceOptions;
  #loaded: Promise<Workspaces> | null = null;

  constructor(options: WorkspaceOptions) {
    this.#options = options;
  }

  async open(request: WorkspaceRequest): Promise<Workspace | Failure> {
    return (await this.#load()).open(request);
  }

  async harvest(workspace: Workspace): Promise<Changes> {
    return (await this.#load()).harvest(workspace);
  }

  async merge(workspace: Workspace): Promise<Merge> {
    return (await this.#load()).merge(workspace);
  }

  async close(workspace: Workspace): Promise<void> {
    return (await this.#load()).close(workspace);
  }

  #load(): Promise<Workspaces> {
    this.#loaded ??= this.#open();
    return this.#loaded;
  }

  async #open(): Promise<Workspaces> {
    const { paths, runId, copy, link, setup } = this.#options;
    const { openWorkspaces } = await import('../worktree/open-workspaces.ts');
    return openWorkspaces({ cwd: paths.cwd, stateFolder: paths.state, runId, copy, link, setup });
  }
}
