import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Merge, mergeSchema } from '../../src/domain/changes.ts';
import { writeFiles } from '../kit/command.ts';
import {
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

const MERGED = `millrace/${RUN}/_merged`;

describe('where a worktree starts', () => {
  test('at the commit the run started from, also when the user goes on and when the run is resumed', async () => {
    const repo = makeRepository();
    const base = git(repo, 'rev-parse', 'HEAD').trim();
    const workspaces = await workspacesIn(repo);
    await opened(workspaces, 'ws-a');
    writeFiles(repo, { 'later.txt': '' });
    commitAll(repo, 'later');
    for (const later of [workspaces, await workspacesIn(repo)]) {
      const workspace = await opened(later, 'ws-b', { attempt: later === workspaces ? 1 : 2 });
      expect(git(workspace.folder, 'rev-parse', 'HEAD').trim()).toBe(base);
      expect(git(workspace.folder, 'status', '--porcelain', '--branch')).toBe('## HEAD (no branch)\n');
    }
  });

  test('the tree, the index and the branch of the user stay byte by byte, and what is uncommitted is noted', async () => {
    const repo = makeRepository();
    writeFiles(repo, { 'a.txt': 'dirty\n', 'staged.txt': 'staged\n', 'new.txt': 'new\n' });
    git(repo, 'add', 'staged.txt');
    const own = (path: string): boolean =>
      path === '.state' ||
      /^\.git\/(objects|refs\/(heads\/)?millrace|logs\/refs\/heads|worktrees)/.test(path);
    const before = digest(repo, own);
    const workspaces = await workspacesIn(repo, { setup: 'npm ci' });
    const { workspace, changes } = await worked(workspaces, 'ws-a', { 'a.txt': 'work\n' });
    expect(workspace).toMatchObject({ kind: 'worktree', setup: 'npm ci' });
    expect(short(changes)).toEqual(['modified a.txt']);
    expect(changes.notes).toEqual([
      'Not committed when the run began, so not in its worktree: a.txt, staged.txt, new.txt.',
    ]);
    expect((await merge(workspaces, changes)).status).toBe('merged');
    await workspaces.close(workspace);
    expect(digest(repo, own)).toEqual(before);
  });

  test('in the subfolder that Millrace was started in, and paths are relative to it', async () => {
    const repo = makeRepository({ 'sub/deep/in.txt': 'in\n', 'out.txt': 'out\n' });
    writeFiles(repo, { 'sub/.env': 'x' });
    const workspaces = await workspacesIn(join(repo, 'sub'), { copy: ['.env'] });
    const { workspace, changes } = await worked(workspaces, 'ws-a', {
      'deep/in.txt': 'changed\n',
      '../out.txt': 'changed\n',
    });
    expect(workspace.folder).toMatch(/ws-a-1\/sub$/);
    expect(readFileSync(join(workspace.folder, '.env'), 'utf8')).toBe('x');
    expect(short(changes)).toEqual(['modified ../out.txt', 'modified deep/in.txt']);
  });

  test('at the merged results of its parents', async () => {
    const workspaces = await workspacesIn(makeRepository());
    await worked(workspaces, 'ws-a', { 'a.txt': 'from a\n' });
    await worked(workspaces, 'ws-b', { 'b.txt': 'from b\n' });
    const nothing = await worked(workspaces, 'ws-c', {}, { parents: ['ws-a'] });
    const child = await opened(workspaces, 'ws-d', { parents: ['ws-c', 'ws-b'] });
    expect(readFileSync(join(child.folder, 'a.txt'), 'utf8')).toBe('from a\n');
    expect(readFileSync(join(child.folder, 'b.txt'), 'utf8')).toBe('from b\n');
    writeFiles(child.folder, { 'd.txt': 'd\n' });
    expect(short(await workspaces.harvest(child))).toEqual(['added d.txt']);
    expect(nothing.changes.files).toEqual([]);
  });

  test('at those that an earlier process of the run left', async () => {
    const repo = makeRepository();
    await worked(await workspacesIn(repo), 'ws-a', { 'a.txt': 'from a\n' });
    const child = await opened(await workspacesIn(repo), 'ws-b', { parents: ['ws-a'] });
    expect(readFileSync(join(child.folder, 'a.txt'), 'utf8')).toBe('from a\n');
  });

  test('nowhere when the work of a parent is kept by no ref any more', async () => {
    const workspaces = await workspacesIn(makeRepository());
    await worked(workspaces, 'ws-a', { 'a.txt': 'from a\n' });
    expect(await workspaces.open(request('ws-b', { parents: ['ws-a', 'ws-gone'] }))).toMatchObject({
      reason: 'workspace-error',
      detail: expect.stringContaining('The work of ws-gone'),
    });
  });

  test('nowhere when its parents conflict', async () => {
    const workspaces = await workspacesIn(makeRepository());
    await worked(workspaces, 'ws-a', { 'a.txt': 'one\n' });
    await worked(workspaces, 'ws-b', { 'b.txt': 'two\n' });
    await worked(workspaces, 'ws-c', { 'a.txt': 'three\n' });
    const parents = ['ws-b', 'ws-a', 'ws-c'];
    expect(await workspaces.open(request('ws-d', { parents }))).toEqual({
      reason: 'merge-conflict',
      between: ['ws-a', 'ws-c'],
      files: ['a.txt'],
    });
  });

  test('without what a parent did in the shared folder, and says so', async () => {
    const workspaces = await workspacesIn(makeRepository());
    await opened(workspaces, 'ws-a', { kind: 'shared' });
    const { changes } = await worked(workspaces, 'ws-b', {}, { parents: ['ws-a'] });
    expect(changes.notes.join()).toContain('Worked in the shared folder');
  });
});

describe('merging into the branch of the run', () => {
  test('one after the other, with trailers', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const made = [];
    for (const id of ['ws-a', 'ws-b', 'ws-c']) made.push(await worked(workspaces, id, { [`${id}.txt`]: id }));
    const merges: Merge[] = [];
    for (const { changes } of made) merges.push(await merge(workspaces, changes));
    expect(merges.map(({ status }) => status)).toEqual(['merged', 'merged', 'merged']);
    for (const one of merges) expect(mergeSchema.parse(one)).toEqual(one);
    expect(git(repo, 'rev-parse', MERGED).trim()).toBe(merges[2]?.commit);
    expect(git(repo, 'ls-tree', '--name-only', MERGED).match(/ws-.\.txt/g)).toHaveLength(3);
    expect(
      git(repo, 'log', '-1', '--format=%(trailers:key=Millrace-Workstream,valueonly)', MERGED).trim(),
    ).toBe('ws-c');
  });

  test('a conflict changes nothing, and says the files and whose they are', async () => {
    const repo = makeRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n' });
    const workspaces = await workspacesIn(repo);
    const first = await worked(workspaces, 'ws-a', { 'a.txt': 'one\n' });
    const second = await worked(workspaces, 'ws-b', { 'b.txt': 'two\n' });
    const third = await worked(workspaces, 'ws-c', { 'a.txt': 'three\n', 'c.txt': 'three\n' });
    await merge(workspaces, first.changes);
    await merge(workspaces, second.changes);
    const tip = git(repo, 'rev-parse', MERGED);
    const expected = { status: 'conflict', commit: null, conflictsWith: ['ws-a'], files: ['a.txt'] };
    expect(await merge(workspaces, third.changes)).toMatchObject(expected);
    expect(git(repo, 'rev-parse', MERGED)).toBe(tip);
  });

  test('a conflict in more files than a program takes as arguments says whose they are', async () => {
    const names = [
      'line\nend',
      ...Array.from({ length: 9_500 }, (_, index) => `${index}`.padStart(230, 'x')),
    ];
    const all = (content: string) => Object.fromEntries(names.map((name) => [name, content]));
    const repo = makeRepository(all('0'));
    const workspaces = await workspacesIn(repo);
    const first = await worked(workspaces, 'ws-a', all('one'));
    const second = await worked(workspaces, 'ws-b', all('two'));
    await merge(workspaces, first.changes);
    const conflict = await merge(workspaces, second.changes);
    expect(conflict).toMatchObject({ status: 'conflict', conflictsWith: ['ws-a'] });
    expect(conflict.files).toHaveLength(names.length);
  }, 180_000);

  test('a prediction finds the same conflicts and makes no branch, also after the run was resumed', async () => {
    const repo = makeRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
    const workspaces = await workspacesIn(repo);
    const first = await worked(workspaces, 'ws-a', { 'a.txt': 'one\n' });
    const second = await worked(workspaces, 'ws-b', { 'b.txt': 'two\n' });
    const mergeable = { status: 'mergeable', branch: '', commit: null };
    expect(await merge(workspaces, first.changes, true)).toMatchObject(mergeable);
    expect(await merge(workspaces, second.changes, true)).toMatchObject(mergeable);
    const resumed = await workspacesIn(repo);
    const third = await worked(resumed, 'ws-c', { 'a.txt': 'three\n' });
    expect(await merge(resumed, third.changes, true)).toMatchObject({
      status: 'conflict',
      conflictsWith: ['ws-a'],
      files: ['a.txt'],
    });
    expect(git(repo, 'for-each-ref', `refs/heads/${MERGED}`)).toBe('');
  });

  test('work that is in it already is merged, and makes no commit', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const { changes } = await worked(workspaces, 'ws-b', { x: '' });
    const { commit } = await merge(workspaces, changes);
    expect(await merge(workspaces, changes)).toMatchObject({ status: 'merged', commit });
    expect(git(repo, 'rev-list', '--count', '--first-parent', `HEAD..${MERGED}`).trim()).toBe('1');
  });

  test('fails where the user has the branch checked out, and leaves it alone', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const first = await worked(workspaces, 'ws-a', { x: '' });
    const second = await worked(workspaces, 'ws-b', { y: '' });
    await merge(workspaces, first.changes);
    git(repo, 'checkout', '-q', MERGED);
    const failed = await merge(workspaces, second.changes);
    expect(failed).toMatchObject({ status: 'failed', commit: null });
    expect(failed.detail).toContain(repo);
    expect(git(repo, 'status', '--porcelain')).toBe('');
  });
});

describe('closing', () => {
  test('takes a snapshot first where nobody did, and leaves no folder behind', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    writeFiles(workspace.folder, { 'late.txt': 'late\n' });
    await workspaces.close(workspace);
    expect(existsSync(join(repo, '.state/worktrees', RUN))).toBe(false);
    expect(contentIn(repo, `millrace/${RUN}/ws-a`, 'late.txt')).toBe('late\n');
    expect(git(repo, 'worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(1);
    await expect(workspaces.harvest(workspace)).rejects.toThrow('not open');
  });

  test('keeps what was written after the harvest', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const { workspace } = await worked(workspaces, 'ws-a', { 'x.txt': 'x' });
    writeFiles(workspace.folder, { 'late.txt': 'late\n' });
    await workspaces.close(workspace);
    expect(contentIn(repo, `refs/millrace/${RUN}/ws-a/1-after-1`, 'late.txt')).toBe('late\n');
  });

  test('a worktree of the same name that was left does not stand in the way', async () => {
    const repo = makeRepository();
    const first = await opened(await workspacesIn(repo), 'ws-a');
    const second = await opened(await workspacesIn(repo), 'ws-a');
    expect(second.folder).toBe(`${first.folder}-again-2`);
  });

  test('a folder that can not be made is a failure, not an exception', async () => {
    const repo = makeRepository();
    mkdirSync(join(repo, '.state'));
    writeFiles(repo, { '.state/worktrees': 'a file' });
    const workspaces = await workspacesIn(repo);
    expect(await workspaces.open(request('ws-a'))).toMatchObject({ reason: 'workspace-error' });
    rmSync(join(repo, '.state/worktrees'));
    expect(await workspaces.open(request('ws-a'))).toMatchObject({ kind: 'worktree' });
  });
});
