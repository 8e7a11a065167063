import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../kit/command.ts';
import {
  commitAll,
  contentIn,
  git,
  makeRepository,
  merge,
  opened,
  RUN,
  short,
  worked,
  workspacesIn,
} from '../kit/repository.ts';

describe('what an agent does with git', () => {
  test('its own commits and what it left uncommitted', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    writeFiles(workspace.folder, { 'one.txt': '1\n' });
    const one = commitAll(workspace.folder, 'one');
    writeFiles(workspace.folder, { 'two.txt': '2\n' });
    const two = commitAll(workspace.folder, 'two');
    writeFiles(workspace.folder, { 'three.txt': '3\n' });
    const changes = await workspaces.harvest(workspace);
    expect(changes.commits).toEqual([one, two, changes.head]);
    expect(short(changes)).toEqual(['added one.txt', 'added three.txt', 'added two.txt']);
    expect(git(repo, 'log', '-1', '--format=%an', two).trim()).toBe('agent');
  });

  test('a branch of its own', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    git(workspace.folder, 'checkout', '-q', '-b', 'feature');
    writeFiles(workspace.folder, { 'one.txt': '1\n' });
    const one = commitAll(workspace.folder, 'one');
    const changes = await workspaces.harvest(workspace);
    expect(changes).toMatchObject({ commits: [one], head: one, branch: `millrace/${RUN}/ws-a` });
  });

  test('a switch to a line that does not hold the start: compared with what both have', async () => {
    const repo = makeRepository();
    const old = git(repo, 'rev-parse', 'HEAD').trim();
    writeFiles(repo, { 'later.txt': 'later\n' });
    commitAll(repo, 'later');
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    git(workspace.folder, 'checkout', '-q', '-b', 'side', old);
    writeFiles(workspace.folder, { 'mine.txt': 'mine\n' });
    const changes = await workspaces.harvest(workspace);
    expect(short(changes)).toEqual(['added mine.txt']);
    expect(changes.notes.join()).toContain(old);
    const { status, commit } = await merge(workspaces, changes);
    expect(status).toBe('merged');
    expect(contentIn(repo, commit ?? '', 'later.txt')).toBe('later\n');
  });

  test('an amended start: only what it changed counts, not what the start had changed', async () => {
    const repo = makeRepository();
    writeFiles(repo, { 'later.txt': 'later\n' });
    commitAll(repo, 'later');
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    writeFiles(workspace.folder, { 'a.txt': 'mine\n' });
    git(workspace.folder, 'commit', '-q', '-a', '--amend', '-m', 'amended');
    const changes = await workspaces.harvest(workspace);
    expect(short(changes)).toEqual(['modified a.txt']);
    expect(changes.commits).toHaveLength(1);
    expect((await merge(workspaces, changes)).status).toBe('merged');
  });

  test('a rebase: its commits are the new ones, and the old ones are kept', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    writeFiles(repo, { 'upstream.txt': 'u\n' });
    const upstream = commitAll(repo, 'upstream');
    writeFiles(workspace.folder, { 'mine.txt': 'mine\n' });
    const before = commitAll(workspace.folder, 'mine');
    git(workspace.folder, 'rebase', '-q', 'main');
    const changes = await workspaces.harvest(workspace);
    expect(changes.commits).toEqual([upstream, changes.head]);
    expect(changes.commits).not.toContain(before);
    expect(git(repo, 'for-each-ref', '--format=%(objectname)', `refs/millrace/${RUN}/ws-a`)).toContain(
      before,
    );
    expect(changes.notes.join()).toContain('1-abandoned-1');
  });

  test('a reset: what it threw away is kept', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    writeFiles(workspace.folder, { 'one.txt': '1\n' });
    commitAll(workspace.folder, 'one');
    writeFiles(workspace.folder, { 'two.txt': '2\n' });
    const two = commitAll(workspace.folder, 'two');
    git(workspace.folder, 'reset', '-q', '--hard', 'HEAD~2');
    const changes = await workspaces.harvest(workspace);
    expect(changes).toMatchObject({ files: [], commits: [], contentHash: null });
    expect(git(repo, 'rev-parse', `refs/millrace/${RUN}/ws-a/1-abandoned-1`).trim()).toBe(two);
  });

  test('a history of its own', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    git(workspace.folder, 'checkout', '-q', '--orphan', 'alone');
    writeFiles(workspace.folder, { 'one.txt': '1\n' });
    const unborn = await workspaces.harvest(workspace);
    expect(short(unborn)).toEqual(['added one.txt']);
    commitAll(workspace.folder, 'one');
    const changes = await workspaces.harvest(workspace);
    expect(changes.notes.join()).toContain('nothing in common');
    expect((await merge(workspaces, changes)).status).toBe('failed');
  });

  test('a merge that it did not finish', async () => {
    const repo = makeRepository();
    git(repo, 'checkout', '-q', '-b', 'other');
    writeFiles(repo, { 'a.txt': 'other\n' });
    commitAll(repo, 'other');
    git(repo, 'checkout', '-q', 'main');
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    writeFiles(workspace.folder, { 'a.txt': 'mine\n' });
    commitAll(workspace.folder, 'mine');
    expect(() => git(workspace.folder, 'merge', 'other')).toThrow();
    const changes = await workspaces.harvest(workspace);
    expect(changes.notes).toEqual(['Left in conflict by an unfinished merge: a.txt.']);
    expect(contentIn(repo, changes.head ?? '', 'a.txt')).toContain('<<<<<<<');
  });

  test.each(['unborn', 'with a commit'])(
    'a repository inside, %s: noted, and the worktree stays',
    async (kind) => {
      const repo = makeRepository();
      const workspaces = await workspacesIn(repo);
      const workspace = await opened(workspaces, 'ws-a');
      const nested = join(workspace.folder, 'nes ted');
      writeFiles(workspace.folder, { 'nes ted/deep/f.txt': 'f\n', 'one.txt': '1\n' });
      git(nested, 'init', '-q');
      if (kind !== 'unborn') commitAll(nested, 'inner');
      const changes = await workspaces.harvest(workspace);
      expect(short(changes)).toEqual(['added one.txt']);
      expect(changes.notes.join()).toContain('nes ted');
      await workspaces.close(workspace);
      expect(readFileSync(join(nested, 'deep/f.txt'), 'utf8')).toBe('f\n');
      expect(workspaces.staying()).toMatchObject([{ workstreamId: 'ws-a', folder: workspace.folder }]);
    },
  );

  test("the worktree's own .git replaced by a repository: captured, and it stays", async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    rmSync(join(workspace.folder, '.git'));
    git(workspace.folder, 'init', '-q');
    writeFiles(workspace.folder, { 'one.txt': '1\n' });
    const inner = commitAll(workspace.folder, 'inner');
    const changes = await workspaces.harvest(workspace);
    expect(short(changes)).toEqual(['added one.txt']);
    expect(changes.commits).not.toContain(inner);
    await workspaces.close(workspace);
    expect(existsSync(join(workspace.folder, '.git', 'HEAD'))).toBe(true);
    expect(workspaces.staying()).toMatchObject([
      { why: expect.stringContaining('a repository was made in it') },
    ]);
  });

  test('its whole folder removed: said, not taken for a deletion of everything', async () => {
    const workspaces = await workspacesIn(makeRepository());
    const workspace = await opened(workspaces, 'ws-a');
    rmSync(workspace.folder, { recursive: true });
    const changes = await workspaces.harvest(workspace);
    expect(changes).toMatchObject({ files: [], commits: [] });
    expect(changes.notes.join()).toContain('gone');
    await workspaces.close(workspace);
    expect(workspaces.staying()).toEqual([]);
  });

  test('its folder removed after a commit: the commit stays the result, for dependents too', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    writeFiles(workspace.folder, { 'one.txt': '1\n' });
    const one = commitAll(workspace.folder, 'one');
    rmSync(workspace.folder, { recursive: true });
    expect(await workspaces.harvest(workspace)).toMatchObject({ head: one, commits: [one] });
    expect(await workspaces.close(workspace)).toEqual([]);
    expect(git(repo, 'rev-parse', `millrace/${RUN}/ws-a`).trim()).toBe(one);
    const next = await opened(workspaces, 'ws-b', { parents: ['ws-a'] });
    expect(readFileSync(join(next.folder, 'one.txt'), 'utf8')).toBe('1\n');
    expect(readFileSync(join(next.folder, 'a.txt'), 'utf8')).toBe('a\n');
  });

  test('what is written after its work was judged is kept, and is not part of its result', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const { workspace, changes } = await worked(workspaces, 'ws-a', { 'one.txt': '1\n' });
    writeFiles(workspace.folder, { 'late.txt': 'late\n' });
    const ref = `refs/millrace/${RUN}/ws-a/1-after-1`;
    expect((await workspaces.close(workspace)).join()).toContain(ref);
    expect(contentIn(repo, ref, 'late.txt')).toBe('late\n');
    expect(git(repo, 'rev-parse', `millrace/${RUN}/ws-a`).trim()).toBe(changes.head);
    expect(git(repo, 'rev-parse', `refs/millrace/${RUN}/ws-a/1`).trim()).toBe(changes.head);
    const next = await opened(workspaces, 'ws-b', { parents: ['ws-a'] });
    expect(existsSync(join(next.folder, 'late.txt'))).toBe(false);
    expect(workspaces.staying()).toEqual([]);
  });

  test('its worktree taken out of git: what is not known is said, and nothing is invented', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    git(repo, 'worktree', 'remove', '--force', '--force', workspace.folder);
    const changes = await workspaces.harvest(workspace);
    expect(changes).toMatchObject({ head: null, files: [] });
    expect(changes.notes.join()).toContain('git fsck --lost-found');
    await workspaces.close(workspace);
    expect(existsSync(workspace.folder)).toBe(false);
  });

  test("a write to the user's tree, and a commit on the user's branch: each said once", async () => {
    const repo = makeRepository();
    writeFiles(repo, { 'a.txt': 'mine, not committed\n' });
    const workspaces = await workspacesIn(repo);
    const one = await opened(workspaces, 'ws-a');
    expect((await workspaces.harvest(one)).notes.join()).not.toContain('While it worked');
    writeFiles(repo, { 'a.txt': 'stolen\n', 'new.txt': 'n\n' });
    expect((await workspaces.harvest(one)).notes.join()).toContain(
      'files in the folder that Millrace was started in changed: a.txt, new.txt.',
    );
    const two = await opened(workspaces, 'ws-b');
    git(two.folder, 'checkout', '-q', '--ignore-other-worktrees', 'main');
    writeFiles(two.folder, { 'two.txt': '2\n' });
    const commit = commitAll(two.folder, 'on main');
    const { notes } = await workspaces.harvest(two);
    expect(notes.join()).toMatch(new RegExp(`what is checked out .* changed from .* to ${commit} main\\.`));
    expect(notes.join()).not.toContain('files in the folder');
  });

  test('an index that git can not read: its files are captured all the same', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a');
    writeFiles(workspace.folder, { 'a.txt': 'changed\n', 'one.txt': '1\n' });
    rmSync(join(workspace.folder, 'b.txt'));
    const index = git(workspace.folder, 'rev-parse', '--path-format=absolute', '--git-path', 'index').trim();
    writeFileSync(index, 'garbage');
    const changes = await workspaces.harvest(workspace);
    expect(short(changes)).toEqual(['modified a.txt', 'deleted b.txt', 'added one.txt']);
    await workspaces.close(workspace);
    expect(workspaces.staying()).toEqual([]);
  });

  test('its folder moved: said where it is, and it stays', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const { workspace } = await worked(workspaces, 'ws-a', { 'one.txt': '1\n' });
    const moved = `${workspace.folder}-moved`;
    git(repo, 'worktree', 'move', '--force', '--force', workspace.folder, moved);
    const changes = await workspaces.harvest(workspace);
    expect(changes.head).toBeNull();
    expect(changes.notes.join()).toContain(`its folder was moved to ${moved}`);
    await workspaces.close(workspace);
    expect(existsSync(join(moved, 'one.txt'))).toBe(true);
  });

  test('a filter that it made itself and that fails does not hide its work', async () => {
    const workspaces = await workspacesIn(makeRepository());
    const workspace = await opened(workspaces, 'ws-a');
    git(workspace.folder, 'config', 'filter.own.clean', 'false');
    git(workspace.folder, 'config', 'filter.own.required', 'true');
    writeFiles(workspace.folder, { '.gitattributes': '* filter=own\n', 'a.txt': 'changed\n' });
    const changes = await workspaces.harvest(workspace);
    expect(short(changes)).toEqual(['added .gitattributes', 'modified a.txt']);
    await workspaces.close(workspace);
    expect(workspaces.staying()).toEqual([]);
  });

  test.each([
    ['refuses', 'clean', 'false'],
    ['does not start for', 'process', 'no-such-program'],
    // As much as git sends before it waits for an answer.
    ['breaks off before', 'process', 'head -c 40 > /dev/null'],
  ])('a file that its filter %s is captured as it is', async (_how, kind, program) => {
    const repo = makeRepository({ '.gitattributes': '*.bad filter=bad\n' });
    git(repo, 'config', `filter.bad.${kind}`, program);
    git(repo, 'config', 'filter.bad.required', 'true');
    const workspaces = await workspacesIn(repo);
    const { workspace, changes } = await worked(workspaces, 'ws-a', { 'x.bad': 'x', 'y.txt': 'y' });
    expect(short(changes)).toEqual(['added x.bad', 'added y.txt']);
    expect(contentIn(repo, changes.head ?? '', 'x.bad')).toBe('x');
    expect(changes.notes.join()).toContain('Filters that failed');
    await workspaces.close(workspace);
    expect(workspaces.staying()).toEqual([]);
  });
});
