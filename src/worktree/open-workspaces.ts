/** The entry of this room for a run. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { GitWorkspaces } from './git-workspaces.ts';
import type { StartQuestion } from './merging/earlier-merge.ts';
import { findRepository } from './repository.ts';
import { RunRepository } from './run-repository.ts';
import { SharedFolder } from './shared-folder.ts';

export interface WorkspacesOptions {
  /** Absolute folder that Millrace was started in. */
  cwd: string;
  /** Absolute state folder; worktrees are below it. It is made when the first worktree is. */
  stateFolder: string;
  runId: string;
  /** A shell line that prepares a workspace; part of each workspace. Default: null. */
  setup?: string | null;
  /** Paths or globs, relative to `cwd`, of ignored files that each worktree gets a copy of. Default: none. */
  copy?: readonly string[];
  /** The same, for those that each worktree gets a symbolic link to. Default: none. */
  link?: readonly string[];
  /** Whether the run began in an earlier process, whose start commit it uses. Default: false. */
  isResumed?: boolean;
  /** The run whose failures this one tries again: what completed there can be built on. Default: null. */
  retryOf?: string | null;
  /** People that commits of Millrace name as co-authors, as `Name <address>`. Default: none. */
  coAuthors?: readonly string[];
  /** Ids of the workstreams of the folder, and of those that are run. Default: none, so that it starts from HEAD. */
  backlog?: Pick<StartQuestion, 'known' | 'toRun'>;
  /** Called with a sentence that concerns the whole run. Default: nobody. */
  notify?: (text: string) => void;
}

const NO_BACKLOG = { known: new Set<string>(), toRun: new Set<string>() };

/**
 * Checks whether `cwd` is in a git repository with a commit, in which workspaces may be worktrees. Writes nothing before
 * a worktree is opened.
 */
export async function openWorkspaces(options: WorkspacesOptions): Promise<GitWorkspaces> {
  const {
    runId,
    setup = null,
    copy = [],
    link = [],
    retryOf = null,
    isResumed = false,
    coAuthors = [],
    backlog = NO_BACKLOG,
    notify = () => undefined,
  } = options;
  const cwd = resolve(options.cwd);
  const stateFolder = await realPath(resolve(options.stateFolder));
  const found = await findRepository(cwd);
  return new GitWorkspaces({
    cwd,
    runId,
    setup,
    shared: new SharedFolder(await realPath(cwd), stateFolder),
    repository:
      'why' in found
        ? found
        : new RunRepository(found, {
            runId,
            stateFolder,
            copy,
            link,
            retryOf,
            isResumed,
            setup,
            coAuthors,
            backlog,
            notify,
          }),
  });
}

/** Without symbolic links, as git names folders, also where the last folders are not there yet. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (dirname(path) === path) throw error;
    return join(await realPath(dirname(path)), basename(path));
  }
}
