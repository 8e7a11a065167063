import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { settleWorkspaces } from '../../src/app/settle-workspaces.ts';
import { runStep, toolStep, workstream } from '../rig/definitions.ts';
import { temporaryFolder } from '../rig/temporary-folder.ts';

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

const settled = (folder: string, ofTheRun: 'shared' | 'worktree' | null = null) =>
  settleWorkspaces(workstreams, ofTheRun, folder).map((each) => `${each.workspace} ${each.scopes.join()}`);

test('tool steps get a tree of their own, in which nobody is in their way', () => {
  expect(settled(commit(repository()))).toEqual(['worktree ', 'null src/**', 'shared src/**', 'worktree ']);
});

test('the run decides for those that do not say', () => {
  const folder = commit(repository());
  expect(settled(folder, 'shared')).toEqual(['null src/**', 'null src/**', 'shared src/**', 'worktree ']);
  expect(settled(folder, 'worktree')).toEqual(['worktree ', 'worktree ', 'shared src/**', 'worktree ']);
});

test.each([
  ['where there is no repository', temporaryFolder],
  ['where it has no commit', repository],
])('%s all share one tree, and scopes keep them apart', (_name, folder) => {
  expect(settled(folder())).toEqual(['worktree src/**', 'null src/**', 'shared src/**', 'worktree src/**']);
});
