import { chmodSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changesSchema } from '../../src/domain/changes.ts';
import { findRepository } from '../../src/worktree/repository.ts';
import { prune } from '../../src/worktree/rescue.ts';
import { writeFiles } from '../kit/command.ts';
import {
  abandon,
  commitAll,
  contentIn,
  digest,
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

const lines = (count: number, of = 'line'): string =>
  Array.from({ length: count }, (_, index) => `${of} ${index}\n`).join('');

describe('what an attempt left', () => {
  test('is committed: staged, unstaged, untracked, deleted, renamed, binary, mode', async () => {
    const repo = makeRepository({
      'edit.txt': lines(10),
      'stage.txt': 'x\n',
      'gone.txt': 'gone\n',
      'old name.txt': lines(30, 'moved'),
      'run.sh': 'echo\n',
      'data.bin': 'text before\n',
    });
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a', {}, { title: 'Do\nit' });
    const at = (path: string): string => join(workspace.folder, path);
    writeFileSync(at('edit.txt'), `${lines(10)}one more\n`);
    writeFileSync(at('stage.txt'), 'y\n');
    git(workspace.folder, 'add', 'stage.txt');
    rmSync(at('gone.txt'));
    renameSync(at('old name.txt'), at('new name.txt'));
    chmodSync(at('run.sh'), 0o755);
    writeFileSync(at('data.bin'), Buffer.from([0, 1, 2, 0, 255]));
    writeFiles(workspace.folder, { 'deep/er/new.txt': 'n\nn\n' });
    const indexBefore = git(workspace.folder, 'ls-files', '-s');
    const changes = await workspaces.harvest(workspace);
    expect(changesSchema.parse(changes)).toEqual(changes);
    expect(git(workspace.folder, 'ls-files', '-s')).toBe(indexBefore);
    expect(changes.files).toEqual([
      { path: 'data.bin', from: null, status: 'modified', linesAdded: null, linesRemoved: null },
      { path: 'deep/er/new.txt', from: null, status: 'added', linesAdded: 2, linesRemoved: 0 },
      { path: 'edit.txt', from: null, status: 'modified', linesAdded: 1, linesRemoved: 0 },
      { path: 'gone.txt', from: null, status: 'deleted', linesAdded: 0, linesRemoved: 1 },
      { path: 'new name.txt', from: 'old name.txt', status: 'renamed', linesAdded: 0, linesRemoved: 0 },
      { path: 'run.sh', from: null, status: 'modified', linesAdded: 0, linesRemoved: 0 },
      { path: 'stage.txt', from: null, status: 'modified', linesAdded: 1, linesRemoved: 1 },
    ]);
    expect(changes).toMatchObject({ source: 'git', branch: `millrace/${RUN}/ws-a`, notes: [] });
    expect(changes.commits).toEqual([changes.head]);
    expect(git(repo, 'rev-parse', `millrace/${RUN}/ws-a`).trim()).toBe(changes.head);
    expect(git(repo, 'rev-parse', `refs/millrace/${RUN}/ws-a/1`).trim()).toBe(changes.head);
    const message = git(repo, 'log', '-1', '--format=%an <%ae> %cn%n%B', changes.head ?? '');
    expect(message.trim()).toBe(
      `Millrace <millrace@localhost> Millrace\nws-a: Do it\n\nMillrace-Run: ${RUN}\nMillrace-Workstream: ws-a\n` +
        'Millrace-Agent: agent-1\nMillrace-Attempt: 1',
    );
  });

  test('keeps names with spaces, quotes, emoji, line ends and what looks like a pattern', async () => {
    const repo = makeRepository();
    const names = [
      'a b.txt',
      'say "hi"\'.txt',
      '🦀/ü.txt',
      'line\nend.txt',
      '[x]*?.txt',
      ':(top)x',
      '-rf',
      'tab\there',
    ];
    const workspaces = await workspacesIn(repo);
    const { changes } = await worked(
      workspaces,
      'ws-a',
      Object.fromEntries(names.map((name) => [name, 'x\n'])),
    );
    expect(changes.files.map(({ path }) => path).toSorted()).toEqual(names.toSorted());
    expect(changes.files.every(({ status, linesAdded }) => status === 'added' && linesAdded === 1)).toBe(
      true,
    );
  });

  test('marks of a conflict: those that came and stayed, not those that were there or were resolved', async () => {
    const marks = '<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n';
    const repo = makeRepository({ 'before.md': marks, 'resolved.txt': marks, 'both.txt': 'x\n' });
    const { changes } = await worked(await workspacesIn(repo), 'ws-a', {
      'before.md': `${marks}more\n`,
      'resolved.txt': 'a\nb\n',
      'both.txt': marks,
      'dir/new [1].txt': marks,
      'half.txt': '<<<<<<< is how a conflict begins\n',
      'title.rst': 'Title\n=======\n',
    });
    expect(changes.conflictMarkers).toEqual(['both.txt', 'dir/new [1].txt']);
  });

  test('nothing: no commit, no branch, no hash, and a ref from which dependents start', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const { changes } = await worked(workspaces, 'ws-a', {});
    expect(changes).toMatchObject({ files: [], commits: [], branch: null, contentHash: null, notes: [] });
    expect(changes.head).toBe(changes.base);
    expect(git(repo, 'rev-parse', `refs/millrace/${RUN}/ws-a/1`).trim()).toBe(changes.base);
  });

  test('harvested again is the same commit, and a new one when there is more', async () => {
    const workspaces = await workspacesIn(makeRepository());
    const { workspace, changes } = await worked(workspaces, 'ws-a', { 'new.txt': '1\n' });
    expect(await workspaces.harvest(workspace)).toEqual(changes);
    rmSync(join(workspace.folder, 'new.txt'));
    writeFiles(workspace.folder, { 'other.txt': '2\n' });
    const again = await workspaces.harvest(workspace);
    expect(short(again)).toEqual(['added other.txt']);
    const earlier = git(workspace.folder, 'rev-parse', `refs/millrace/${RUN}/ws-a/1-earlier-1`).trim();
    expect(earlier).toBe(changes.head);
  });

  test('the same content has the same hash, other content or another name another', async () => {
    const workspaces = await workspacesIn(makeRepository());
    const hashes: (string | null)[] = [];
    for (const [attempt, files] of [{ x: '1' }, { x: '2' }, { x: '1' }, { y: '1' }].entries()) {
      hashes.push((await worked(workspaces, 'ws-a', files, { attempt: attempt + 1 })).changes.contentHash);
    }
    expect(hashes[2]).toBe(hashes[0]);
    expect(new Set(hashes).size).toBe(3);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a file changed in the moment of checkout with the same size is seen', async () => {
    const workspaces = await workspacesIn(makeRepository({ 'a.txt': 'aaaa\n' }));
    const { changes } = await worked(workspaces, 'ws-a', { 'a.txt': 'bbbb\n' });
    expect(short(changes)).toEqual(['modified a.txt']);
  });

  test('changes hidden from git by marks in the index are seen', async () => {
    const workspaces = await workspacesIn(makeRepository());
    const workspace = await opened(workspaces, 'ws-a');
    git(workspace.folder, 'update-index', '--assume-unchanged', 'a.txt');
    git(workspace.folder, 'update-index', '--skip-worktree', 'b.txt');
    writeFiles(workspace.folder, { 'a.txt': 'other\n', 'b.txt': 'other\n' });
    expect(short(await workspaces.harvest(workspace))).toEqual(['modified a.txt', 'modified b.txt']);
  });

  test('a retry moves the branch, and what the first attempt left is kept', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const first = await worked(workspaces, 'ws-a', { 'a.txt': 'first\n' });
    const second = await worked(workspaces, 'ws-a', { 'a.txt': 'second\n' }, { attempt: 2 });
    expect(readFileSync(join(second.workspace.folder, 'b.txt'), 'utf8')).toBe('b\n');
    expect(contentIn(repo, `millrace/${RUN}/ws-a`, 'a.txt')).toBe('second\n');
    expect(contentIn(repo, `refs/millrace/${RUN}/ws-a/1`, 'a.txt')).toBe('first\n');
    expect(second.changes.base).toBe(first.changes.base);
  });

  test('a branch on which the user has committed is not moved', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    await worked(workspaces, 'ws-a', { 'a.txt': 'first\n' });
    git(repo, 'checkout', '-q', `millrace/${RUN}/ws-a`);
    const own = commitAll(repo, 'mine');
    const again = await worked(workspaces, 'ws-a', { 'a.txt': 'second\n' }, { attempt: 2 });
    expect(again.changes.branch).toBe(`refs/millrace/${RUN}/ws-a/2`);
    expect(again.changes.notes.join()).toContain('checked out');
    git(repo, 'checkout', '-q', 'main');
    const third = await worked(workspaces, 'ws-a', { 'a.txt': 'third\n' }, { attempt: 3 });
    expect(third.changes.notes.join()).toContain("not Millrace's");
    expect(git(repo, 'rev-parse', `millrace/${RUN}/ws-a`).trim()).toBe(own);
    expect(contentIn(repo, `refs/millrace/${RUN}/ws-a/3`, 'a.txt')).toBe('third\n');
  });

  test('a branch name that is taken is a note, and the work is kept', async () => {
    const repo = makeRepository();
    git(repo, 'branch', 'millrace');
    const { changes } = await worked(await workspacesIn(repo), 'ws-a', { x: '1' });
    expect(changes.branch).toBe(`refs/millrace/${RUN}/ws-a/1`);
    expect(changes.notes.join()).toContain('could not be set');
    expect(contentIn(repo, `refs/millrace/${RUN}/ws-a/1`, 'x')).toBe('1');
  });
});

test('a link in the place of its folder: nothing behind it is read or removed', async () => {
  const repo = makeRepository();
  const outside = makeRepository({ 'keep.txt': 'kept\n' });
  const workspaces = await workspacesIn(repo);
  const workspace = await opened(workspaces, 'ws-a');
  rmSync(workspace.folder, { recursive: true });
  symlinkSync(outside, workspace.folder);
  const before = digest(outside);
  const changes = await workspaces.harvest(workspace);
  expect(changes).toMatchObject({ files: [], head: null });
  expect(changes.notes.join()).toContain('a link stands in the place');
  await workspaces.close(workspace);
  expect(digest(outside)).toEqual(before);
  expect(workspaces.staying()).toHaveLength(1);
});

test('a run that is resumed counts attempts again, and the branch is its own', async () => {
  const repo = makeRepository();
  const first = await workspacesIn(repo);
  await worked(first, 'ws-a', { 'a.txt': 'one\n' });
  await worked(first, 'ws-a', { 'a.txt': 'two\n' }, { attempt: 2 });
  await worked(await workspacesIn(repo), 'ws-a', { 'a.txt': 'again\n' });
  expect(contentIn(repo, `millrace/${RUN}/ws-a`, 'a.txt')).toBe('again\n');
  expect(contentIn(repo, `refs/millrace/${RUN}/ws-a/1-earlier-1`, 'a.txt')).toBe('one\n');
  const child = await opened(await workspacesIn(repo), 'ws-b', { parents: ['ws-a'] });
  expect(readFileSync(join(child.folder, 'a.txt'), 'utf8')).toBe('again\n');
});

test('what a killed process left is pruned without touching what the resumed run made of it', async () => {
  const repo = makeRepository();
  const killed = await opened(await workspacesIn(repo), 'ws-a');
  writeFiles(killed.folder, { 'a.txt': 'half\n' });
  await abandon(repo, killed.folder);
  const resumed = await workspacesIn(repo);
  await resumed.rescue(RUN);
  const { workspace, changes } = await worked(resumed, 'ws-a', { 'a.txt': 'whole\n' });
  await resumed.close(workspace);
  const repository = await findRepository(repo);
  if ('why' in repository) throw new Error(repository.why);
  expect(await prune(repository)).toMatchObject([{ workstreamId: 'ws-a', removed: true }]);
  expect(git(repo, 'rev-parse', `millrace/${RUN}/ws-a`).trim()).toBe(changes.head);
  expect(git(repo, 'rev-parse', `refs/millrace/${RUN}/ws-a/1`).trim()).toBe(changes.head);
  expect(contentIn(repo, `refs/millrace/${RUN}/ws-a/1-earlier-1`, 'a.txt')).toBe('half\n');
});

test('a run of another state folder that has the same id is not mixed with this one', async () => {
  const repo = makeRepository();
  const first = await workspacesIn(repo, { isResumed: false });
  await opened(first, 'ws-a');
  const second = await workspacesIn(repo, { isResumed: false, stateFolder: join(repo, '.state/other') });
  expect(await second.open(request('ws-a'))).toMatchObject({ reason: 'workspace-error' });
  expect(await first.open(request('ws-b'))).toMatchObject({ kind: 'worktree' });
});

describe('what git ignores', () => {
  test('is not captured, and said', async () => {
    const repo = makeRepository({ '.gitignore': '.state/\n*.log\ndist/\n' });
    const { changes } = await worked(await workspacesIn(repo), 'ws-a', {
      'x.log': '',
      'dist/a': '',
      'dist/b': '',
    });
    expect(changes).toMatchObject({ files: [], notes: ['Ignored by git and not captured: dist/, x.log.'] });
  });

  test('is copied and linked where asked, and never a change', async () => {
    const repo = makeRepository({ '.gitignore': '.state/\n.env\nnode_modules/\n', 'packages/p/x.js': '' });
    writeFiles(repo, {
      '.env': 'SECRET=1\n',
      'node_modules/m/i.js': 'm\n',
      'packages/p/node_modules/n/i.js': 'n\n',
      'local.conf': 'not ignored\n',
    });
    const workspaces = await workspacesIn(repo, {
      copy: ['.env', 'local.conf', 'nowhere', '../outside', 'a.txt'],
      link: ['**/node_modules'],
    });
    const workspace = await opened(workspaces, 'ws-a');
    const at = (path: string): string => join(workspace.folder, path);
    expect(readFileSync(at('.env'), 'utf8')).toBe('SECRET=1\n');
    expect(readFileSync(at('packages/p/node_modules/n/i.js'), 'utf8')).toBe('n\n');
    writeFiles(workspace.folder, { '.env': 'SECRET=2\n', 'new.txt': '' });
    const agents = commitAll(workspace.folder, 'everything, links too');
    expect(git(repo, 'ls-tree', '-r', '--name-only', agents)).toContain('node_modules\n');
    const changes = await workspaces.harvest(workspace);
    expect(short(changes)).toEqual(['added new.txt']);
    expect(changes.notes.filter((note) => note.startsWith('Ignored'))).toEqual([]);
    expect(changes.notes.join()).toContain('"../outside" is outside the repository');
    const { commit } = await merge(workspaces, changes);
    expect(git(repo, 'ls-tree', '-r', '--name-only', commit ?? '')).not.toContain('node_modules');
    await workspaces.close(workspace);
    expect(workspaces.staying()).toEqual([]);
    expect(existsSync(workspace.folder)).toBe(false);
    expect(readFileSync(join(repo, '.env'), 'utf8')).toBe('SECRET=1\n');
    expect(readFileSync(join(repo, 'node_modules/m/i.js'), 'utf8')).toBe('m\n');
  });

  test('nothing is written through a tracked link that leads out of the worktree', async () => {
    const outside = makeRepository({ keep: 'kept\n' });
    const repo = makeRepository();
    symlinkSync(outside, join(repo, 'out'));
    commitAll(repo, 'link');
    writeFiles(outside, { '.env': 'theirs\n' });
    const before = digest(outside);
    const workspaces = await workspacesIn(repo, { copy: ['out/.env', 'out/keep2'], link: ['out/x'] });
    const { workspace, changes } = await worked(workspaces, 'ws-a', { n: '' });
    await workspaces.close(workspace);
    expect(changes.files).toHaveLength(1);
    expect(existsSync(workspace.folder)).toBe(false);
    expect(digest(outside)).toEqual(before);
  });
});
