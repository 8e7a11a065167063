import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changesSchema } from '../../src/domain/changes.ts';
import { writeFiles } from '../kit/command.ts';
import { digest, git, makeRepository, opened, short, workspacesIn } from '../kit/repository.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const shared = { kind: 'shared' } as const;

describe('the shared folder', () => {
  test('what changed in the scopes is known by looking', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, {
      'src/edit.ts': '1',
      'src/same.ts': '1',
      'src/gone.ts': '1',
      'src/skip.gen.ts': '1',
      'other.ts': '1',
      'src/node_modules/m.js': '1',
    });
    const workspaces = await workspacesIn(folder);
    const scope = { filesScope: ['./src/', '!**/*.gen.ts'], filesCreate: ['docs/*.md', '[x].txt'] };
    const workspace = await opened(workspaces, 'ws-a', shared, scope);
    writeFiles(folder, {
      'src/edit.ts': '2',
      'src/same.ts': '1',
      'src/skip.gen.ts': '2',
      'other.ts': '2',
      'docs/new.md': '',
      'docs/new.txt': '',
      'src/node_modules/m.js': '2',
      '.state/worktrees/x': '',
    });
    utimesSync(join(folder, 'src/same.ts'), 1, 1);
    rmSync(join(folder, 'src/gone.ts'));
    const changes = await workspaces.harvest(workspace);
    expect(changesSchema.parse(changes)).toEqual(changes);
    expect(short(changes)).toEqual(['added docs/new.md', 'modified src/edit.ts', 'deleted src/gone.ts']);
    expect(changes).toMatchObject({ source: 'scope-look', commits: [], branch: null, base: null, notes: [] });
    expect(changes.contentHash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('the same work again has the same hash, none has none', async () => {
    const folder = temporaryFolder();
    const workspaces = await workspacesIn(folder);
    const hashes = [];
    for (const text of ['1', '2', '1', '1']) {
      const workspace = await opened(workspaces, 'ws-a', shared, { filesScope: ['a.txt'] });
      writeFiles(folder, { 'a.txt': text });
      hashes.push((await workspaces.harvest(workspace)).contentHash);
    }
    expect(hashes[3]).toBeNull();
    expect(hashes[1]).not.toBe(hashes[2]);
    rmSync(join(folder, 'a.txt'));
    const workspace = await opened(workspaces, 'ws-a', shared, { filesScope: ['a.txt'] });
    writeFiles(folder, { 'a.txt': '1' });
    expect((await workspaces.harvest(workspace)).contentHash).toBe(hashes[0]);
  });

  test('what another one that ran meanwhile owns too is nobody’s, and said', async () => {
    const folder = temporaryFolder();
    const workspaces = await workspacesIn(folder);
    const before = await opened(workspaces, 'ws-before', shared, { filesScope: ['src'] });
    await workspaces.close(before);
    const first = await opened(workspaces, 'ws-a', shared, { filesScope: ['src'] });
    const second = await opened(workspaces, 'ws-b', shared, { filesScope: ['src/shared/*.ts'] });
    const third = await opened(workspaces, 'ws-c', shared);
    writeFiles(folder, { 'src/own.ts': '', 'src/shared/x.ts': '' });
    const changes = await workspaces.harvest(first);
    expect(short(changes)).toEqual(['added src/own.ts']);
    expect(changes.notes).toEqual([
      'ws-b ran at the same time and owns these files too, so who changed them is not known: src/shared/x.ts.',
      'Also at work at the same time, without a files_scope, so they may have changed these files: ws-c.',
    ]);
    expect((await workspaces.harvest(second)).files).toEqual([]);
    expect((await workspaces.harvest(third)).notes[0]).toContain('names no files_scope');
    const later = await opened(workspaces, 'ws-d', shared, { filesScope: ['src'] });
    writeFiles(folder, { 'src/later.ts': '' });
    expect((await workspaces.harvest(later)).notes).toEqual([]);
  });

  test('in a repository it commits nothing and touches nothing of git', async () => {
    const repo = makeRepository();
    const before = digest(join(repo, '.git'));
    const workspaces = await workspacesIn(repo);
    const workspace = await opened(workspaces, 'ws-a', shared, { filesScope: ['*.txt'] });
    writeFiles(repo, { 'a.txt': 'x' });
    expect(short(await workspaces.harvest(workspace))).toEqual(['modified a.txt']);
    await workspaces.close(workspace);
    expect(digest(join(repo, '.git'))).toEqual(before);
    expect(git(repo, 'status', '--porcelain')).toBe(' M a.txt\n');
  });
});
