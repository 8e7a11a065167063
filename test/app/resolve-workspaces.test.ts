import { execFileSync } from 'node:child_process';
import { chownSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveWorkspaces } from '../../src/app/resolve-workspaces.ts';
import { runStep, toolStep, workstream } from '../kit/definitions.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const scopes = ['src/**'];
const workstreams = [
  workstream('ws-tool', [toolStep('claude', ['x'])], { scopes }),
  workstream('ws-run', [runStep('true')], { scopes }),
  workstream('ws-says-shared', [toolStep('claude', ['x'])], { scopes, workspace: 'shared' }),
  workstream('ws-says-worktree', [runStep('true')], { scopes, workspace: 'worktree' }),
];

const git = (cwd: string, ...args: string[]) => execFileSync('git', args, { cwd, stdio: 'ignore' });

/** An empty repository. */
function repository(): string {
  const folder = temporaryFolder();
  git(folder, 'init', '-q');
  return folder;
}

function commit(folder: string): string {
  git(folder, '-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '--allow-empty', '-m', 'x');
  return folder;
}

/** A repository of somebody else's, as git sees it. */
function owned(folder: string): string {
  chownSync(folder, 12_345, 12_345);
  return folder;
}

function without(folder: string, path: string): string {
  rmSync(join(folder, path), { recursive: true });
  return folder;
}

function bare(): string {
  const folder = temporaryFolder();
  git(folder, 'init', '-q', '--bare');
  return folder;
}

const settle = (folder: string, ofTheRun: 'shared' | 'worktree' | null = null) =>
  resolveWorkspaces({ workstreams, broken: [], problems: [] }, ofTheRun, folder);

const settled = (folder: string, ofTheRun: 'shared' | 'worktree' | null = null) =>
  settle(folder, ofTheRun).workstreams.map((each) => `${each.workspace} ${each.scopes.join()}`);

test('tool steps get a tree of their own, in which nobody is in their way', () => {
  expect(settled(commit(repository()))).toEqual(['worktree ', 'null src/**', 'shared src/**', 'worktree ']);
});

test('the run decides for those that do not say', () => {
  const folder = commit(repository());
  expect(settled(folder, 'shared')).toEqual(['shared src/**', 'null src/**', 'shared src/**', 'worktree ']);
  expect(settled(folder, 'worktree')).toEqual(['worktree ', 'worktree ', 'shared src/**', 'worktree ']);
});

test('outside of any repository tool steps share one tree, and scopes keep them apart', () => {
  const { workstreams: left, broken, problems } = settle(temporaryFolder());
  expect(left.map((each) => `${each.id} ${each.workspace} ${each.scopes.join()}`)).toEqual([
    'ws-tool null src/**',
    'ws-run null src/**',
    'ws-says-shared shared src/**',
  ]);
  expect(broken).toEqual([
    expect.objectContaining({
      id: 'ws-says-worktree',
      failure: { reason: 'workspace-error', detail: expect.stringContaining('"workspace": "shared"') },
    }),
  ]);
  expect(problems).toEqual([
    expect.objectContaining({ severity: 'error', workstreamId: 'ws-says-worktree' }),
  ]);
  expect(settle(temporaryFolder(), 'worktree').broken.map(({ id }) => id)).toEqual([
    'ws-tool',
    'ws-run',
    'ws-says-worktree',
  ]);
});

test.each([
  ['that has no commit', repository, 'no commit'],
  ['that git refuses', () => owned(commit(repository())), 'dubious ownership'],
  ['whose HEAD is lost', () => without(commit(repository()), '.git/HEAD'), 'not a git repository'],
  ['whose objects are lost', () => without(commit(repository()), '.git/objects'), 'not a git repository'],
  ['that is bare', () => join(bare(), '.'), 'work tree'],
  ['in its .git folder', () => join(commit(repository()), '.git'), 'work tree'],
])('in a repository %s nothing that is to work in a worktree starts', (_name, make, why) => {
  const folder = make();
  expect(settled(folder)).toEqual(['null src/**', 'shared src/**']);
  const { broken } = settle(folder);
  expect(broken.map(({ id }) => id)).toEqual(['ws-tool', 'ws-says-worktree']);
  expect(JSON.stringify(broken)).toContain(why);
});
