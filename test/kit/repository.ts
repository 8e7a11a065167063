/** Real repositories for tests, and workspaces in them. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ChangedFile, Changes, Merge } from '../../src/domain/changes.ts';
import type { Workspace, WorkspaceRequest } from '../../src/domain/workspaces.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { MergeQueue } from '../../src/run/merge-queue.ts';
import { MergedTests, type MergedTestsParts } from '../../src/run/merged-tests.ts';
import { emptyWorkstream } from '../../src/workstream/normalize.ts';
import { gitEnvironment } from '../../src/worktree/git.ts';
import type { GitWorkspaces } from '../../src/worktree/git-workspaces.ts';
import { openWorkspaces, type WorkspacesOptions } from '../../src/worktree/open-workspaces.ts';
import { lockReason } from '../../src/worktree/worktree.ts';
import { writeFiles } from './command.ts';
import { workstream } from './definitions.ts';
import { ScriptedEngine } from './scripted-engine.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const RUN = 'ma-run-20260102-030405';

const identity = ['USER', 'AGENT'].map((name) => name.toLowerCase());

/** Runs git as a user would, or, in a worktree, as an agent. @throws with what git said when it fails */
export function git(folder: string, ...args: string[]): string {
  const name = identity[folder.includes('worktrees') ? 1 : 0];
  const who = ['-c', `user.name=${name}`, '-c', `user.email=${name}@example.com`];
  return execFileSync('git', [...who, '-c', 'protocol.file.allow=always', ...args], {
    cwd: folder,
    env: gitEnvironment(process.env),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1e9,
  });
}

/** Adds all and commits; gives the hash. */
export function commitAll(folder: string, message = 'work'): string {
  git(folder, 'add', '-A');
  git(
    folder,
    '-c',
    'core.hooksPath=/dev/null',
    'commit',
    '-q',
    '--no-gpg-sign',
    '--allow-empty',
    '-m',
    message,
  );
  return git(folder, 'rev-parse', 'HEAD').trim();
}

/** A repository with one commit of these files, `.state/` ignored. */
export function makeRepository(
  files: Record<string, string> = { 'a.txt': 'a\n', 'b.txt': 'b\n' },
  folder = join(temporaryFolder(), 'repo'),
): string {
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '-q', '-b', 'main');
  writeFiles(folder, { '.gitignore': '.state/\n', ...files });
  commitAll(folder, 'first');
  return folder;
}

/** Of a run that may have begun before. */
export function workspacesIn(cwd: string, options: Partial<WorkspacesOptions> = {}): Promise<GitWorkspaces> {
  return openWorkspaces({ cwd, stateFolder: join(cwd, '.state'), runId: RUN, isResumed: true, ...options });
}

export const request = (
  id: string,
  fields: Partial<WorkspaceRequest> = {},
  definition: Partial<Workstream> = {},
): WorkspaceRequest => ({
  workstream: workstream(id, [], definition),
  agentId: 'agent-1',
  attempt: 1,
  kind: 'worktree',
  parents: [],
  limits: { seconds: 3600, signal: new AbortController().signal },
  ...fields,
});

/** Opens a workspace. @throws if it can't be opened */
export async function opened(
  workspaces: GitWorkspaces,
  id: string,
  fields: Partial<WorkspaceRequest> = {},
  definition: Partial<Workstream> = {},
): Promise<Workspace> {
  const workspace = await workspaces.open(request(id, fields, definition));
  if ('reason' in workspace) throw new Error(JSON.stringify(workspace));
  return workspace;
}

/** A worktree in which `files` were written, harvested. */
export async function worked(
  workspaces: GitWorkspaces,
  id: string,
  files: Record<string, string>,
  fields: Partial<WorkspaceRequest> = {},
): Promise<{ workspace: Workspace; changes: Changes }> {
  const workspace = await opened(workspaces, id, fields);
  writeFiles(workspace.folder, files);
  return { workspace, changes: await workspaces.harvest(workspace) };
}

/** What becomes of harvested work in the run's own branch, or would. Nothing is tested. */
export async function merge(workspaces: GitWorkspaces, changes: Changes, predicts = false): Promise<Merge> {
  const id = /\/ma-run-[^/]+\/([^/]+)/.exec(changes.branch ?? '')?.[1] ?? 'ws-nameless';
  if (changes.head === null) throw new Error(`the work of ${id} was not captured`);
  const merges: Merge[] = [];
  await new Promise<void>((resolve, reject) => {
    const queue = new MergeQueue({
      workstreams: [workstream(id, [], { workspace: 'worktree' })],
      waiting: [{ workstreamId: id, agentId: 'agent-1', attempt: 1, commit: changes.head ?? '' }],
      left: [],
      kept: new Set(),
      openBranch: () => workspaces.merged(predicts),
      tests: predicts ? null : new MergedTests({ ...NO_TESTS, lease: async () => null }),
      publish: (_, found) => merges.push(found),
      warn: (text) => reject(new Error(text)),
      onChange: () => resolve(),
    });
    queue.begin();
  });
  const last = merges.at(-1);
  if (last === undefined) throw new Error(`nothing became of the work of ${id}`);
  return last;
}

const NO_TESTS: Omit<MergedTestsParts, 'lease'> = {
  runId: RUN,
  engine: new ScriptedEngine(() => {
    throw new Error('nothing is to be run');
  }),
  limits: { timeoutSeconds: 60, graceSeconds: 1, maxOutputMb: 1 },
  project: '/nowhere',
  logFolder: 'logs',
  shell: 'sh',
  gates: {},
  configured: [],
  emptyWorkstream,
  defined: [],
  toolsOf: () => ({}),
};

/** `status path`, or `renamed from → path`. */
export const short = ({ files }: Changes): string[] =>
  files.map(({ status, from, path }: ChangedFile) => `${status} ${from === null ? '' : `${from} → `}${path}`);

/** The content of a file in a commit. */
export const contentIn = (folder: string, commit: string, path: string): string =>
  git(folder, 'show', `${commit}:${path}`);

/** Every file below a folder with a digest of its content, `skip` left out: equal only if nothing was touched. */
export function digest(folder: string, skip: (path: string) => boolean = () => false): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    if (path !== '' && skip(path)) return;
    const full = join(folder, path);
    const stat = lstatSync(full);
    if (stat.isDirectory()) for (const name of readdirSync(full)) visit(join(path, name));
    else if (stat.isSymbolicLink()) found.set(path, `link ${readlinkSync(full)}`);
    else found.set(path, `${stat.mtimeMs} ${createHash('sha256').update(readFileSync(full)).digest('hex')}`);
  };
  visit('');
  return found;
}

/** Makes a worktree of `ws-a` look as if its process had been killed. */
export async function abandon(repo: string, folder: string): Promise<void> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'close');
  const reason = lockReason({
    runId: RUN,
    workstreamId: 'ws-a',
    attempt: 1,
    agentId: 'agent-1',
    start: git(folder, 'rev-parse', 'HEAD').trim(),
    process: { pid: child.pid ?? 0, started: '1', hostname: hostname() },
  });
  git(repo, 'worktree', 'unlock', folder);
  git(repo, 'worktree', 'lock', '--reason', reason, folder);
}
