import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../kit/command.ts';
import {
  commitAll,
  git,
  makeRepository,
  merge,
  opened,
  RUN,
  request,
  short,
  worked,
  workspacesIn,
} from '../kit/repository.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

describe('repositories of every kind', () => {
  test('a detached HEAD', async () => {
    const repo = makeRepository();
    git(repo, 'checkout', '-q', '--detach');
    const { changes } = await worked(await workspacesIn(repo), 'ws-a', { x: '' });
    expect(short(changes)).toEqual(['added x']);
    expect(git(repo, 'status', '--porcelain', '--branch')).toBe('## HEAD (no branch)\n');
  });

  test('a linked worktree of the user', async () => {
    const repo = makeRepository();
    const linked = join(temporaryFolder(), 'linked');
    git(repo, 'worktree', 'add', '-q', '-b', 'mine', linked);
    writeFiles(linked, { 'mine.txt': '' });
    const base = commitAll(linked, 'mine');
    const workspaces = await workspacesIn(linked);
    const { workspace, changes } = await worked(workspaces, 'ws-a', { x: '' });
    expect(changes.base).toBe(base);
    await workspaces.close(workspace);
    expect(git(repo, 'worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(2);
  });

  test.each([['no repository'], ['no commit yet']])(
    '%s: no worktree, and nothing else instead',
    async (kind) => {
      const folder = temporaryFolder();
      if (kind === 'no commit yet') git(folder, 'init', '-q');
      const workspaces = await workspacesIn(folder);
      expect(await workspaces.open(request('ws-a', {}, { filesScope: ['src'] }))).toEqual({
        reason: 'workspace-error',
        detail: expect.stringContaining('"workspace": "shared"'),
      });
      expect(workspaces.describe().repository).toBeNull();
      const shared = await opened(workspaces, 'ws-b', { kind: 'shared' }, { filesScope: ['src'] });
      expect(shared).toEqual({ folder, kind: 'shared', setup: null });
      writeFiles(folder, { 'src/a.txt': 'a' });
      const changes = await workspaces.harvest(shared);
      expect(changes).toMatchObject({
        source: 'scope-look',
        files: [{ path: 'src/a.txt', status: 'added' }],
      });
    },
  );

  test.each([
    ['a branch', 'millrace'],
    ['a damaged one', null],
  ])(
    '%s that leaves no room for those of Millrace: work is kept and merged by refs',
    async (_what, branch) => {
      const repo = makeRepository();
      if (branch === null) writeFiles(repo, { '.git/refs/heads/millrace': 'no commit\n' });
      else git(repo, 'branch', branch);
      const workspaces = await workspacesIn(repo);
      for (const id of ['ws-a', 'ws-b']) {
        const { workspace, changes } = await worked(workspaces, id, { [id]: '' });
        expect(changes.branch).toBe(`refs/millrace/${RUN}/${id}/1`);
        expect(await merge(workspaces, changes)).toMatchObject({
          status: 'merged',
          branch: `refs/millrace/${RUN}/_merged`,
        });
        await workspaces.close(workspace);
      }
      // Room is made while the run goes on: what was merged stays together.
      if (branch === null) rmSync(join(repo, '.git/refs/heads/millrace'));
      else git(repo, 'branch', '-D', branch);
      const { changes } = await worked(workspaces, 'ws-c', { 'ws-c': '' });
      expect((await merge(workspaces, changes)).status).toBe('merged');
      expect(git(repo, 'ls-tree', '--name-only', `refs/millrace/${RUN}/_merged`)).toContain(
        'ws-a\nws-b\nws-c\n',
      );
    },
  );

  test('a branch below the own one of the run: work is merged by refs', async () => {
    const repo = makeRepository();
    git(repo, 'branch', `millrace/${RUN}/_merged/mine`);
    const workspaces = await workspacesIn(repo);
    const { changes } = await worked(workspaces, 'ws-a', { x: '' });
    const merged = { status: 'merged', branch: `refs/millrace/${RUN}/_merged` };
    expect(await merge(workspaces, changes)).toMatchObject(merged);
  });

  test('a sparse checkout: work outside of it is captured, what is not checked out is not deleted', async () => {
    const repo = makeRepository({ 'in/a.txt': 'a\n', 'out/b.txt': 'b\n', 'top.txt': '' });
    git(repo, 'sparse-checkout', 'set', 'in');
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    expect(existsSync(join(workspace.folder, 'out'))).toBe(false);
    writeFiles(workspace.folder, {
      'in/a.txt': 'changed\n',
      'out/new.txt': 'new\n',
      'elsewhere/x.txt': 'x\n',
    });
    const changes = await workspaces.harvest(workspace);
    expect(short(changes)).toEqual(['added elsewhere/x.txt', 'modified in/a.txt', 'added out/new.txt']);
  });

  test.each([['core.sshCommand'], ['GIT_SSH_COMMAND']])(
    'a partial clone: files that it lacks come by the %s of the user',
    async (setting) => {
      const origin = makeRepository();
      git(origin, 'config', 'uploadpack.allowFilter', 'true');
      const folder = temporaryFolder();
      // Takes the place of ssh: the last word is what it is to run on the other side.
      writeFiles(folder, { ssh: '#!/bin/sh\nfor word; do :; done\nexec sh -c "$word"\n' });
      const ssh = join(folder, 'ssh');
      chmodSync(ssh, 0o755);
      const partial = ['--filter=blob:none', '--no-checkout', `ssh://host${origin}`, 'partial'];
      git(folder, '-c', `core.sshCommand=${ssh}`, 'clone', '-q', ...partial);
      const repo = join(folder, 'partial');
      if (setting === 'GIT_SSH_COMMAND') process.env[setting] = ssh;
      else git(repo, 'config', setting, ssh);
      try {
        const workspace = await opened(await workspacesIn(repo), 'ws-a');
        expect(readFileSync(join(workspace.folder, 'a.txt'), 'utf8')).toBe('a\n');
      } finally {
        delete process.env['GIT_SSH_COMMAND'];
      }
    },
  );

  test('a submodule: starts empty, and one that was changed keeps the worktree', async () => {
    const library = makeRepository({ 'lib.txt': 'lib\n' });
    const repo = makeRepository();
    git(repo, 'submodule', '--quiet', 'add', library, 'lib');
    commitAll(repo, 'submodule');
    const workspaces = await workspacesIn(repo);
    const first = await worked(workspaces, 'ws-a', { x: '' });
    expect(short(first.changes)).toEqual(['added x']);
    expect(first.changes.notes).toEqual(['Submodules, which start empty: lib.']);
    await workspaces.close(first.workspace);
    expect(existsSync(first.workspace.folder)).toBe(false);
    const second = await opened(workspaces, 'ws-b');
    git(second.folder, 'submodule', '--quiet', 'update', '--init');
    writeFiles(second.folder, { 'lib/lib.txt': 'changed\n' });
    const dirty = await workspaces.harvest(second);
    expect(dirty.notes.join()).toContain('Submodules that changed');
    commitAll(join(second.folder, 'lib'), 'in the submodule');
    const moved = await workspaces.harvest(second);
    expect(moved.files).toEqual([
      { path: 'lib', from: null, status: 'modified', linesAdded: null, linesRemoved: null },
    ]);
    await workspaces.close(second);
    expect(readFileSync(join(second.folder, 'lib/lib.txt'), 'utf8')).toBe('changed\n');
    expect(workspaces.staying()).toHaveLength(1);
  });

  test("the user's hooks, signing and environment neither run nor count", async () => {
    const repo = makeRepository();
    git(repo, 'config', 'commit.gpgsign', 'true');
    git(repo, 'config', 'gpg.program', 'false');
    git(repo, 'config', 'user.useConfigOnly', 'true');
    git(repo, 'config', 'core.fsmonitor', 'true');
    const hooks = ['post-checkout', 'reference-transaction', 'post-index-change', 'pre-commit'];
    for (const hook of hooks) {
      writeFiles(repo, { [`.git/hooks/${hook}`]: '#!/bin/sh\ntouch "$GIT_COMMON_DIR/../ran" ran; exit 1\n' });
      chmodSync(join(repo, '.git/hooks', hook), 0o755);
    }
    git(repo, 'config', 'core.hooksPath', join(repo, '.git/hooks'));
    process.env['GIT_DIR'] = '/nowhere';
    process.env['GIT_INDEX_FILE'] = '/nowhere/index';
    try {
      const workspaces = await workspacesIn(repo);
      const { workspace, changes } = await worked(workspaces, 'ws-a', { x: '' });
      expect(short(changes)).toEqual(['added x']);
      expect((await merge(workspaces, changes)).status).toBe('merged');
      await workspaces.close(workspace);
      expect(existsSync(workspace.folder)).toBe(false);
    } finally {
      delete process.env['GIT_DIR'];
      delete process.env['GIT_INDEX_FILE'];
    }
  });

  test("this project's own history, where there is one", async (context) => {
    const own = fileURLToPath(new URL('../..', import.meta.url));
    if (!existsSync(join(own, '.git'))) context.skip();
    const repo = join(temporaryFolder(), 'own');
    git(own, 'clone', '-q', '--no-local', own, repo);
    const workspaces = await workspacesIn(repo);
    const { workspace, changes } = await worked(workspaces, 'ws-a', {
      'package.json': '{}\n',
      'src/new.ts': '',
    });
    expect(short(changes)).toEqual(['modified package.json', 'added src/new.ts']);
    expect((await merge(workspaces, changes)).status).toBe('merged');
    await workspaces.close(workspace);
    expect(git(repo, 'status', '--porcelain')).toBe('');
  });
});
